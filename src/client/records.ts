import type { OdataClient } from "../connectors/odata/client.ts";
import { expandedRows } from "../connectors/odata/related.ts";
import { compileDecoder } from "../model/coerce.ts";
import { exactJson } from "../model/exact-number.ts";
import type { Problem } from "../model/record.ts";
import type { StreamSchema } from "../model/schema.ts";
import { SyncError } from "../model/sync-error.ts";
import type { Value } from "../model/value.ts";
import type { SetModel, SetModels } from "./service.ts";
import type { ResoValue } from "./shapes.ts";

type Row = Readonly<Record<string, unknown>>;
export type PlainRecord = Readonly<Record<string, ResoValue>>;

/** A value that does not fit its field's type; it stands in the record as the server sent it. */
export interface ResoProblem {
  readonly stream: string;
  readonly field: string;
  readonly message: string;
}

/** Makes plain records of a set's rows. */
export type RecordReader = (row: Row) => PlainRecord;

/**
 * Compiles the reader of a set, of the selected fields or of all. A field that the server left out
 * is left out; a value that does not fit its type stands as it came and is told to `onProblem`.
 */
export function createRecordReader(
  model: SetModel,
  select: readonly string[] | undefined,
  onProblem: (problem: ResoProblem) => void,
): RecordReader {
  const { schema: whole, decoding } = model.stream;
  const wanted = select === undefined ? undefined : new Set(select);
  const fields = whole.fields.filter((field) => wanted === undefined || wanted.has(field.name));
  const schema: StreamSchema = { ...whole, fields };
  const decode = compileDecoder(schema, decoding);
  return (row) => {
    const problems: Problem[] = [];
    const values = decode(row, problems);
    // A field may be named as a member of Object.prototype.
    const record: Record<string, ResoValue> = Object.create(null);
    fields.forEach((field, index) => {
      const value = values[index];
      if (value === undefined) return;
      record[field.name] = field.type.kind === "json" ? fromJson(value) : value;
    });
    for (const { field, message } of problems) {
      if (field === undefined) continue;
      record[field] = asCame(row[field]);
      onProblem({ stream: model.name, field, message });
    }
    return { ...record };
  };
}

/** What a record with its expansions is read with. */
export interface RecordReading {
  readonly models: SetModels;
  readonly model: SetModel;
  readonly client: OdataClient;
  readonly read: RecordReader;
  readonly expand: readonly string[];
  readonly onProblem: (problem: ResoProblem) => void;
  /** Where the rows came from, which relative links are resolved against. */
  readonly url: string;
}

/** The record of a row with everything that the expanded navigations lead to, all its pages. */
export async function readRecord(
  reading: RecordReading,
  row: Row,
  signal: AbortSignal,
): Promise<PlainRecord> {
  const { expand, models, model, client, url, onProblem } = reading;
  const record = reading.read(row);
  if (expand.length === 0) return record;
  const related: Record<string, ResoValue> = {};
  for (const name of expand) {
    const target = models.target(model, name);
    const read: RecordReader =
      target === undefined
        ? (child) => plainRow(child)
        : createRecordReader(target, undefined, onProblem);
    if (row[name] === undefined) throw notExpanded(model, name);
    const rows = (await expandedRows({ client }, row, name, url, signal)).map(read);
    const isCollection = model.navigations.get(name)?.isCollection ?? Array.isArray(row[name]);
    related[name] = isCollection ? rows : (rows[0] ?? null);
  }
  return { ...record, ...related };
}

/** Nothing related and nothing told are not the same. */
function notExpanded({ name: stream }: SetModel, name: string): SyncError {
  return new SyncError(
    "CONNECTOR_BAD_RESPONSE",
    `The server did not expand "${name}" of a record of stream "${stream}".`,
    { hint: `Ask for the records of "${name}" by a filter instead.`, context: { stream } },
  );
}

function plainRow(row: Row): PlainRecord {
  return Object.fromEntries(
    Object.entries(row)
      .filter(([name]) => !name.includes("@"))
      .map(([name, value]) => [name, asCame(value)]),
  );
}

function fromJson(value: Value): ResoValue {
  return typeof value === "string" ? (JSON.parse(value) as ResoValue) : value;
}

function asCame(value: unknown): ResoValue {
  return value === undefined ? null : (JSON.parse(exactJson(value)) as ResoValue);
}
