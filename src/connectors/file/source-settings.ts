import type { FieldWord } from "../../model/field-words.ts";

/** A file whose records are read as one stream. */
export interface FileSourceSettings {
  /** Absolute. */
  readonly path: string;
  readonly format: "csv" | "jsonl" | "xlsx";
  /** Name of the stream. */
  readonly stream: string;
  readonly key: readonly string[];
  /** Types of fields that are not to be told from their values. */
  readonly fields: Readonly<Record<string, FieldWord>>;
  /** Of CSV; absent: told from the header. */
  readonly delimiter?: string;
  /** Of CSV and JSONL, a name that TextDecoder knows; a byte order mark goes before it. */
  readonly encoding: string;
  /** Of XLSX; absent: the first. */
  readonly sheet?: string;
}
