import type { Value, ValueType } from "../../model/value.ts";
import type { ParsedFile, ParsedRow } from "./parsed-file.ts";

/** A value as a format writes it. */
export interface Cell {
  /** What a reader of the file finds, as `ParsedRow.cells` has it. */
  readonly found: unknown;
  /** How it is written, in formats of text; null: nothing is. */
  readonly text: string | null;
  /** It is a number by its field's type, and may stand as a text where such stand. */
  readonly isNumber?: boolean;
}

/** By the name of the field. */
export type Cells = ReadonlyMap<string, Cell>;

export interface FileEdits {
  /** Cells to be replaced, by row. */
  readonly updated: ReadonlyMap<ParsedRow, Cells>;
  readonly removed: ReadonlySet<ParsedRow>;
  /** New rows, which come last. */
  readonly created: readonly Cells[];
}

/** One state of a file, to be edited in its own format. */
export interface FileEditor {
  readonly file: ParsedFile;
  /** The cell of a value, or in words why the format cannot hold it. */
  encode(value: Value, type: ValueType): Cell | string;
  /** In words, why a cell of a row (without a name: the row) must be left alone. */
  keeps?(row: ParsedRow, name?: string): string | undefined;
  /** The whole file after the edits; what they do not name is as it was. */
  edit(edits: FileEdits): Uint8Array;
}
