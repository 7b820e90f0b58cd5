import type { Naming } from "./replicate.ts";

/**
 * `ListPrice` → `list_price`, `MLSStatus` → `mls_status`, `WFR_Lot Size` → `wfr_lot_size`. Letters
 * and digits of every alphabet stay; runs of anything else become one `_`.
 */
export function snakeCase(name: string): string {
  const snake = name
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1_$2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1_$2")
    .replace(/[^\p{L}\p{N}]+/gu, "_")
    .toLowerCase();
  return snake === "" ? "_" : snake;
}

/** The name a table or column has under `naming`; characters no database takes become `_`. */
export function destinationName(name: string, naming: Naming): string {
  if (naming === "snake_case") return snakeCase(name);
  const clean = Array.from(name, (letter) => (isPrintable(letter) ? letter : "_")).join("");
  return clean === "" ? "_" : clean;
}

/**
 * A name that none in `taken` equals when case is ignored, and adds it there: `name`, else
 * `name_2`, `name_3` and so on. `taken` holds lower-case names.
 */
export function claimName(name: string, taken: Set<string>): string {
  let claimed = name;
  for (let count = 2; taken.has(claimed.toLowerCase()); count += 1) claimed = `${name}_${count}`;
  taken.add(claimed.toLowerCase());
  return claimed;
}

function isPrintable(letter: string): boolean {
  const point = letter.codePointAt(0) ?? 0;
  return point >= 0x20 && point !== 0x7f && letter.isWellFormed();
}
