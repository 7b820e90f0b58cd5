import type { Span, TextLayout } from "./parsed-file.ts";

/** What becomes of a line of a text: another text, or null where it is taken out. */
export interface LineEdit {
  readonly span: Span;
  readonly text: string | null;
}

/**
 * The text with its lines edited and new ones at its end; everything else stays as it is, and so
 * does a last line that nothing ends.
 */
export function editText(
  text: string,
  edits: readonly LineEdit[],
  added: readonly string[],
  { lineEnd }: TextLayout,
): string {
  const pieces: string[] = [];
  let copied = 0;
  for (const edit of edits.toSorted((a, b) => a.span.start - b.span.start)) {
    pieces.push(text.slice(copied, edit.span.start));
    if (edit.text !== null) pieces.push(edit.text);
    copied = edit.text === null ? afterLineEnd(text, edit.span.end) : edit.span.end;
  }
  pieces.push(text.slice(copied));
  const edited = pieces.join("");
  if (added.length === 0) return edited;
  if (edited !== "" && !/[\r\n]$/.test(edited)) return [edited, ...added].join(lineEnd);
  return edited + added.map((line) => line + lineEnd).join("");
}

function afterLineEnd(text: string, at: number): number {
  if (text.startsWith("\r\n", at)) return at + 2;
  return text[at] === "\n" || text[at] === "\r" ? at + 1 : at;
}
