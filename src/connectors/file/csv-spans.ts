import type { Span } from "./parsed-file.ts";

const QUOTE = 0x22;
const RETURN = 0x0d;
const NEWLINE = 0x0a;

/** What ends the first line that is not inside quotes, and so every line; nothing for one line. */
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

/** Where the records of a CSV text without broken quotes stand; empty lines are none. */
export function recordSpans(text: string): readonly Span[] {
  const lineEnd = lineEndOf(text) ?? "\n";
  const first = lineEnd.charCodeAt(0);
  const spans: Span[] = [];
  let isQuoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) isQuoted = !isQuoted;
    if (isQuoted || unit !== first || !text.startsWith(lineEnd, at)) continue;
    if (at > start) spans.push({ start, end: at });
    at += lineEnd.length - 1;
    start = at + 1;
  }
  if (start < text.length) spans.push({ start, end: text.length });
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
