import { openSqlite, type SqliteDatabase, type SqlValue } from "../drivers/sqlite/database.ts";

/** One record of a server's own truth, as `SampleMls.truth` gives it. */
export interface TrueRecord {
  readonly key: number | string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What must be equal: a table of the replica (source naming) and the server's truth. */
export interface ProvenStream {
  readonly stream: string;
  readonly truth: Iterable<TrueRecord>;
  readonly keyField: string;
  /** Multi-value fields that the server writes as one comma-joined text. */
  readonly lists: readonly string[];
}

export interface Proof {
  readonly stream: string;
  readonly records: number;
  /** Values compared, one for each field of each record. */
  readonly values: number;
  /** Differences in words, at most twenty. */
  readonly differences: readonly string[];
}

/**
 * Compares tables with truths value by value, by the text of the SQLite file alone: none of the
 * code that read, decoded or wrote the replica takes part.
 */
export function proveReplica(
  databasePath: string,
  streams: readonly ProvenStream[],
): readonly Proof[] {
  const database = openSqlite(databasePath, { readOnly: true });
  try {
    return streams.map((stream) => proveStream(database, stream));
  } finally {
    database.close();
  }
}

function proveStream(database: SqliteDatabase, proven: ProvenStream): Proof {
  const { stream, keyField } = proven;
  const columns = database
    .prepare(`SELECT name FROM pragma_table_info('${stream}')`)
    .all()
    .map(([name]) => String(name));
  const own = columns.filter((name) => !name.startsWith("_lockstep_"));
  const list = own.map((name) => `"${name}"`).join(", ");
  const living = columns.includes("_lockstep_deleted_at")
    ? ' WHERE "_lockstep_deleted_at" IS NULL'
    : "";
  const rows = database
    .prepare(`SELECT ${list} FROM "${stream}"${living}`, { bigints: true })
    .all();
  const keyAt = own.indexOf(keyField);
  const byKey = new Map(rows.map((row) => [String(row[keyAt]), row]));
  const differences: string[] = [];
  let records = 0;
  let values = 0;
  for (const record of proven.truth) {
    records += 1;
    const row = byKey.get(String(record.key));
    byKey.delete(String(record.key));
    if (row === undefined) {
      differences.push(`${stream} ${record.key} is missing`);
      continue;
    }
    for (const [field, value] of Object.entries(record.fields)) {
      values += 1;
      const expected = plainTruth(value, proven.lists.includes(field));
      const found = plainStored(row[own.indexOf(field)] ?? null, proven.lists.includes(field));
      if (expected !== found)
        differences.push(`${stream} ${record.key} ${field}: ${found}, should be ${expected}`);
    }
  }
  for (const key of byKey.keys()) differences.push(`${stream} ${key} should not be there`);
  return { stream, records, values, differences: differences.slice(0, 20) };
}

function plainTruth(value: unknown, isList: boolean): string {
  if (value === null || value === undefined) return "null";
  if (isList)
    return JSON.stringify(
      String(value)
        .split(",")
        .map((item) => item.trim())
        .sort(),
    );
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "object") return JSON.stringify(value);
  return plainNumber(String(value));
}

function plainStored(value: SqlValue, isList: boolean): string {
  if (value === null) return "null";
  if (isList) return JSON.stringify((JSON.parse(String(value)) as string[]).sort());
  return plainNumber(String(value));
}

/** `459900.0` and `459900` are one decimal; any other text is itself. */
function plainNumber(text: string): string {
  return /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, "") : text;
}
