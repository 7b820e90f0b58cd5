import { columnNumber } from "./sheet-facts.ts";

/** A row of a sheet's XML; `cells` by column, the first being 1. */
export interface SheetRow {
  readonly number: number;
  attributes: string;
  readonly cells: Map<number, SheetCell>;
}

/** A cell's XML. */
export interface SheetCell {
  /** The style's number, where it has one. */
  readonly style?: string | undefined;
  /** `n` for numbers, and whatever else SpreadsheetML has. */
  readonly type: string;
  /** What stands inside; empty for an empty cell. */
  readonly inner: string;
  /** The whole of a cell that nobody edits, with what else it says of itself. */
  readonly whole?: string | undefined;
}

export interface SheetXml {
  readonly head: string;
  /** By number, in order. */
  readonly rows: Map<number, SheetRow>;
  readonly tail: string;
}

const ROW = /<row\b([^>]*?)(?:\/>|>([\s\S]*?)<\/row>)/g;
const CELL = /<c\b([^>]*?)(?:\/>|>([\s\S]*?)<\/c>)/g;

/** Takes a sheet apart, or gives nothing where it is written in a way that is not known here. */
export function parseSheetXml(xml: string): SheetXml | undefined {
  const empty = /<sheetData\s*\/>/.exec(xml);
  const [open, close] = [xml.indexOf("<sheetData>"), xml.indexOf("</sheetData>")];
  if (empty !== null) {
    const head = `${xml.slice(0, empty.index)}<sheetData>`;
    const tail = `</sheetData>${xml.slice(empty.index + empty[0].length)}`;
    return { head, rows: new Map(), tail };
  }
  if (open < 0 || close < open) return undefined;
  const data = xml.slice(open + "<sheetData>".length, close);
  // Comments, CDATA, and anything between rows or cells.
  if (data.includes("<!") || data.replace(ROW, "").trim() !== "") return undefined;
  const rows = new Map<number, SheetRow>();
  let last = 0;
  for (const [, attributes = "", inner = ""] of data.matchAll(ROW)) {
    const number = Number(attribute(attributes, "r") ?? last + 1);
    const cells = cellsOf(inner);
    if (cells === undefined || number <= last) return undefined;
    rows.set(number, { number, attributes: withoutSpans(attributes), cells });
    last = number;
  }
  return { head: xml.slice(0, open + "<sheetData>".length), rows, tail: xml.slice(close) };
}

function cellsOf(inner: string): Map<number, SheetCell> | undefined {
  if (inner.replace(CELL, "").trim() !== "") return undefined;
  const cells = new Map<number, SheetCell>();
  let last = 0;
  for (const [text, attributes = "", content = ""] of inner.matchAll(CELL)) {
    const place = attribute(attributes, "r");
    const column = place === undefined ? last + 1 : columnOf(place);
    if (column <= last) return undefined;
    const [style, type = "n"] = [attribute(attributes, "s"), attribute(attributes, "t")];
    const whole = place === undefined ? undefined : text;
    cells.set(column, { style, type, inner: content, whole });
    last = column;
  }
  return cells;
}

function attribute(attributes: string, name: string): string | undefined {
  return new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1];
}

/** The columns that a row fills are a hint for readers, which an edit would make wrong. */
const withoutSpans = (attributes: string): string => attributes.replace(/\s+spans="[^"]*"/, "");

export function printSheetXml({ head, rows, tail }: SheetXml): string {
  const inOrder = [...rows.values()].sort((a, b) => a.number - b.number);
  return head + inOrder.map(printRow).join("") + tail;
}

function printRow({ number, attributes, cells }: SheetRow): string {
  const own = attribute(attributes, "r") === undefined ? ` r="${number}"${attributes}` : attributes;
  const inOrder = [...cells].sort(([a], [b]) => a - b);
  return `<row${own}>${inOrder.map(([column, cell]) => printCell(number, column, cell)).join("")}</row>`;
}

function printCell(row: number, column: number, cell: SheetCell): string {
  const { style, type, inner, whole } = cell;
  if (whole !== undefined) return whole;
  const styled = style === undefined ? "" : ` s="${style}"`;
  const start = `<c r="${columnName(column)}${row}"${styled}`;
  if (inner === "") return `${start}/>`;
  return `${start}${type === "n" ? "" : ` t="${type}"`}>${inner}</c>`;
}

function columnOf(place: string): number {
  return columnNumber(/^\$?([A-Za-z]+)/.exec(place)?.[1] ?? "");
}

function columnName(column: number): string {
  let name = "";
  for (let rest = column; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    name = String.fromCharCode(65 + ((rest - 1) % 26)) + name;
  }
  return name;
}

/** A text as the content of a cell of the type `inlineStr`: never a formula, every space kept. */
export function inlineText(text: string): string {
  const plain = text
    .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, "_x005F_")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML cannot hold these.
    .replace(/[\x00-\x08\x0b-\x1f\ufffe\uffff]/g, (character) => {
      const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
      return `_x${code}_`;
    })
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
  return `<is><t xml:space="preserve">${plain}</t></is>`;
}
