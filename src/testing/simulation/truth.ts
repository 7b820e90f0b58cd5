import { readRow } from "../../connectors/memory/connector-record.ts";
import type { MemoryRow, MemorySystem, NamedValues } from "../../connectors/memory/system.ts";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSpec } from "../../model/replicate.ts";
import { projectSchema } from "../../model/schema.ts";
import { valuesEqual } from "../../model/value.ts";

/** What the world knows of one key, beside what the system holds. */
export interface RecordHistory {
  /** Every image the system ever served under this key, oldest first. */
  readonly versions: NamedValues[];
  /** Since which edit the record has been shown without a break; undefined while it is not. */
  shownSince: number | undefined;
  /** A reading of changes cannot find the present image: it came silently, or too late. */
  excused: boolean;
  /** A sweep cannot find it: the record changed and its time did not. */
  silent: boolean;
}

/** A true account of what people did to the system, and of what it shows by now. */
export interface Truth {
  /** Number of edits so far. */
  readonly edits: () => number;
  history(stream: string, key: RecordKey): RecordHistory | undefined;
  /** The records that the query shows, the bad ones included. */
  shown(stream: string): readonly MemoryRow[];
  /** True when the record can be read as its schema says and passes the rules. */
  isGood(stream: string, row: MemoryRow): boolean;
}

/** How an edit can be found; what is left out is false, but for `silent`, which stays as it was. */
export interface Findable {
  readonly excused?: boolean;
  readonly silent?: boolean;
}

export interface TruthBook extends Truth {
  specOf(stream: string): StreamSpec;
  /** Books the state of a row after an edit of it. */
  book(stream: string, key: RecordKey, how?: Findable): void;
}

export function createTruth(system: MemorySystem, specs: readonly StreamSpec[]): TruthBook {
  const histories = new Map<string, Map<RecordKey, RecordHistory>>();
  let edits = 0;

  const specOf = (stream: string): StreamSpec => {
    const spec = specs.find((entry) => entry.stream === stream);
    if (spec === undefined) throw new Error(`no stream ${stream}`);
    return spec;
  };
  const isShown = (stream: string, row: MemoryRow): boolean => {
    const { filter } = specOf(stream);
    if (row.hidden) return false;
    const wanted = filter === undefined ? {} : (JSON.parse(filter) as NamedValues);
    return Object.entries(wanted).every(([name, value]) => valuesEqual(row.values[name], value));
  };
  const historyOf = (stream: string, key: RecordKey): RecordHistory => {
    const ofStream = histories.get(stream) ?? new Map<RecordKey, RecordHistory>();
    histories.set(stream, ofStream);
    const known = ofStream.get(key);
    if (known) return known;
    const fresh = { versions: [], shownSince: undefined, excused: false, silent: false };
    ofStream.set(key, fresh);
    return fresh;
  };

  return {
    edits: () => edits,
    specOf,
    history: (stream, key) => histories.get(stream)?.get(key),
    shown: (stream) => system.rows(stream).filter((row) => isShown(stream, row)),
    isGood(stream, row) {
      const schema = system.schema(stream);
      const { select, rules } = specOf(stream);
      const read = select === undefined ? schema : projectSchema(schema, select);
      if (!("record" in readRow({ schema: read }, row))) return false;
      return rules.every(
        ({ field, check }) =>
          check.kind !== "oneOf" || check.values.includes(String(row.values[field])),
      );
    },
    book(stream, key, { excused = false, silent } = {}) {
      edits += 1;
      const history = historyOf(stream, key);
      const row = system.row(stream, key);
      if (row === undefined || !isShown(stream, row)) history.shownSince = undefined;
      else history.shownSince ??= edits;
      if (row !== undefined) history.versions.push(row.values);
      history.excused = excused;
      // A record that is out of sight and back again still has what was changed silently.
      history.silent = silent ?? history.silent;
    },
  };
}
