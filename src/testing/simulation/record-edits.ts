import type { MemoryRow, MemorySystem, NamedValues } from "../../connectors/memory/system.ts";
import { type RecordKey, recordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { createKeyValues, createValue, editableFields } from "./shapes.ts";
import type { Happening } from "./tallies.ts";
import type { TruthBook } from "./truth.ts";

/** The kinds of edits of one record, by how often they are made. */
export const EDITS = {
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

export type EditKind = keyof typeof EDITS;

/** The time that an edit gives its record; `late` when no overlap reaches back to it. */
interface When {
  readonly edit: { readonly at?: number };
  readonly late: boolean;
}

const ON_TIME: When = { edit: {}, late: false };

/** Edits of single records, each booked as it is made. */
export interface RecordEdits {
  /** Gives the key edited, or undefined where nothing fits the kind. */
  perform(kind: EditKind, stream: string): RecordKey | undefined;
  remove(stream: string, row: MemoryRow): void;
  /** Gives every field a value that its schema and every rule allow. */
  heal(stream: string, key: RecordKey): void;
}

export interface RecordEditsOptions {
  readonly system: MemorySystem;
  readonly truth: TruthBook;
  readonly random: SeededRandom;
  readonly now: () => number;
  readonly tell: (kind: Happening, stream: string, key: RecordKey) => void;
}

export function createRecordEdits(options: RecordEditsOptions): RecordEdits {
  const { system, truth, random } = options;
  const removed = new Map<string, RecordKey[]>();

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
    // A second edit within one second: the same time, and so the same to a sweep.
    const silent = system.row(stream, key)?.time === before;
    truth.book(stream, key, { excused: late, silent });
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
    const rows = truth.shown(stream).filter((row) => row.keyed);
    return rows.length === 0 ? undefined : random.pick(rows);
  };
  const remove = (stream: string, row: MemoryRow): void => {
    system.remove(stream, row.id);
    truth.book(stream, row.id, { silent: false });
    removed.set(stream, [...(removed.get(stream) ?? []), row.id]);
  };
  const create = (stream: string, when: When = ON_TIME): RecordKey => {
    const schema = system.schema(stream);
    return put(stream, { ...randomValues(schema), ...createKeyValues(random, stream) }, when);
  };
  const lately = (stream: string, beyond: boolean): When => {
    const { overlapMs } = truth.specOf(stream);
    const behindMs = beyond
      ? overlapMs + random.int(5_000, 3_000_000)
      : random.int(0, overlapMs - 1_000);
    return { edit: { at: options.now() - behindMs }, late: beyond };
  };

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
        const image = key === undefined ? undefined : truth.history(stream, key)?.versions.at(-1);
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
        truth.book(stream, id, { excused: true });
        return id;
      }
      case "record healed": {
        const bad = system
          .rows(stream)
          .filter((entry) => entry.keyed && !truth.isGood(stream, entry));
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
    truth.book(stream, key, { silent: false });
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
        truth.book(stream, row.id, { excused: true, silent: true });
        break;
      }
      case "delete":
        remove(stream, row);
        break;
      case "hide":
        system.hide(stream, row.id);
        truth.book(stream, row.id);
        break;
      case "tie": {
        const rows = random.shuffle(truth.shown(stream).filter((entry) => entry.keyed));
        for (const tied of rows.slice(0, random.int(2, 9))) {
          update(stream, tied);
          options.tell("update", stream, tied.id);
        }
        break;
      }
      case "record spoiled": {
        const field = random.pick(["Status", "Price", "Features", "Note"]);
        system.edit(stream, row.id, { [field]: 5 });
        truth.book(stream, row.id, { silent: false });
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

  return { perform, remove, heal };
}
