import { unreadableFile } from "./file-errors.ts";
import { checkNames } from "./parse-csv.ts";
import type { ParsedFile, ParsedRow } from "./parsed-file.ts";

/**
 * Reads a sheet of a workbook, the first unless named, whose first row is the header; empty rows
 * are passed over. Excel keeps numbers as doubles and times without a zone: a time of midnight is
 * read as a date, any other as `2024-05-01T08:30:00`. Throws SYSTEM_UNREADABLE.
 */
export async function parseXlsx(path: string, bytes: Buffer, sheet?: string): Promise<ParsedFile> {
  const { readSheet } = await import("read-excel-file/node");
  let data: readonly (readonly unknown[])[];
  try {
    data = await readSheet(bytes, sheet ?? 1, { trim: false });
  } catch (error) {
    const which = sheet === undefined ? "" : ` that has a sheet "${sheet}"`;
    throw unreadableFile(path, `it is no Excel workbook${which}`, error);
  }
  const [header, ...rest] = data;
  if (header === undefined) {
    throw unreadableFile(path, "it does not begin with a row of column names");
  }
  const width = header.reduce((last: number, cell, at) => (cell === null ? last : at + 1), 0);
  const names = checkNames(path, header.slice(0, width));
  const rows = rest.flatMap((cells, index): ParsedRow[] => {
    if (cells.every((cell) => cell === null)) return [];
    return [{ line: index + 2, cells: names.map((_name, at) => plainCell(cells[at])) }];
  });
  return { names, rows, bad: [], isText: false, isFlat: true };
}

function plainCell(cell: unknown): unknown {
  if (cell === undefined) return null;
  if (!(cell instanceof Date)) return cell;
  const text = cell.toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : text.slice(0, -1);
}
