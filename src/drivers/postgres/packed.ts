import type { SqlParameter } from "./database.ts";

/** Pairs of a separator and a word for null, tried in turn; no sane text holds the first. */
const MARKS: readonly (readonly [separator: string, nothing: string])[] = [
  ["\x1e", "\x1d"],
  ["\x1f", "\x1c"],
  ["\x02", "\x03"],
];

/** Columns of texts as parameters: the separator, the word for null, then one text a column. */
export interface PackedColumns {
  readonly parameters: readonly SqlParameter[];
  /** Characters of all columns together. */
  readonly size: number;
}

/**
 * Packs columns so that `unpack` gives them back: the cheapest way known for PostgreSQL to take
 * many values, as nothing is escaped on one side and read letter by letter on the other. A single
 * row gets a second one of nulls, because PostgreSQL reads an empty text as no element at all;
 * whoever unpacks leaves out rows whose key is null.
 */
export function packColumns(columns: readonly (readonly (string | null)[])[]): PackedColumns {
  const rows = columns[0]?.length ?? 0;
  for (let attempt = 0; ; attempt += 1) {
    const [separator, nothing] = marksOf(attempt);
    const packed = columns.map((column) => packColumn(column, separator, nothing));
    if (packed.every((text) => text !== undefined)) {
      const padded = rows === 1 ? packed.map((text) => text + separator + nothing) : packed;
      let size = 0;
      for (const text of padded) size += text.length;
      return { parameters: [separator, nothing, ...padded], size };
    }
  }
}

/** SQL for the array of the column at `index`; `first` is the number of the first parameter. */
export function unpack(index: number, type: string, first = 1): string {
  const marks = `$${first}, $${first + 1}`;
  const array = `string_to_array($${first + 2 + index}, ${marks})`;
  return type === "text" ? array : `${array}::${type}[]`;
}

/** Longer and longer words: some pair is in none of finitely many texts. */
function marksOf(attempt: number): readonly [string, string] {
  const known = MARKS[attempt];
  if (known !== undefined) return known;
  const word = "\x1e".repeat(2 + attempt);
  return [`${word}\x1f`, `${word}\x1d`];
}

/** Undefined where a value holds the separator or is the word for null. */
function packColumn(
  column: readonly (string | null)[],
  separator: string,
  nothing: string,
): string | undefined {
  let packed = "";
  for (let row = 0; row < column.length; row += 1) {
    const value = column[row] ?? null;
    if (value === nothing) return undefined;
    packed += row === 0 ? (value ?? nothing) : separator + (value ?? nothing);
  }
  return count(packed, separator) === column.length - 1 || column.length === 0 ? packed : undefined;
}

function count(text: string, part: string): number {
  let found = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) found += 1;
  return found;
}
