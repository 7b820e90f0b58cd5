import { strFromU8, strToU8, zipSync } from "fflate";
import type { Value, ValueType } from "../../model/value.ts";
import type { Cell, Cells, FileEditor, FileEdits } from "./file-editor.ts";
import { unreadableFile } from "./file-errors.ts";
import type { ParsedFile, ParsedRow } from "./parsed-file.ts";
import { columnNumber } from "./sheet-facts.ts";
import {
  inlineText,
  parseSheetXml,
  printSheetXml,
  type SheetCell,
  type SheetRow,
  type SheetXml,
} from "./sheet-xml.ts";
import { cellText } from "./value-text.ts";
import { isDates1904, type Parts, sheetPlace, unzipped } from "./workbook.ts";

/** Excel's own limit. */
const TEXT_MAX = 32_767;

/**
 * Edits one sheet of a workbook, and leaves its other sheets, styles, widths and formulas alone.
 * Removed rows are left empty, since formulas may point to those below them. Throws
 * SYSTEM_UNREADABLE.
 */
export function xlsxEditor(
  path: string,
  bytes: Uint8Array,
  file: ParsedFile,
  name: string | undefined,
): FileEditor {
  const parts = unzipped(path, bytes);
  const place = sheetPlace(parts, name);
  const xml = place === undefined ? undefined : parts[place];
  const parse = (): SheetXml | undefined =>
    xml === undefined ? undefined : parseSheetXml(strFromU8(xml));
  const sheet = parse();
  if (place === undefined || sheet === undefined) {
    throw unreadableFile(path, "its sheet is written in a way that only a reader can take");
  }
  const shared = sharedFormulas(sheet);
  const isComputed = (line: number, column: number): boolean =>
    isFormula(sheet.rows.get(line)?.cells.get(column)) || isWithin(shared, line, column);
  return {
    file,
    encode: encodeCell,
    keeps: (row, field) => {
      if (field !== undefined) {
        const column = file.names.indexOf(field) + 1;
        return isComputed(row.line, column) ? "is computed by a formula of the sheet" : undefined;
      }
      const cells = [...(sheet.rows.get(row.line)?.cells ?? [])];
      return cells.some(
        ([column, { inner }]) => OTHERS_FORMULA.test(inner) || isWithin(shared, row.line, column),
      )
        ? "The row has a formula that other cells share."
        : undefined;
    },
    edit: (edits) => {
      // Edited anew from what was read, so that an editor can be asked twice.
      const edited = parse() ?? sheet;
      editSheet(edited, file, edits, isDates1904(parts));
      const whole = { ...parts, [place]: strToU8(printSheetXml(edited)) };
      return zipSync(recalculated(whole), { level: 6 });
    },
  };
}

const isFormula = (cell: SheetCell | undefined): boolean => /<f\b/.test(cell?.inner ?? "");
/** One that other cells of a range are computed by. */
const OTHERS_FORMULA = /<f\b[^>]*\bref=/;

interface Range {
  readonly rows: readonly [number, number];
  readonly columns: readonly [number, number];
}

/** What one formula fills: its other cells hold values, and nothing in them tells. */
function sharedFormulas({ rows }: SheetXml): readonly Range[] {
  const ranges: Range[] = [];
  for (const { cells } of rows.values()) {
    for (const { inner } of cells.values()) {
      const [formula = ""] = /<f\b[^>]*\bt="(?:array|dataTable)"[^>]*>/.exec(inner) ?? [];
      const range = /\bref="([A-Z]+)(\d+):([A-Z]+)(\d+)"/.exec(formula);
      if (range === null) continue;
      const [, left = "", top, right = "", bottom] = range;
      ranges.push({
        rows: [Number(top), Number(bottom)],
        columns: [columnNumber(left), columnNumber(right)],
      });
    }
  }
  return ranges;
}

const isWithin = (ranges: readonly Range[], line: number, column: number): boolean =>
  ranges.some(
    ({ rows, columns }) =>
      line >= rows[0] && line <= rows[1] && column >= columns[0] && column <= columns[1],
  );

/**
 * What was computed before may be wrong now: Excel computes it again when it opens the workbook, and
 * makes its list of formulas anew.
 */
function recalculated(parts: Parts): Parts {
  const chain = "xl/calcChain.xml";
  const edited = { ...parts };
  const hasFormulas = Object.entries(parts).some(
    ([path, part]) => path.startsWith("xl/worksheets/") && /<f[\s>]/.test(strFromU8(part)),
  );
  if (!hasFormulas) return edited;
  const replace = (path: string, pattern: RegExp, by: string): void => {
    const part = edited[path];
    if (part !== undefined) edited[path] = strToU8(strFromU8(part).replace(pattern, by));
  };
  if (edited[chain] !== undefined) {
    delete edited[chain];
    replace("[Content_Types].xml", /<Override\b[^>]*calcChain\.xml"[^>]*\/>/, "");
    replace("xl/_rels/workbook.xml.rels", /<Relationship\b[^>]*calcChain\.xml"[^>]*\/>/, "");
  }
  replace("xl/workbook.xml", /<calcPr\b(?![^>]*fullCalcOnLoad)/, '<calcPr fullCalcOnLoad="1"');
  return edited;
}

function encodeCell(value: Value, type: ValueType): Cell | string {
  const text = cellText(value, type, "exact");
  if (text === null) return { found: null, text };
  if (type.kind === "boolean") return { found: value, text };
  if (type.kind === "integer" || type.kind === "decimal" || type.kind === "double") {
    return { found: Number(value), text };
  }
  if (text === "") return "is an empty text, which an Excel file does not tell from an empty cell";
  if (text.length > TEXT_MAX) return `has ${text.length} characters; a cell takes ${TEXT_MAX}`;
  if (!text.isWellFormed() || text.includes("\u0000")) return "has a character that XML has not";
  return { found: text, text };
}

function editSheet(
  { rows }: SheetXml,
  file: ParsedFile,
  { updated, removed, created }: FileEdits,
  is1904: boolean,
): void {
  const like = likenesses(rows, file.rows.at(-1), file);
  for (const [row, cells] of updated) {
    const own = likenesses(rows, row, file);
    const styles = own.map((each, at) => {
      const { isDate = false, style } = like[at] ?? {};
      if (!each.isThere) return like[at] ?? each;
      // An empty cell that looks like the column's dates takes one.
      return row.cells[at] === null && style === each.style ? { ...each, isDate } : each;
    });
    setCells(rows, row.line, cells, { file, like: styles, is1904 });
  }
  for (const { line } of removed) {
    const cells = rows.get(line)?.cells;
    for (const [column, { style }] of cells ?? [])
      cells?.set(column, { style, type: "n", inner: "" });
  }
  let last = 1;
  for (const { number, cells } of rows.values()) {
    if ([...cells.values()].some(({ inner }) => inner !== "")) last = Math.max(last, number);
  }
  for (const cells of created) {
    last += 1;
    setCells(rows, last, cells, { file, like, is1904 });
  }
}

/** What a cell looks like: its style, whether that shows a number as a date, or it has a number. */
interface Likeness {
  readonly isThere: boolean;
  readonly style?: string | undefined;
  readonly isDate: boolean;
  readonly isNumber: boolean;
}

function likenesses(
  rows: SheetXml["rows"],
  row: ParsedRow | undefined,
  { names }: ParsedFile,
): readonly Likeness[] {
  return names.map((_name, at) => {
    const cell = row === undefined ? undefined : rows.get(row.line)?.cells.get(at + 1);
    const isDate = isDateCell(cell, row?.cells[at]);
    const isNumber = typeof row?.cells[at] === "number";
    return { isThere: cell !== undefined, style: cell?.style, isDate, isNumber };
  });
}

/** Excel keeps a date as a number that its style shows as one. */
const isDateCell = (cell: SheetCell | undefined, found: unknown): boolean =>
  cell?.type === "n" && cell.style !== undefined && typeof found === "string";

interface SettingParts {
  readonly file: ParsedFile;
  readonly like: readonly Likeness[];
  readonly is1904: boolean;
}

function setCells(
  rows: SheetXml["rows"],
  line: number,
  cells: Cells,
  { file, like, is1904 }: SettingParts,
): void {
  let row: SheetRow | undefined = rows.get(line);
  if (row === undefined) {
    row = { number: line, attributes: ` r="${line}"`, cells: new Map() };
    rows.set(line, row);
  }
  for (const [at, name] of file.names.entries()) {
    const cell = cells.get(name);
    if (cell === undefined) continue;
    const { style, isDate = false, isNumber = false } = like[at] ?? {};
    const serial = isDate && !is1904 ? serialOf(cell) : isNumber ? numberOf(cell) : undefined;
    // A number in the style of dates would be read as a date.
    const isMisread = isDate && typeof cell.found === "number";
    row.cells.set(at + 1, {
      ...(serial ?? plainCell(cell)),
      style: isMisread ? undefined : style,
    });
  }
}

const DAY_MS = 86_400_000;
/** Excel's day 0; its calendar is wrong before March 1900. */
const DAY_ZERO = Date.UTC(1899, 11, 30);

function serialOf({ found }: Cell): SheetCell | undefined {
  if (typeof found !== "string" || !/^\d{4}-\d\d-\d\d$/.test(found)) return undefined;
  const time = Date.parse(found);
  if (Number.isNaN(time) || found < "1900-03-01") return undefined;
  return { type: "n", inner: `<v>${(time - DAY_ZERO) / DAY_MS}</v>` };
}

/** Digits of a text, such as an item number, stay the number that they are in this column. */
function numberOf({ found }: Cell): SheetCell | undefined {
  if (typeof found !== "string" || !/^-?\d+(?:\.\d+)?$/.test(found)) return undefined;
  return String(Number(found)) === found ? { type: "n", inner: `<v>${found}</v>` } : undefined;
}

function plainCell({ found }: Cell): SheetCell {
  switch (typeof found) {
    case "number":
      return { type: "n", inner: `<v>${found}</v>` };
    case "boolean":
      return { type: "b", inner: `<v>${found ? 1 : 0}</v>` };
    case "string":
      return { type: "inlineStr", inner: inlineText(found) };
    default:
      return { type: "n", inner: "" };
  }
}
