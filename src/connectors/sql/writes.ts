import { type Problem, type RecordKey, recordKey, type StreamRecord } from "../../model/record.ts";
import type { StreamSchema, WriteTraits } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import { compareTimestamps } from "../../model/timestamp.ts";
import { type Value, valuesEqual } from "../../model/value.ts";
import type { Expectation, WriteOperation } from "../../ports/connector.ts";
import { partsOf, type SqlColumn, type SqlView } from "./table.ts";

export type Operation<K extends WriteOperation["kind"]> = Extract<
  WriteOperation,
  { readonly kind: K }
>;

/** How the table takes writes; throws CONNECTOR_UNSUPPORTED where it takes none, or not so many. */
export function writeTraits(
  { name, traits: { write } }: StreamSchema,
  count: number,
  whyNone: string,
): WriteTraits {
  const context = { stream: name };
  if (write === undefined) {
    const message = `"${name}" takes no writes: ${whyNone}.`;
    throw new SyncError("CONNECTOR_UNSUPPORTED", message, { context });
  }
  if (count <= write.batch) return write;
  const message = `Table "${name}" takes at most ${write.batch} operations in one write, not ${count}.`;
  throw new SyncError("CONNECTOR_UNSUPPORTED", message, { context });
}

/** Whether the record, as it stands, is as expected. */
export function holds(
  { schema }: SqlView,
  { values, version }: Expectation,
  current: StreamRecord,
): boolean {
  if (version !== undefined && version !== current.version) return false;
  return schema.fields.every(({ type }, index) => {
    const expected = values[index];
    const found = current.values[index];
    if (expected === undefined) return true;
    if (type.kind !== "timestamp" || typeof found !== "string" || expected === null) {
      return valuesEqual(found, expected);
    }
    return compareTimestamps(found, String(expected)) === 0;
  });
}

/** The key that a create's values spell, where they are all there. */
export function keyAmong(
  view: SqlView,
  values: readonly (Value | undefined)[],
): RecordKey | undefined {
  const parts = keyValues(view, values).map((value) => value ?? null);
  return parts.includes(null) ? undefined : recordKey(parts);
}

/** The key that an update leaves the record with. */
export function movedKey(view: SqlView, { key, values }: Operation<"update">): RecordKey {
  const parts = partsOf(view.table.schema, key);
  return recordKey(keyValues(view, values).map((value, at) => value ?? parts[at] ?? null));
}

const keyValues = (
  { table, schema }: SqlView,
  values: readonly (Value | undefined)[],
): readonly (Value | undefined)[] =>
  table.key.map(({ field }) => values[schema.fields.findIndex(({ name }) => name === field.name)]);

/** True when the key has that value already: an update then leaves the column alone. */
export function isPartOf<C extends SqlColumn>(
  { table }: SqlView<C>,
  key: RecordKey,
  column: C,
  value: Value,
): boolean {
  return partsOf(table.schema, key)[table.key.indexOf(column)] === String(value);
}

/** Why a record is not written: the message says `why` behind the field's name. */
export function refused({ schema }: SqlView, { field }: SqlColumn, why: string): Problem {
  const message = `Field "${field.name}" of table "${schema.name}" ${why}.`;
  return { code: "RECORD_REFUSED", message, field: field.name };
}

/** Deletes first and creates last, so that what one gives up another may take. */
export const WRITE_ORDER: readonly WriteOperation["kind"][] = ["delete", "update", "create"];

export function lost(): never {
  throw new SyncError("INTERNAL", "An operation of a write was given no outcome.");
}
