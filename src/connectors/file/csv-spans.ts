import type { Span } from "./parsed-file.ts";

const QUOTE = 0x22;
const RETURN = 0x0d;
const NEWLINE = 0x0a;

/** Where a record stands, and on which line it begins. */
export interface RecordSpan extends Span {
  readonly line: number;
}

/** What ends the first line that is not inside quotes, and so every new line; nothing for one line. */
export function lineEndOf(text: string): string | undefined {
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) isQuoted = !isQuoted;
    if (isQuoted) continue;
    if (unit === NEWLINE) return "\n";
    if (unit === RETURN) return text.charCodeAt(at + 1) === NEWLINE ? "\r\n" : "\r";
  }
  return undefined;
}

/**
 * Where the records of a CSV text without broken quotes stand; empty lines are none. CR LF, LF and
 * CR all end a line, wherever they stand: whoever edits a file may end lines in a way of their own.
 */
export function recordSpans(text: string): readonly RecordSpan[] {
  const spans: RecordSpan[] = [];
  let isQuoted = false;
  let start = 0;
  let line = 1;
  let first = 1;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) isQuoted = !isQuoted;
    if (unit !== NEWLINE && unit !== RETURN) continue;
    const end = at;
    if (unit === RETURN && text.charCodeAt(at + 1) === NEWLINE) at += 1;
    line += 1;
    if (isQuoted) continue;
    if (end > start) spans.push({ start, end, line: first });
    start = at + 1;
    first = line;
  }
  if (start < text.length) spans.push({ start, end: text.length, line: first });
  return spans;
}

/** The cells of one record as they are written, quotes included. */
export function writtenCells(record: string, delimiter: string): readonly string[] {
  const cells: string[] = [];
  let isQuoted = false;
  let start = 0;
  for (let at = 0; at < record.length; at += 1) {
    if (record.charCodeAt(at) === QUOTE) isQuoted = !isQuoted;
    if (isQuoted || record[at] !== delimiter) continue;
    cells.push(record.slice(start, at));
    start = at + 1;
  }
  return [...cells, record.slice(start)];
}
