import type { Parameter } from "../sql/pages.ts";
import type { Keeping } from "../sql/position.ts";
import type { Stored } from "../sql/table.ts";

/** A stored value as JSON: text as it is, anything else under the name of its kind. */
type Kept = string | { readonly i: string } | { readonly r: number } | { readonly b: string };

/** How stored values stand in cursors, and in what triggers note. */
export const KEPT: Keeping<Stored> = {
  keep(stored): Kept {
    if (typeof stored === "string") return stored;
    if (typeof stored === "bigint") return { i: String(stored) };
    return typeof stored === "number" ? { r: stored } : { b: Buffer.from(stored).toString("hex") };
  },
  give(kept) {
    if (typeof kept === "string") return kept;
    if (typeof kept !== "object" || kept === null) return undefined;
    if ("i" in kept) return /^-?\d+$/.test(String(kept.i)) ? BigInt(String(kept.i)) : undefined;
    if ("r" in kept) return Number(kept.r);
    return "b" in kept ? Buffer.from(String(kept.b), "hex") : undefined;
  },
};

/** The SQL and the parameter of a stored value. */
export function bound(stored: Stored): readonly [sql: string, parameter: Parameter] {
  if (stored instanceof Uint8Array) return ["unhex(?)", Buffer.from(stored).toString("hex")];
  return ["?", stored];
}
