import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ErrorCode } from "../../model/error-codes.ts";
import type { RecordKey, Values } from "../../model/record.ts";
import type { Field, StreamSchema } from "../../model/schema.ts";
import { isSyncError, type SyncError } from "../../model/sync-error.ts";
import type { ScalarType, ValueType } from "../../model/value.ts";
import type { Destination, RowBatch, RowUpsert, TableSpec } from "../../ports/destination.ts";
import type { Home } from "../../ports/home.ts";
import type { Clock } from "../../ports/runtime.ts";

/** A destination on an empty database. */
export interface DestinationSubject {
  readonly destination: Destination;
  /** The home on the same database, where the destination has `within`. */
  readonly home?: Home;
  /** Another destination on what the first one wrote, as after a restart. */
  reopen?(): Promise<Destination>;
  /** Closes and removes everything. */
  close(): Promise<void>;
}

export interface DestinationKitOptions {
  create(clock: Clock): Promise<DestinationSubject>;
}

/** A test of the kit; it gets a subject of its own, which is closed after it. */
export type Behaviour = (
  name: string,
  body: (subject: DestinationSubject, context: TestContext) => Promise<void>,
) => void;

/** Registers tests that each make and close a subject. */
export function behaviours(create: () => Promise<DestinationSubject>): Behaviour {
  return (name, body) => {
    test(name, async (context) => {
      const subject = await create();
      try {
        await body(subject, context);
      } finally {
        await subject.close();
      }
    });
  };
}

export const TEXT: ScalarType = { kind: "text" };
export const DECIMAL: ScalarType = { kind: "decimal", precision: 12, scale: 2 };
export const TIMESTAMP: ScalarType = { kind: "timestamp" };
export const INT16: ScalarType = { kind: "integer", bits: 16 };
export const INT32: ScalarType = { kind: "integer", bits: 32 };
export const INT64: ScalarType = { kind: "integer", bits: 64 };

export const field = (name: string, type: ValueType): Field => ({ name, type, nullable: true });
export const key = (text: string): RecordKey => text as RecordKey;

/** A stream of the fields, keyed by the first of them unless told. */
export function streamOf(
  fields: readonly Field[],
  options: {
    readonly name?: string;
    readonly key?: readonly string[];
    readonly modifiedAt?: string;
  } = {},
): StreamSchema {
  const { name = "Property", key: names = [fields[0]?.name ?? ""], modifiedAt } = options;
  return {
    name,
    fields,
    key: names,
    ...(modifiedAt === undefined ? {} : { modifiedAt }),
    traits: { changes: true, deletions: true, sweep: true, count: true },
  };
}

export function tableOf(schema: StreamSchema, options: Partial<TableSpec> = {}): TableSpec {
  const defaults = { naming: "source", drift: "evolve", deletes: "mark" } as const;
  return { sync: "kit", table: schema.name, schema, ...defaults, ...options };
}

/** The table most behaviours use: key, price, status, time of change. */
export const LISTING: StreamSchema = streamOf(
  [
    field("ListingKey", TEXT),
    field("ListPrice", DECIMAL),
    field("StandardStatus", TEXT),
    field("ModificationTimestamp", TIMESTAMP),
  ],
  { modifiedAt: "ModificationTimestamp" },
);

/** A row of `LISTING`. */
export function listing(id: string, price: string | null = "100", status = "Active"): RowUpsert {
  return row(id, [id, price, status, "2024-05-01T08:30:00.123456Z"]);
}

export const row = (id: string, values: Values, hash = `hash of ${id}`): RowUpsert => ({
  key: key(id),
  values,
  hash,
});

export function batch(table: TableSpec, parts: Partial<Omit<RowBatch, "table">>): RowBatch {
  return { table, upserts: [], deletes: [], rehash: [], at: 1000, ...parts };
}

/** Makes the table and writes the rows to it. */
export async function seed(
  destination: Destination,
  table: TableSpec,
  upserts: readonly RowUpsert[],
): Promise<void> {
  await destination.prepare(table);
  await destination.write(batch(table, { upserts }));
}

/** The values of one row, or undefined where there is none. */
export async function valuesOf(
  destination: Destination,
  table: TableSpec,
  id: string,
): Promise<Values | undefined> {
  return (await destination.load(table, [key(id)])).get(key(id))?.values;
}

/** Waits for a rejection with the code, and gives it. */
export async function rejected(work: Promise<unknown>, code: ErrorCode): Promise<SyncError> {
  const error = await work.then(
    () => assert.fail(`expected ${code}, but it went through`),
    (reason: unknown) => reason,
  );
  if (!isSyncError(error)) throw error;
  assert.equal(error.code, code, error.message);
  return error;
}
