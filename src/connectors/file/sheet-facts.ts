/** What a sheet's XML says of its cells beyond their values; the first row and column are 1. */
export interface SheetFacts {
  /**
   * The cell has a value that nobody can tell now: an error (`#N/A`), a formula that no program has
   * computed yet, or what merged cells hide.
   */
  isUnknown(row: number, column: number): boolean;
  /** Of these it is an error, or a formula without a result. */
  isUncomputed(row: number, column: number): boolean;
  /** The number that a date is kept as. */
  serialAt(row: number, column: number): number | undefined;
  /** The last row that has an error or a formula without a result. */
  readonly lastUnknown: number;
}

interface Facts {
  readonly uncomputed: Set<string>;
  readonly serials: Map<string, number>;
  lastUnknown: number;
}

const CELL = /<(?:\w+:)?c\s([^>]*?)(?:\/>|>([\s\S]*?)<\/(?:\w+:)?c>)/g;
const FORMULA = /<(?:\w+:)?f[\s>/]/;
const RESULT = /<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)</;
const MERGED = /<(?:\w+:)?mergeCell\s[^>]*?\bref="([A-Z]+)(\d+):([A-Z]+)(\d+)"/g;

/** `height` and `width` are those of the part of the sheet that is read. */
export function sheetFacts(xml: string, height: number, width: number): SheetFacts {
  const facts: Facts = { uncomputed: new Set(), serials: new Map(), lastUnknown: 0 };
  const hidden = new Set<string>();
  for (const [, attributes = "", inner = ""] of xml.matchAll(CELL))
    noteCell(facts, attributes, inner);
  for (const [, left = "", top = "", right = "", bottom = ""] of xml.matchAll(MERGED)) {
    const columns = [columnNumber(left), Math.min(columnNumber(right), width)] as const;
    const rows = [Number(top), Math.min(Number(bottom), height)] as const;
    for (let row = rows[0]; row <= rows[1]; row += 1) {
      for (let column = columns[0]; column <= columns[1]; column += 1) {
        if (row !== rows[0] || column !== columns[0]) hidden.add(placeOf(row, column));
      }
    }
  }
  return {
    isUnknown: (row, column) => {
      const place = placeOf(row, column);
      return facts.uncomputed.has(place) || hidden.has(place);
    },
    isUncomputed: (row, column) => facts.uncomputed.has(placeOf(row, column)),
    serialAt: (row, column) => facts.serials.get(placeOf(row, column)),
    lastUnknown: facts.lastUnknown,
  };
}

function noteCell(facts: Facts, attributes: string, inner: string): void {
  const [, letters, digits] = /(?:^|\s)r="([A-Z]+)(\d+)"/.exec(attributes) ?? [];
  if (letters === undefined || digits === undefined) return;
  const place = placeOf(Number(digits), columnNumber(letters));
  const type = /(?:^|\s)t="([^"]*)"/.exec(attributes)?.[1] ?? "n";
  const result = RESULT.exec(inner)?.[1];
  // A formula may well come to the empty text, which is then said to be a text.
  const isComputed = type === "str" ? result !== undefined : (result ?? "") !== "";
  if (type === "e" || (!isComputed && FORMULA.test(inner))) {
    facts.uncomputed.add(place);
    facts.lastUnknown = Math.max(facts.lastUnknown, Number(digits));
  } else if (type === "n" && result?.includes(".") === true) {
    facts.serials.set(place, Number(result));
  }
}

const placeOf = (row: number, column: number): string => `${column}:${row}`;

export function columnNumber(letters: string): number {
  let column = 0;
  for (const letter of letters.toUpperCase()) column = column * 26 + letter.charCodeAt(0) - 64;
  return column;
}
