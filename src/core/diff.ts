import type { FieldChange } from "../model/change.ts";
import type { Values } from "../model/record.ts";
import type { StreamSchema } from "../model/schema.ts";
import { type Value, valuesEqual } from "../model/value.ts";

/** The fields of `after` that differ from `before`. A field absent from `after` is unknown, not changed. */
export function diffValues(
  schema: StreamSchema,
  before: readonly Value[],
  after: Values,
): readonly FieldChange[] {
  const changes: FieldChange[] = [];
  for (let index = 0; index < schema.fields.length; index += 1) {
    const field = schema.fields[index];
    const next = after[index];
    if (field === undefined || next === undefined) continue;
    const previous = before[index] ?? null;
    if (!valuesEqual(previous, next)) {
      changes.push({ field: field.name, before: previous, after: next });
    }
  }
  return changes;
}

/** `values` with what is absent taken from `before`, or null where there is no row yet. */
export function completeValues(values: Values, before?: readonly Value[]): readonly Value[] {
  return values.map((value, index) => (value === undefined ? (before?.[index] ?? null) : value));
}

/** True when no field is absent. */
export function isComplete(values: Values, length: number): values is readonly Value[] {
  return values.length === length && !values.includes(undefined);
}
