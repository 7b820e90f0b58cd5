import { compileDecoder, fieldDecoder } from "../../model/coerce.ts";
import { exactJson, numberText } from "../../model/exact-number.ts";
import {
  type BadRecord,
  type Problem,
  type RecordKey,
  recordKey,
  type StreamRecord,
} from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import type { KeyMark } from "../../ports/connector.ts";
import type { StreamModel } from "./streams.ts";

/** Where a row stands, told from its raw values, so that bad rows too have a place. */
export interface RowPlace {
  readonly key: readonly string[];
  /** Absent where the stream has no time field or the row's time cannot be read. */
  readonly time?: string;
}

export interface ReadRows {
  readonly records: readonly StreamRecord[];
  readonly bad: readonly BadRecord[];
}

/** Turns a stream's rows into records. */
export interface RowReader {
  records(rows: readonly unknown[]): ReadRows;
  /** Keys and times alone; a row whose key is good is a mark, whatever else is wrong with it. */
  marks(rows: readonly unknown[]): {
    readonly marks: readonly KeyMark[];
    readonly bad: readonly BadRecord[];
  };
  /** Nothing for a row whose key cannot be told. */
  place(row: unknown): RowPlace | undefined;
}

type Row = Readonly<Record<string, unknown>>;

/** Compiles the reader of a stream's rows in the schema of one query, a projection of the stream's. */
export function createRowReader(model: StreamModel, schema: StreamSchema): RowReader {
  const decode = compileDecoder(schema, model.decoding);
  const place = createPlacer(model);
  const position = (name: string): number =>
    schema.fields.findIndex((field) => field.name === name);
  const keyAt = schema.key.map(position);
  const timeAt = schema.modifiedAt === undefined ? -1 : position(schema.modifiedAt);
  const [singleKeyAt = -1] = keyAt.length === 1 ? keyAt : [];
  let problems: Problem[] = [];

  const keyOf = (values: readonly (Value | undefined)[]): RecordKey | undefined => {
    if (singleKeyAt >= 0) {
      const value = values[singleKeyAt];
      return value === undefined || value === null ? undefined : (String(value) as RecordKey);
    }
    const parts = keyAt.map((index) => values[index] ?? null);
    return parts.includes(null) ? undefined : recordKey(parts);
  };

  return {
    place,
    records(rows) {
      const records: StreamRecord[] = [];
      const bad: BadRecord[] = [];
      for (const row of rows) {
        if (!isRow(row)) {
          bad.push(notARecord(row));
          continue;
        }
        const values = decode(row, problems);
        const key = keyOf(values);
        if (key === undefined || problems.length > 0) {
          bad.push(badRecord(schema, row, key, problems));
          problems = [];
          continue;
        }
        const modifiedAt = timeAt < 0 ? undefined : values[timeAt];
        records.push(
          typeof modifiedAt === "string" ? { key, values, modifiedAt } : { key, values },
        );
      }
      return { records, bad };
    },
    marks(rows) {
      const marks: KeyMark[] = [];
      const bad: BadRecord[] = [];
      for (const row of rows) {
        const at = place(row);
        if (at !== undefined) {
          const key = recordKey(at.key);
          marks.push(at.time === undefined ? { key } : { key, modifiedAt: at.time });
        } else {
          bad.push(isRow(row) ? badRecord(schema, row, undefined, []) : notARecord(row));
        }
      }
      return { marks, bad };
    },
  };
}

function createPlacer(model: StreamModel): RowReader["place"] {
  const { schema, decoding } = model;
  const decoderOf = (name: string): readonly [string, (raw: unknown) => Value | undefined][] =>
    schema.fields
      .filter((field) => field.name === name)
      .map((field) => [name, fieldDecoder(schema, field, decoding)] as const)
      .map(([fieldName, decode]) => [fieldName, decode]);
  const keys = schema.key.flatMap(decoderOf);
  const [time] = schema.modifiedAt === undefined ? [] : decoderOf(schema.modifiedAt);
  return (row) => {
    if (!isRow(row)) return undefined;
    const key: string[] = [];
    for (const [name, decode] of keys) {
      const raw = row[name];
      const value = raw === undefined || raw === null ? undefined : decode(raw);
      if (value === undefined) return undefined;
      key.push(String(value));
    }
    const rawTime = time === undefined ? undefined : row[time[0]];
    const at = rawTime === undefined || rawTime === null ? undefined : time?.[1](rawTime);
    return typeof at === "string" ? { key, time: at } : { key };
  };
}

function badRecord(
  schema: StreamSchema,
  row: Row,
  key: RecordKey | undefined,
  problems: readonly Problem[],
): BadRecord {
  const missing: Problem = {
    code: "RECORD_KEY_MISSING",
    message: `The record has no value in its key ${schema.key.map((name) => `"${name}"`).join(", ")}.`,
  };
  return {
    ...(key === undefined ? {} : { key }),
    image: exactJson(row),
    problems: key === undefined && problems.length === 0 ? [missing] : problems,
  };
}

function notARecord(row: unknown): BadRecord {
  const message = "An entry of the page is no JSON object.";
  return {
    image: exactJson(row),
    problems: [{ code: "RECORD_NOT_OBJECT", message }],
  };
}

function isRow(row: unknown): row is Row {
  return (
    typeof row === "object" &&
    row !== null &&
    !Array.isArray(row) &&
    // An exact number is an object too.
    numberText(row) === undefined
  );
}
