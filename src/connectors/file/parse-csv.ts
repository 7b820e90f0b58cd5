import { CsvError, type Options, parse } from "csv-parse/sync";
import { lineEndOf, recordSpans } from "./csv-spans.ts";
import { unreadableFile } from "./file-errors.ts";
import type { BadLine, ParsedFile, ParsedRow } from "./parsed-file.ts";

const DELIMITERS = [",", ";", "\t", "|"] as const;
/** A broken quote is looked for so many lines far; a longer cell has to be quoted rightly. */
const RECORD_LINES_MAX = 1_000;
const BROKEN_QUOTE = "A quote stands where none may, or is not closed where its cell ends.";

type CsvCells = readonly (string | null)[];

/**
 * Reads CSV (RFC 4180) with a header line. Nothing between two delimiters is null, `""` is an empty
 * text. Without a `delimiter` it is the one of `,` `;` tab `|` that the header has most of. A line
 * that cannot be read, or has another number of cells than the header, is bad, and the lines after
 * it are read. Throws SYSTEM_UNREADABLE for a file without a usable header.
 */
export function parseCsv(path: string, text: string, given?: string): ParsedFile {
  const delimiter = given ?? guessDelimiter(text);
  const options = optionsFor(delimiter);
  const { rows, bad } = parseWhole(text, options) ?? parseLineByLine(text, options);
  const [header, ...rest] = rows;
  const names = headerNames(path, header, bad);
  const whole: ParsedRow[] = [];
  const wrong: BadLine[] = [...bad];
  for (const row of rest) {
    const { line, cells } = row;
    if (cells.length === names.length) whole.push(row);
    else {
      const message = `It has ${cells.length} cells where the header has ${names.length}.`;
      const told = isOnOneLine(text, row) ? { cells } : {};
      wrong.push({ line, message, text: JSON.stringify(cells), ...told });
    }
  }
  wrong.sort((a, b) => a.line - b.line);
  const layout = { lineEnd: lineEndOf(text) ?? "\r\n", delimiter };
  return { names, rows: whole, bad: wrong, isText: true, layout };
}

/** What goes on over several lines and is broken may have swallowed records: it could be any of them. */
const isOnOneLine = (text: string, { span }: ParsedRow): boolean =>
  span !== undefined && !/[\r\n]/.test(text.slice(span.start, span.end));

function optionsFor(delimiter: string): Options {
  return {
    delimiter,
    // Each of them, wherever it stands: see `recordSpans`.
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    skip_empty_lines: true,
    cast: (cell, { quoting }) => (cell === "" && !quoting ? null : cell),
  };
}

interface Lines {
  readonly rows: readonly ParsedRow[];
  readonly bad: readonly BadLine[];
}

/** Nothing when any line is broken. */
function parseWhole(text: string, options: Options): Lines | undefined {
  try {
    const found = parse(text, options) as unknown as CsvCells[];
    const spans = recordSpans(text);
    if (spans.length !== found.length) return undefined;
    const rows = spans.map(
      ({ line, start, end }, index): ParsedRow => ({
        line,
        cells: found[index] ?? [],
        span: { start, end },
      }),
    );
    return { rows, bad: [] };
  } catch (error) {
    if (error instanceof CsvError) return undefined;
    throw error;
  }
}

/**
 * Takes the shortest run of lines that is a record; where none is, the first line alone is bad, so
 * that an open quote does not swallow what follows it.
 */
function parseLineByLine(text: string, options: Options): Lines {
  const lines = text.split(/(?<=\n)|(?<=\r)(?!\n)/);
  const rows: ParsedRow[] = [];
  const bad: BadLine[] = [];
  let start = 0;
  for (let at = 0; at < lines.length; ) {
    const found = shortestRecord(lines, at, options);
    const line = at + 1;
    const many = typeof found === "string" ? 1 : found.lines;
    const text = lines.slice(at, at + many).join("");
    const end = start + text.replace(/(?:\r\n|\r|\n)$/, "").length;
    if (typeof found === "string") {
      bad.push({ line, message: found, text: text.replace(/[\r\n]+$/, "") });
    } else if (found.cells !== undefined) {
      rows.push({ line, cells: found.cells, span: { start, end } });
    }
    at += many;
    start += text.length;
  }
  return { rows, bad };
}

interface FoundRecord {
  readonly lines: number;
  /** Absent for an empty line. */
  readonly cells: readonly unknown[] | undefined;
}

/** The record that begins at a line, or what is wrong with the line. */
function shortestRecord(
  lines: readonly string[],
  at: number,
  options: Options,
): FoundRecord | string {
  let candidate = "";
  let quotes = 0;
  const end = Math.min(lines.length, at + RECORD_LINES_MAX);
  for (let next = at; next < end; next += 1) {
    const line = lines[next] ?? "";
    candidate += line;
    quotes += line.split('"').length - 1;
    if (quotes % 2 === 1) continue;
    try {
      const [row] = parse(candidate, options) as unknown as CsvCells[];
      return { lines: next - at + 1, cells: row };
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      return BROKEN_QUOTE;
    }
  }
  return BROKEN_QUOTE;
}

function guessDelimiter(text: string): string {
  const header = text.slice(0, /[\r\n]/.exec(text)?.index ?? text.length).replace(/"[^"]*"/g, "");
  let [best] = DELIMITERS as readonly string[];
  let most = 0;
  for (const delimiter of DELIMITERS) {
    const count = header.split(delimiter).length - 1;
    if (count > most) [best, most] = [delimiter, count];
  }
  return best ?? ",";
}

/** Throws SYSTEM_UNREADABLE. */
function headerNames(
  path: string,
  header: ParsedRow | undefined,
  bad: readonly BadLine[],
): readonly string[] {
  const first = bad[0];
  if (header === undefined || (first !== undefined && first.line < header.line)) {
    throw unreadableFile(path, "it does not begin with a line of column names");
  }
  return checkNames(path, header.cells);
}

/** The names of a header line. Throws SYSTEM_UNREADABLE for one that is missing or there twice. */
export function checkNames(path: string, cells: readonly unknown[]): readonly string[] {
  const names = cells.map((cell) => (cell === null || cell === undefined ? "" : String(cell)));
  for (const [index, name] of names.entries()) {
    if (name.trim() === "") throw unreadableFile(path, `column ${index + 1} has no name`);
    if (names.indexOf(name) !== index) {
      throw unreadableFile(path, `the column name "${name}" stands there twice`);
    }
  }
  return names;
}
