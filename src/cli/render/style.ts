import { stripVTControlCharacters, styleText } from "node:util";

type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

/** Colours, or nothing at all. */
export function createStyle(isColoured: boolean): Style {
  const paint =
    (format: Parameters<typeof styleText>[0]): Paint =>
    (text) =>
      isColoured ? styleText(format, text, { validateStream: false }) : text;
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    red: paint("red"),
    green: paint("green"),
    yellow: paint("yellow"),
    cyan: paint("cyan"),
  };
}

/** Columns that a text takes on a terminal, colours not counted. */
export function visibleWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** The text in at most `width` columns; colours are taken off when it must be cut. */
export function clip(text: string, width: number): string {
  if (visibleWidth(text) <= width) return text;
  return `${[...stripVTControlCharacters(text)].slice(0, Math.max(0, width - 1)).join("")}…`;
}

/** Foreign text made safe for a terminal: control characters become visible, none takes effect. */
export function cleanText(text: string): string {
  return text.replace(UNSAFE, (character) =>
    character === "\n" ? "⏎" : character === "\t" ? " " : "�",
  );
}

/** A text as one word of a command that is to be typed, in any shell of UNIX. */
export function typedWord(text: string): string {
  const clean = cleanText(text);
  return /^[\p{L}\p{N}_@%+=:,./-]+$/u.test(clean) ? clean : `'${clean.replaceAll("'", "'\\''")}'`;
}

/** Control characters, line separators and changes of the writing direction. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
