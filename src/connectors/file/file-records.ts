import { compileDecoder } from "../../model/coerce.ts";
import { exactJson } from "../../model/exact-number.ts";
import { FIELD_TYPES, type FieldWord } from "../../model/field-words.ts";
import {
  type BadRecord,
  type Problem,
  type RecordKey,
  recordKey,
  type StreamRecord,
} from "../../model/record.ts";
import { type Field, fieldIndex, type StreamSchema, type WriteTraits } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import { rawValue } from "./cell-types.ts";
import { unreadableFile } from "./file-errors.ts";
import type { ParsedFile, ParsedRow } from "./parsed-file.ts";
import type { FileSourceSettings } from "./source-settings.ts";
import { encoderOf } from "./text-encoding.ts";

/** The records of a file under a schema, in the order of their keys. */
export interface FileRecords {
  readonly entries: readonly KeyedEntry[];
  /** Lines of which not even the key can be told, in the order of the file. */
  readonly keyless: readonly KeylessLine[];
}

/** What the file has of one key: a record, or why there is none. */
export type KeyedEntry =
  | { readonly key: RecordKey; readonly record: StreamRecord; readonly row: ParsedRow }
  | { readonly key: RecordKey; readonly bad: BadRecord };

export interface KeylessLine {
  readonly line: number;
  readonly bad: BadRecord;
}

/**
 * The stream that a file is: every column a field, typed as declared, else as `types` says. A key is
 * a text unless declared: "007" and "7" are two keys, whatever the other keys look like. Throws SYSTEM_UNREADABLE when a key field is no column.
 */
export function schemaOf(
  settings: FileSourceSettings,
  file: ParsedFile,
  types: ReadonlyMap<string, FieldWord>,
): StreamSchema {
  const { path, stream, key, fields: declared } = settings;
  // Lines of JSON have no header: a field that is declared, or that was seen before, may come with
  // the next line, and without any line nothing tells names.
  const hasHeader = file.isText || file.isFlat === true;
  const known = [...Object.keys(declared), ...types.keys()];
  const wanted = hasHeader ? [] : file.rows.length === 0 ? [...key, ...known] : known;
  const names = [...new Set([...file.names, ...wanted])];
  for (const name of [...key, ...Object.keys(declared)]) {
    if (names.includes(name)) continue;
    throw unreadableFile(path, `it has no column "${name}"; it has ${names.join(", ")}`);
  }
  const fields = names.map((name): Field => {
    const isKey = key.includes(name);
    const told = isKey ? undefined : types.get(name);
    const word: FieldWord = declared[name] ?? told ?? "text";
    const isTold = declared[name] !== undefined || isKey;
    const takes = isTold ? undefined : takesOf(told, file);
    const field = { name, type: FIELD_TYPES[word], nullable: !isKey };
    return takes === undefined ? field : { ...field, takes };
  });
  const traits = { changes: false, deletions: false, sweep: true, count: true };
  const write: WriteTraits = { batch: BATCH_MAX, expects: "atomic", assignsKeys: false };
  return {
    name: stream,
    fields,
    key,
    traits: canBeWritten(settings) ? { ...traits, write } : traits,
  };
}

/**
 * Cells of text take anything; those of JSON and of workbooks what is of their own kind, and where
 * texts stand a number may stand as well.
 */
function takesOf(told: FieldWord | undefined, { isText }: ParsedFile): Field["takes"] {
  if (isText || told === undefined) return "text";
  return told === "integer" || told === "decimal" || told === "text" ? "number" : undefined;
}

/** A file is written whole, so that many operations cost as much as one. */
const BATCH_MAX = 5_000;

/** An encoding of several bytes a character can only be read. */
const canBeWritten = ({ format, encoding }: FileSourceSettings): boolean =>
  format === "xlsx" || encoderOf(encoding) !== undefined;

/**
 * The file's records with values in the order of the schema's fields. A line whose values do not
 * fit is bad; of several lines with one key none is taken, since nobody can tell which is right.
 */
export function recordsOf(file: ParsedFile, schema: StreamSchema): FileRecords {
  const entries = new Map<RecordKey, KeyedEntry>();
  const linesOf = new Map<RecordKey, number[]>();
  const keyless: KeylessLine[] = [];
  const add = (line: number, entry: KeyedEntry | { readonly bad: BadRecord }): void => {
    if (!("key" in entry)) {
      keyless.push({ line, bad: entry.bad });
      return;
    }
    const lines = linesOf.get(entry.key);
    if (lines === undefined) {
      linesOf.set(entry.key, [line]);
      entries.set(entry.key, entry);
    } else {
      lines.push(line);
      entries.set(entry.key, { key: entry.key, bad: repeated(entry.key, lines) });
    }
  };
  const decode = rowDecoder(file, schema);
  // A delimiter too many or too few moves the cells behind it, so that another one would be taken
  // for the key, and the record of that line for gone.
  const isKeyFirst = schema.key.every((name) => file.names.indexOf(name) < schema.key.length);
  for (const row of file.rows) add(row.line, decode(row));
  for (const { line, text, message, cells } of file.bad) {
    const key = cells === undefined || !isKeyFirst ? undefined : decode({ line, cells }).key;
    const problem = { code: "RECORD_NOT_OBJECT", message: `Line ${line}: ${message}` };
    const bad = { image: text, problems: [problem] };
    add(line, key === undefined ? { bad } : { key, bad: { ...bad, key } });
  }
  keyless.sort((a, b) => a.line - b.line);
  return {
    entries: [...entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
    keyless,
  };
}

function repeated(key: RecordKey, lines: readonly number[]): BadRecord {
  const message = `The key stands on lines ${lines.join(", ")}; it must be on one.`;
  return {
    key,
    image: JSON.stringify({ lines }),
    problems: [{ code: "RECORD_KEY_REPEATED", message }],
  };
}

type Decoded =
  | { readonly key: RecordKey; readonly record: StreamRecord; readonly row: ParsedRow }
  | { readonly key: RecordKey; readonly bad: BadRecord }
  | { readonly key?: undefined; readonly bad: BadRecord };

function rowDecoder(file: ParsedFile, schema: StreamSchema): (row: ParsedRow) => Decoded {
  const decode = compileDecoder(schema);
  const places = schema.fields.map(({ name, type }) => ({
    name,
    type,
    at: file.names.indexOf(name),
  }));
  const keyPlaces = schema.key.map((name) => fieldIndex(schema, name));
  return (row) => {
    const { line, cells } = row;
    const raw: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const { name, type, at } of places) raw[name] = rawValue(cells[at], type, file);
    const problems: Problem[] = [];
    const values = decode(raw, problems);
    const parts = keyPlaces.map((place): Value => values[place] ?? null);
    const key = parts.includes(null) ? undefined : recordKey(parts);
    if (key !== undefined && problems.length === 0) return { key, record: { key, values }, row };
    const told = key === undefined && problems.length === 0 ? [missingKey(schema)] : problems;
    const bad: BadRecord = {
      image: exactJson(Object.fromEntries(file.names.map((name, at) => [name, cells[at]]))),
      problems: told.map((problem) => ({
        ...problem,
        message: `Line ${line}: ${problem.message}`,
      })),
    };
    return key === undefined ? { bad } : { key, bad: { ...bad, key } };
  };
}

function missingKey(schema: StreamSchema): Problem {
  const names = schema.key.map((name) => `"${name}"`).join(", ");
  return { code: "RECORD_KEY_MISSING", message: `It has no value in its key ${names}.` };
}
