import { strFromU8 } from "fflate";
import { unreadableFile } from "./file-errors.ts";
import { checkNames } from "./parse-csv.ts";
import type { ParsedFile, ParsedRow } from "./parsed-file.ts";
import { type SheetFacts, sheetFacts } from "./sheet-facts.ts";
import type { FileSourceSettings } from "./source-settings.ts";
import { sheetPlace, unzipped } from "./workbook.ts";

type XlsxSettings = Pick<FileSourceSettings, "path" | "sheet" | "key">;

/**
 * Reads a sheet of a workbook, the first unless named, whose first row is the header; empty rows
 * are passed over. Excel keeps numbers as doubles and times without a zone: a time of midnight is
 * read as a date, any other as `2024-05-01T08:30:00.000`. A cell whose value nobody can tell is
 * absent, not empty. Throws SYSTEM_UNREADABLE.
 */
export async function parseXlsx(
  { path, sheet, key }: XlsxSettings,
  bytes: Buffer,
): Promise<ParsedFile> {
  const { readSheet } = await import("read-excel-file/node");
  let data: readonly (readonly unknown[])[];
  try {
    data = await readSheet(bytes, sheet ?? 1, { trim: false });
  } catch (error) {
    const which = sheet === undefined ? "" : ` that has a sheet "${sheet}"`;
    throw unreadableFile(path, `it is no Excel workbook${which}`, error);
  }
  const [header] = data;
  if (header === undefined) {
    throw unreadableFile(path, "it does not begin with a row of column names");
  }
  const width = header.reduce((last: number, cell, at) => (cell === null ? last : at + 1), 0);
  const names = checkNames(path, header.slice(0, width));
  const parts = unzipped(path, bytes);
  const place = sheetPlace(parts, sheet);
  const xml = place === undefined ? undefined : parts[place];
  const facts = sheetFacts(xml === undefined ? "" : strFromU8(xml), data.length, width);
  const keys = key.map((name) => names.indexOf(name));
  const rows: ParsedRow[] = [];
  for (let line = 2; line <= Math.max(data.length, facts.lastUnknown); line += 1) {
    const found = data[line - 1] ?? [];
    const cells = names.map((_name, at) => cellAt(facts, line, at + 1, found[at]));
    const isEmpty = found.every((cell) => cell === null);
    // A row whose cells are only merged has nothing; one whose key is not computed yet is a record.
    if (!isEmpty || keys.some((at) => facts.isUncomputed(line, at + 1))) rows.push({ line, cells });
  }
  return { names, rows, bad: [], isText: false, isFlat: true };
}

function cellAt(facts: SheetFacts, row: number, column: number, cell: unknown): unknown {
  if (facts.isUnknown(row, column)) return undefined;
  if (!(cell instanceof Date)) return cell ?? null;
  const text = toMillisecond(cell, facts.serialAt(row, column)).toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : text.slice(0, -1);
}

const DAY_MS = 86_400_000;
/** 1970-01-01, of dates counted from 1900; from 1904 it is some whole days less. */
const DAY_1970 = 25_569;

/** 08:30 is kept as a fraction of a day that may be a little less, and the reader cuts it off. */
function toMillisecond(date: Date, serial: number | undefined): Date {
  if (serial === undefined) return date;
  const ms = (serial - DAY_1970) * DAY_MS;
  return new Date(date.getTime() + Math.round(ms) - Math.floor(ms));
}
