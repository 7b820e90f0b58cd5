import { compileDecoder } from "../../model/coerce.ts";
import { FIELD_TYPES } from "../../model/field-words.ts";
import {
  keyParts,
  type Problem,
  type RecordKey,
  recordKey,
  type StreamRecord,
  type Values,
} from "../../model/record.ts";
import type { Field, StreamSchema } from "../../model/schema.ts";
import { type Value, valuesEqual } from "../../model/value.ts";
import type { Expectation, WriteOperation, WriteOutcome } from "../../ports/connector.ts";
import { rawValue } from "./cell-types.ts";
import type { Cell, Cells, FileEditor, FileEdits } from "./file-editor.ts";
import type { FileRecords, KeyedEntry } from "./file-records.ts";
import type { ParsedRow } from "./parsed-file.ts";

/** Operations that are not to be done, by id, with the reason in a sentence. */
export type Refusals = ReadonlyMap<string, string>;

export interface WriteScene {
  readonly editor: FileEditor;
  readonly records: FileRecords;
  readonly schema: StreamSchema;
  readonly refusals: Refusals;
}

/** What the operations come to on one state of a file. */
export interface WritePlan {
  /** In the order of the operations. */
  readonly outcomes: readonly (WriteOutcome | undefined)[];
  /** Absent where nothing is to be written. */
  readonly edits?: FileEdits;
  /** What the new file must hold of each operation; null: nothing. */
  readonly expected: readonly Expected[];
  /** Keys of the records that are edited. */
  readonly touched: ReadonlySet<RecordKey>;
}

interface Expected {
  readonly id: string;
  readonly key: RecordKey;
  readonly values: Values | null;
}

type Operation<K extends WriteOperation["kind"]> = Extract<WriteOperation, { readonly kind: K }>;

/** Checks every operation against the file and gathers the edits of those that may be done. */
export function planWrite(scene: WriteScene, operations: readonly WriteOperation[]): WritePlan {
  const gathered: Gathered = {
    encode: cellEncoder(scene),
    entries: new Map(scene.records.entries.map((entry) => [entry.key, entry])),
    updated: new Map(),
    removed: new Set(),
    created: [],
    expected: [],
  };
  const outcomes = operations.map((operation) => perform(scene, gathered, operation));
  const { updated, removed, created, expected } = gathered;
  const touched = new Set(expected.map(({ key }) => key));
  const isEdited = updated.size + removed.size + created.length > 0;
  const plan = { outcomes, expected, touched };
  return isEdited ? { ...plan, edits: { updated, removed, created } } : plan;
}

/** Everything that the operations so far came to. */
interface Gathered {
  readonly encode: Encode;
  readonly entries: ReadonlyMap<RecordKey, KeyedEntry>;
  readonly updated: Map<ParsedRow, Cells>;
  readonly removed: Set<ParsedRow>;
  readonly created: Cells[];
  readonly expected: Expected[];
}

function perform(scene: WriteScene, gathered: Gathered, operation: WriteOperation): WriteOutcome {
  const { schema, records, refusals } = scene;
  const refusal = refusals.get(operation.id);
  if (refusal !== undefined) return refused(refusal);
  const key = operation.kind === "create" ? keyOf(schema, operation) : operation.key;
  if (key === undefined) return rejected(KEY_MISSING);
  const found = whatStands(records, gathered.entries.get(key));
  if (typeof found === "string") return refused(found);
  const verdict = judge(schema, operation, found?.record);
  if (verdict !== undefined) return verdict;
  return operation.kind === "delete"
    ? remove(scene, gathered, operation, found)
    : put(scene, gathered, { operation, key, found });
}

function remove(
  { editor }: WriteScene,
  { removed, expected }: Gathered,
  { id, key }: Operation<"delete">,
  found: Found | undefined,
): WriteOutcome {
  const kept = found === undefined ? undefined : editor.keeps?.(found.row);
  if (kept !== undefined) return refused(kept);
  if (found !== undefined) removed.add(found.row);
  expected.push({ id, key, values: null });
  return { kind: "written", stored: null };
}

interface Put {
  readonly operation: Operation<"create" | "update">;
  readonly key: RecordKey;
  readonly found: Found | undefined;
}

function put(
  { schema }: WriteScene,
  { encode, updated, created, expected }: Gathered,
  { operation, key, found }: Put,
): WriteOutcome {
  const values = withKey(schema, key, operation);
  const encoded = encode(values, found);
  if ("code" in encoded) return rejected(encoded);
  if (found === undefined) created.push(encoded.cells);
  else if (encoded.cells.size > 0) updated.set(found.row, encoded.cells);
  expected.push({ id: operation.id, key, values: encoded.values });
  return { kind: "written", stored: found?.record ?? { key, values } };
}

type Found = { readonly record: StreamRecord; readonly row: ParsedRow };

/** The record of a key, nothing where there surely is none, or why that cannot be told. */
function whatStands(
  { keyless }: FileRecords,
  entry: KeyedEntry | undefined,
): Found | undefined | string {
  if (entry !== undefined) {
    if ("record" in entry) return entry;
    return entry.bad.problems[0]?.message ?? "Its line cannot be read.";
  }
  // A line without any value in its key is no record of any key.
  const unknown = keyless.find(({ bad }) => bad.problems[0]?.code !== KEY_MISSING.code);
  if (unknown === undefined) return undefined;
  return `Line ${unknown.line} of the file cannot be read, and might be this record.`;
}

/** The outcome of an operation that does nothing. */
function judge(
  schema: StreamSchema,
  operation: WriteOperation,
  current: StreamRecord | undefined,
): WriteOutcome | undefined {
  if (current === undefined) {
    if (operation.kind === "create") return undefined;
    return operation.kind === "delete"
      ? { kind: "written", stored: null }
      : { kind: "conflict", current: null };
  }
  const isAsExpected =
    operation.kind !== "create" && holds(schema, operation.expected, current.values);
  return isAsExpected ? undefined : { kind: "conflict", current };
}

function holds({ fields }: StreamSchema, { values, version }: Expectation, found: Values): boolean {
  if (version !== undefined) return false;
  return fields.every(
    (_field, index) => values[index] === undefined || valuesEqual(found[index], values[index]),
  );
}

/** The key that a create names or its values make; nothing where a part of it is null. */
function keyOf(
  { fields, key }: StreamSchema,
  operation: Operation<"create">,
): RecordKey | undefined {
  const parts = key.map((name) => {
    const value = operation.values[fields.findIndex((field) => field.name === name)];
    return value === undefined && operation.key !== undefined ? undefined : (value ?? null);
  });
  if (parts.includes(undefined)) return operation.key;
  return parts.includes(null) ? undefined : recordKey(parts as readonly Value[]);
}

/** The values with those of the key, where the operation only names it. */
function withKey(
  schema: StreamSchema,
  key: RecordKey,
  { kind, values }: Operation<"create" | "update">,
): Values {
  if (kind === "update") return values;
  const parts = keyParts(schema, key);
  return schema.fields.map(({ name }, index) => values[index] ?? parts[schema.key.indexOf(name)]);
}

interface Encoded {
  readonly cells: Cells;
  /** What a reader of the new file will find; absent: what is there now. */
  readonly values: Values;
}

type Encode = (values: Values, found: Found | undefined) => Encoded | Problem;

/** Makes the cells of a record, of an update only those whose value is another one now. */
function cellEncoder(scene: WriteScene): Encode {
  const { schema } = scene;
  const encoders = schema.fields.map((field) => fieldEncoder(scene, field));
  return (values, found) => {
    const cells = new Map<string, Cell>();
    const stored: (Value | undefined)[] = [];
    for (const [index, { name }] of schema.fields.entries()) {
      const value = values[index];
      const isSame = found !== undefined && valuesEqual(found.record.values[index], value);
      const encoded = value === undefined || isSame ? undefined : encoders[index]?.(value, found);
      if (encoded !== undefined && "code" in encoded) return encoded;
      stored.push(encoded?.value);
      if (encoded !== undefined) cells.set(name, encoded.cell);
    }
    return { cells, values: stored };
  };
}

/** The cell of one field, and the value that a reader of the new file will find. */
function fieldEncoder(
  { editor, schema }: WriteScene,
  field: Field,
): (value: Value, found: Found | undefined) => { cell: Cell; value: Value | undefined } | Problem {
  const { name, type } = field;
  const { names, isText, isFlat } = editor.file;
  const decode = compileDecoder({ ...schema, fields: [field] });
  const isKey = schema.key.includes(name);
  const isMissing = !names.includes(name) && (isText || isFlat === true);
  return (value, found) => {
    if (isKey && found !== undefined) return problem(field, "is the key, which cannot be changed.");
    if (isMissing && value !== null) return problem(field, "is no column of the file.");
    const kept = found === undefined ? undefined : editor.keeps?.(found.row, name);
    if (kept !== undefined) return problem(field, `${kept}.`);
    const cell = editor.encode(value, type);
    if (typeof cell === "string") return problem(field, `${cell}.`);
    const [reread] = decode({ [name]: rawValue(cell.found, type, editor.file) }, []);
    const plain = type.kind === "json" && value !== null ? canonicalJson(value) : value;
    return valuesEqual(reread, plain)
      ? { cell, value: reread }
      : problem(field, lossInWords(reread));
  };
}

function canonicalJson(value: Value): Value | undefined {
  const raw = rawValue(value, FIELD_TYPES.json, { isText: true });
  return raw === null ? undefined : compileDecoder(JSON_SCHEMA)({ json: raw }, [])[0];
}

const JSON_SCHEMA: StreamSchema = {
  name: "json",
  fields: [{ name: "json", type: FIELD_TYPES.json, nullable: true }],
  key: [],
  traits: { changes: false, deletions: false, sweep: false, count: false },
};

const problem = ({ name }: Field, what: string): Problem => ({
  code: "RECORD_REFUSED",
  message: `Field "${name}" ${what}`,
  field: name,
});

const lossInWords = (reread: Value | undefined): string =>
  reread === undefined || reread === null
    ? "has a value that this file cannot hold."
    : `has a value of which this file would keep only "${String(reread).slice(0, 40)}".`;

const KEY_MISSING: Problem = {
  code: "RECORD_KEY_MISSING",
  message: "The record has no value in its key.",
};

const refused = (message: string): WriteOutcome => rejected({ code: "RECORD_REFUSED", message });
const rejected = (told: Problem): WriteOutcome => ({ kind: "rejected", problem: told });
