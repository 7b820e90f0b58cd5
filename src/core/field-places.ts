import type { SharedField } from "../model/reconcile.ts";

/**
 * Which shared field stands where in the values that a home keeps; `null` where one stood that is
 * shared no more.
 */
export type FieldPlaces = readonly (string | null)[];

/**
 * A field stays where it is, in whatever order fields are declared or found now, and a new one comes
 * last. A place that was left is given to nobody again, not even to the same field: what was agreed
 * of it is of a time before, and an empty column that comes back must not look like one that
 * somebody emptied.
 */
export function nextPlaces(kept: FieldPlaces, names: readonly string[]): FieldPlaces {
  const left = kept.map((name) => (name !== null && names.includes(name) ? name : null));
  return [...left, ...names.filter((name) => !kept.includes(name))];
}

/** No side has it, so that it has no part in anything. */
const LEFT: SharedField = { name: "", type: { kind: "text" }, compare: {}, isLeft: true };

export function inPlaces(
  places: FieldPlaces,
  fields: readonly SharedField[],
): readonly SharedField[] {
  return places.map((place) => fields.find(({ name }) => name === place) ?? LEFT);
}

export function placesOf(fields: readonly SharedField[]): FieldPlaces {
  return fields.map(({ name, isLeft }) => (isLeft === true ? null : name));
}
