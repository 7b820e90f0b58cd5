import type { Field } from "./schema.ts";

/** Names of columns that keep a record's time of last change, without case and underscores. */
const NAMES = [
  "updatedat",
  "modifiedat",
  "lastmodifiedat",
  "lastupdatedat",
  "changedat",
  "lastmodified",
  "lastupdated",
  "lastchanged",
  "updatedon",
  "modifiedon",
  "updatetime",
  "modifiedtime",
  "modificationtimestamp",
  "updatedtimestamp",
  "updated",
  "modified",
];

/**
 * The timestamp field that by its name keeps the record's time of last change, or none: the first
 * of the list above that a field is called.
 */
export function findModifiedField(fields: readonly Field[]): string | undefined {
  const byName = new Map<string, string>();
  for (const { name, type } of fields) {
    if (type.kind === "timestamp") byName.set(name.replaceAll("_", "").toLowerCase(), name);
  }
  for (const name of NAMES) {
    const found = byName.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
