/**
 * What a file holds before its types are known. A cell is `undefined` where the record does not
 * have the field, null, or what the format gave: a text, a number (perhaps an ExactNumber), a truth
 * value, a list or an object.
 */
export interface ParsedFile {
  /** Of the fields, in the order of the file; none twice. */
  readonly names: readonly string[];
  readonly rows: readonly ParsedRow[];
  readonly bad: readonly BadLine[];
  /** Every cell is a text, whatever it means, as in CSV. */
  readonly isText: boolean;
  /** No cell is a list or an object: these are texts of JSON, as in XLSX. */
  readonly isFlat?: boolean;
  /** Of the formats that are text. */
  readonly layout?: TextLayout;
}

export interface TextLayout {
  /** What ends a line. */
  readonly lineEnd: string;
  /** Of CSV. */
  readonly delimiter?: string;
}

/** From the first character, up to and without the last: places in a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ParsedRow {
  /** Where the record begins; the first line is 1. */
  readonly line: number;
  /** In the order of `names`. */
  readonly cells: readonly unknown[];
  /** Where it stands in the text, without what ends its line. */
  readonly span?: Span;
}

/** A line that could not be made into cells. */
export interface BadLine {
  readonly line: number;
  /** What stands there. */
  readonly text: string;
  /** One sentence for a person, without the text. */
  readonly message: string;
  /** Those of a line that has too many or too few. */
  readonly cells?: readonly unknown[];
}
