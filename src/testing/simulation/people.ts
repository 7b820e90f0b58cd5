import { readRow } from "../../connectors/memory/connector-record.ts";
import type { MemoryRow, MemorySystem, NamedValues } from "../../connectors/memory/system.ts";
import { type RecordKey, recordKey } from "../../model/record.ts";
import type { StreamSpec } from "../../model/replicate.ts";
import { type Field, projectSchema, type StreamSchema } from "../../model/schema.ts";
import { valuesEqual } from "../../model/value.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { createKeyValues, createValue, editableFields } from "./shapes.ts";
import type { Happening, Tallies } from "./tallies.ts";
import type { Trace } from "./trace.ts";

/** What the world knows of one key, beside what the system holds. */
export interface RecordHistory {
  /** Every image the system ever served under this key, oldest first. */
  readonly versions: NamedValues[];
  /** Since which edit the record has been shown without a break; undefined while it is not. */
  shownSince: number | undefined;
  /** A reading of changes cannot find the present image: it came silently, or too late. */
  excused: boolean;
  /** A sweep cannot find it either: its time did not change. */
  silent: boolean;
}

/** People who edit the system, at random, and a true account of what they did. */
export interface People {
  /** Number of edits so far. */
  readonly edits: () => number;
  /** One random edit of the stream. */
  edit(stream: string): void;
  create(stream: string): void;
  /** Deletes so many of the shown records. */
  removeMany(stream: string, count: number): void;
  hideAll(stream: string): void;
  unhideAll(stream: string): void;
  addField(stream: string): void;
  /** Mends every record that breaks its schema, and takes away those without a key. */
  healAll(stream: string): void;
  history(stream: string, key: RecordKey): RecordHistory | undefined;
  /** The records that the query shows, the bad ones included. */
  shown(stream: string): readonly MemoryRow[];
  /** True when the record can be read as its schema says and passes the rules. */
  isGood(stream: string, row: MemoryRow): boolean;
}

export interface PeopleOptions {
  readonly system: MemorySystem;
  readonly specs: readonly StreamSpec[];
  readonly random: SeededRandom;
  readonly now: () => number;
  readonly tallies: Tallies;
  readonly trace: Trace;
}

const EDITS = {
  create: 5,
  update: 8,
  "silent update": 1,
  delete: 2,
  hide: 1,
  unhide: 1,
  "key created anew": 1,
  tie: 2,
  "late commit within the overlap": 1.5,
  "late commit beyond the overlap": 0.5,
  "record spoiled": 0.7,
  "record without key": 0.15,
  "record healed": 1,
  "absent field": 1,
} as const satisfies Partial<Record<Happening, number>>;

type EditKind = keyof typeof EDITS;

/** The time that an edit gives its record; `late` when no overlap reaches back to it. */
interface When {
  readonly edit: { readonly at?: number };
  readonly late: boolean;
}

const ON_TIME: When = { edit: {}, late: false };

export function createPeople(options: PeopleOptions): People {
  const { system, random, tallies, trace } = options;
  const histories = new Map<string, Map<RecordKey, RecordHistory>>();
  const removed = new Map<string, RecordKey[]>();
  let edits = 0;

  const specOf = (stream: string): StreamSpec => {
    const spec = options.specs.find((entry) => entry.stream === stream);
    if (spec === undefined) throw new Error(`no stream ${stream}`);
    return spec;
  };
  const isShown = (stream: string, row: MemoryRow): boolean => {
    const { filter } = specOf(stream);
    if (row.hidden) return false;
    const wanted = filter === undefined ? {} : (JSON.parse(filter) as NamedValues);
    return Object.entries(wanted).every(([name, value]) => valuesEqual(row.values[name], value));
  };
  const isGood = (stream: string, row: MemoryRow): boolean => {
    const schema = system.schema(stream);
    const { select } = specOf(stream);
    const read = select === undefined ? schema : projectSchema(schema, select);
    if (!("record" in readRow(read, row))) return false;
    return specOf(stream).rules.every(
      ({ field, check }) =>
        check.kind !== "oneOf" || check.values.includes(String(row.values[field])),
    );
  };
  const shown = (stream: string): readonly MemoryRow[] =>
    system.rows(stream).filter((row) => isShown(stream, row));

  const historyOf = (stream: string, key: RecordKey): RecordHistory => {
    const ofStream = histories.get(stream) ?? new Map<RecordKey, RecordHistory>();
    histories.set(stream, ofStream);
    const known = ofStream.get(key);
    if (known) return known;
    const fresh = { versions: [], shownSince: undefined, excused: false, silent: false };
    ofStream.set(key, fresh);
    return fresh;
  };
  /** Books the state of a row after an edit of it. */
  const book = (
    stream: string,
    key: RecordKey,
    how: { readonly excused?: boolean; readonly silent?: boolean } = {},
  ): void => {
    edits += 1;
    const history = historyOf(stream, key);
    const row = system.row(stream, key);
    if (row === undefined || !isShown(stream, row)) history.shownSince = undefined;
    else history.shownSince ??= edits;
    if (row !== undefined) history.versions.push(row.values);
    history.excused = how.excused ?? false;
    // A record that is out of sight and back again still has what was changed silently.
    history.silent = how.silent ?? history.silent;
  };
  const tell = (kind: Happening, stream: string, key: RecordKey): void => {
    tallies.count(kind);
    const row = system.row(stream, key);
    trace.add(`  people: ${kind} ${stream} ${JSON.stringify(key)} ${row?.time ?? ""}`);
  };

  const randomValues = (schema: StreamSchema): NamedValues => {
    const values: Record<string, NamedValues[string]> = {};
    for (const field of editableFields(schema)) {
      if (field.nullable && random.chance(0.1)) continue;
      values[field.name] = createValue(random, field);
    }
    return values;
  };
  /** Books an edit that gave the record a time; `late` when that is before any overlap. */
  const bookTimed = (
    stream: string,
    key: RecordKey,
    late: boolean,
    before: string | undefined,
  ): void => {
    const isSilent = late && system.row(stream, key)?.time === before;
    book(stream, key, { excused: late, silent: isSilent });
  };
  const put = (stream: string, values: NamedValues, when: When = ON_TIME): RecordKey => {
    const parts = system.schema(stream).key.map((name) => values[name] ?? null);
    const before = parts.includes(null) ? undefined : system.row(stream, recordKey(parts))?.time;
    const key = system.put(stream, values, when.edit);
    bookTimed(stream, key, when.late, before);
    return key;
  };
  const update = (stream: string, row: MemoryRow, when: When = ON_TIME): void => {
    const fields = editableFields(system.schema(stream));
    const chosen = random.shuffle(fields).slice(0, random.int(1, 2));
    const values = Object.fromEntries(
      chosen.map((field) => [field.name, createValue(random, field)]),
    );
    system.edit(stream, row.id, values, when.edit);
    bookTimed(stream, row.id, when.late, row.time);
  };
  const anyShown = (stream: string): MemoryRow | undefined => {
    const rows = shown(stream).filter((row) => row.keyed);
    return rows.length === 0 ? undefined : random.pick(rows);
  };
  const remove = (stream: string, row: MemoryRow): void => {
    system.remove(stream, row.id);
    book(stream, row.id, { silent: false });
    removed.set(stream, [...(removed.get(stream) ?? []), row.id]);
  };
  const create = (stream: string, when: When = ON_TIME): RecordKey => {
    const schema = system.schema(stream);
    return put(stream, { ...randomValues(schema), ...createKeyValues(random, stream) }, when);
  };
  const lately = (stream: string, beyond: boolean): When => {
    const { overlapMs } = specOf(stream);
    const behindMs = beyond
      ? overlapMs + random.int(5_000, 3_000_000)
      : random.int(0, overlapMs - 1_000);
    return { edit: { at: options.now() - behindMs }, late: beyond };
  };

  /** Gives the key edited, or undefined where nothing fits the kind. */
  const perform = (kind: EditKind, stream: string): RecordKey | undefined => {
    const schema = system.schema(stream);
    const row = anyShown(stream);
    switch (kind) {
      case "create":
        return create(stream);
      case "late commit within the overlap":
      case "late commit beyond the overlap": {
        if (schema.modifiedAt === undefined) return undefined;
        const when = lately(stream, kind === "late commit beyond the overlap");
        if (row === undefined || random.chance(0.5)) return create(stream, when);
        update(stream, row, when);
        return row.id;
      }
      case "key created anew": {
        const gone = (removed.get(stream) ?? []).filter((key) => !system.row(stream, key));
        const key = gone.length === 0 ? undefined : random.pick(gone);
        const image = key === undefined ? undefined : historyOf(stream, key).versions.at(-1);
        return image === undefined ? undefined : put(stream, { ...image, ...randomValues(schema) });
      }
      case "record without key": {
        const values = { ...randomValues(schema), ...createKeyValues(random, stream) };
        return put(stream, { ...values, [schema.key[0] as string]: null });
      }
      case "unhide": {
        const hidden = system.rows(stream).filter((entry) => entry.hidden);
        if (hidden.length === 0) return undefined;
        const { id } = random.pick(hidden);
        system.unhide(stream, id);
        book(stream, id, { excused: true });
        return id;
      }
      case "record healed": {
        const bad = system.rows(stream).filter((entry) => entry.keyed && !isGood(stream, entry));
        if (bad.length === 0) return undefined;
        const { id } = random.pick(bad);
        heal(stream, id);
        return id;
      }
      default:
        return row === undefined ? undefined : performOn(kind, stream, row);
    }
  };
  const heal = (stream: string, key: RecordKey): void => {
    const fields = editableFields(system.schema(stream));
    const values = Object.fromEntries(
      fields.map((field) => [field.name, field.nullable ? null : "Active"]),
    );
    system.edit(stream, key, values);
    book(stream, key, { silent: false });
  };
  const performOn = (
    kind: Exclude<EditKind, "create" | "unhide">,
    stream: string,
    row: MemoryRow,
  ): RecordKey | undefined => {
    switch (kind) {
      case "update":
        update(stream, row);
        break;
      case "silent update": {
        const field = random.pick(editableFields(system.schema(stream)));
        system.edit(stream, row.id, { [field.name]: createValue(random, field) }, { silent: true });
        book(stream, row.id, { excused: true, silent: true });
        break;
      }
      case "delete":
        remove(stream, row);
        break;
      case "hide":
        system.hide(stream, row.id);
        book(stream, row.id);
        break;
      case "tie": {
        const rows = random.shuffle(shown(stream).filter((entry) => entry.keyed));
        for (const tied of rows.slice(0, random.int(2, 9))) {
          update(stream, tied);
          tell("update", stream, tied.id);
        }
        break;
      }
      case "record spoiled": {
        const field = random.pick(["Status", "Price", "Features", "Note"]);
        system.edit(stream, row.id, { [field]: 5 });
        book(stream, row.id, { silent: false });
        break;
      }
      case "absent field": {
        const { Note: _, ...values } = row.values;
        put(stream, values);
        break;
      }
      default:
        return undefined;
    }
    return row.id;
  };

  return {
    edits: () => edits,
    shown,
    isGood,
    history: (stream, key) => histories.get(stream)?.get(key),
    edit(stream) {
      const kind = random.weighted(EDITS);
      const key = perform(kind, stream);
      if (key !== undefined) tell(kind, stream, key);
    },
    create(stream) {
      tell("create", stream, create(stream));
    },
    removeMany(stream, count) {
      const rows = random.shuffle(shown(stream).filter((row) => row.keyed)).slice(0, count);
      for (const row of rows) remove(stream, row);
      tallies.count("mass deletion");
      trace.add(`  people: delete ${rows.length} of ${stream}`);
    },
    hideAll(stream) {
      for (const row of shown(stream)) {
        system.hide(stream, row.id);
        book(stream, row.id);
      }
      tallies.count("source empty");
      trace.add(`  people: hide all of ${stream}`);
    },
    unhideAll(stream) {
      for (const row of system.rows(stream)) {
        if (!row.hidden) continue;
        system.unhide(stream, row.id);
        book(stream, row.id, { excused: true });
      }
      trace.add(`  people: unhide all of ${stream}`);
    },
    addField(stream) {
      const { fields } = system.schema(stream);
      const field: Field = {
        name: `Extra${fields.length}`,
        type: { kind: "text" },
        nullable: true,
      };
      system.addField(stream, field);
      tallies.count("field added");
      trace.add(`  people: add field ${field.name} to ${stream}`);
    },
    healAll(stream) {
      for (const row of system.rows(stream)) {
        if (isGood(stream, row)) continue;
        if (row.keyed) heal(stream, row.id);
        else remove(stream, row);
      }
      trace.add(`  people: heal all of ${stream}`);
    },
  };
}
