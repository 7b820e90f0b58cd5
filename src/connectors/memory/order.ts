import { keyParts, type RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";

/** A whole second as a canonical timestamp. */
export function secondOf(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

/** Begins the name of a row whose key cannot be told; no real key begins so. */
const KEYLESS = "\u0000";

/** The name of the `count`-th row without a key. */
export function keylessId(count: number): RecordKey {
  return `${KEYLESS}${count}` as RecordKey;
}

/**
 * The system's own order of keys: integers by number, everything else by code unit, part by part.
 * Rows without a key come first.
 */
export function compareKeys(schema: StreamSchema, a: RecordKey, b: RecordKey): number {
  if (a === b) return 0;
  const aKeyless = a.startsWith(KEYLESS);
  const bKeyless = b.startsWith(KEYLESS);
  if (aKeyless || bKeyless) {
    return aKeyless && bKeyless ? compareParts(true, a.slice(1), b.slice(1)) : aKeyless ? -1 : 1;
  }
  const left = keyParts(schema, a);
  const right = keyParts(schema, b);
  for (const [index, name] of schema.key.entries()) {
    const field = schema.fields.find((candidate) => candidate.name === name);
    const order = compareParts(
      field?.type.kind === "integer",
      left[index] ?? "",
      right[index] ?? "",
    );
    if (order !== 0) return order;
  }
  return 0;
}

function compareParts(numeric: boolean, a: string, b: string): number {
  if (a === b) return 0;
  if (numeric && /^-?\d+$/.test(a) && /^-?\d+$/.test(b)) {
    const small = a.length < 16 && b.length < 16;
    return (small ? Number(a) < Number(b) : BigInt(a) < BigInt(b)) ? -1 : 1;
  }
  return a < b ? -1 : 1;
}
