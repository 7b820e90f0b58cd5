import { compareCopies } from "../core/comparison.ts";
import { diffValues } from "../core/diff.ts";
import type { Problem, RecordKey, StreamRecord } from "../model/record.ts";
import { fieldIndex, type StreamSchema } from "../model/schema.ts";
import type { StoredRow } from "../ports/destination.ts";
import type { ReplicaStream } from "./replica-stream.ts";
import { readByKeys } from "./replicate/read-by-keys.ts";
import type { ComparedRecord } from "./results.ts";

/** A record as both sides have it now, and what the rules say of the source's copy. */
export interface KeyComparison {
  readonly record: ComparedRecord;
  /** A rule keeps the source's copy out of the replica, so nothing would bring it in step. */
  readonly rejected: boolean;
}

/** Reads the keys from both sides and compares them whole, in the order of the keys. */
export async function compareKeys(
  stream: ReplicaStream,
  keys: readonly RecordKey[],
): Promise<readonly KeyComparison[]> {
  if (keys.length === 0) return [];
  const served = await readByKeys(stream, keys);
  const rows = await stream.context.destination.load(stream.table, keys);
  const records = new Map(served.records.map((record) => [record.key, record]));
  const bad = new Map(served.bad.map((record) => [record.key, record.problems]));
  return keys.map((key) => {
    const row = rows.get(key);
    const living = row?.deletedAt === undefined ? row : undefined;
    const record = records.get(key);
    const problems = record === undefined ? bad.get(key) : undefined;
    return problems === undefined
      ? compareRecord(stream, key, living, record)
      : unreadable(stream, key, living, problems);
  });
}

function compareRecord(
  { schema, judge }: Pick<ReplicaStream, "schema" | "judge">,
  key: RecordKey,
  row: StoredRow | undefined,
  remote: StreamRecord | undefined,
): KeyComparison {
  const local = row && copyOf(schema, row);
  const fields = row && remote ? diffValues(schema, row.values, remote.values) : [];
  const { state, action } = compareCopies(local, remote, fields);
  const rejected = remote !== undefined && judge(remote.values)?.action === "reject";
  return {
    rejected,
    record: {
      key,
      state,
      action: rejected ? "none" : action,
      ...(local?.modifiedAt === undefined ? {} : { localModifiedAt: local.modifiedAt }),
      ...(remote?.modifiedAt === undefined ? {} : { remoteModifiedAt: remote.modifiedAt }),
      fields,
    },
  };
}

/** The source has the record, but what it serves does not fit the schema. */
function unreadable(
  { schema }: Pick<ReplicaStream, "schema">,
  key: RecordKey,
  row: StoredRow | undefined,
  problems: readonly Problem[],
): KeyComparison {
  const local = row && copyOf(schema, row);
  return {
    rejected: false,
    record: {
      key,
      state: local === undefined ? "local-missing" : "different",
      action: local === undefined ? "create" : "update",
      ...(local?.modifiedAt === undefined ? {} : { localModifiedAt: local.modifiedAt }),
      fields: [],
      problems,
    },
  };
}

/** The row's own time of last change, where its stream has one. */
export function modifiedAtOf(schema: StreamSchema, row: StoredRow): string | undefined {
  if (schema.modifiedAt === undefined) return undefined;
  const value = row.values[fieldIndex(schema, schema.modifiedAt)];
  return typeof value === "string" ? value : undefined;
}

function copyOf(schema: StreamSchema, row: StoredRow): { readonly modifiedAt?: string } {
  const modifiedAt = modifiedAtOf(schema, row);
  return modifiedAt === undefined ? {} : { modifiedAt };
}
