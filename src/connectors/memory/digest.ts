import { hash } from "node:crypto";
import { DIGEST_BITS } from "../../model/digest.ts";
import type { StreamQuery } from "../../ports/connector.ts";
import type { MemoryRow } from "./system.ts";

/** The digest of a row as a query sees it, for a query that asks for one. */
export function digestOf(
  { schema, digestSeed }: StreamQuery,
  { id, values }: MemoryRow,
): { readonly digest?: number } {
  if (digestSeed === undefined) return {};
  // JSON writes an absent value as none and null as null.
  const fields = schema.fields.map(({ name }) =>
    [name, values[name]].filter((part) => part !== undefined),
  );
  const text = hash("sha1", JSON.stringify([digestSeed, id, fields]));
  return { digest: Number.parseInt(text.slice(0, DIGEST_BITS / 4), 16) };
}
