import { quoteIdentifier, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { StoredTable } from "../../model/drift.ts";
import type { FoundTable, RegisteredTable } from "../sql/destination-plan.ts";

const REGISTRY = "_lockstep_tables";

const CREATE = `CREATE TABLE IF NOT EXISTS ${REGISTRY} (
  name TEXT PRIMARY KEY COLLATE NOCASE,
  sync TEXT NOT NULL,
  stream TEXT NOT NULL,
  layout TEXT NOT NULL
)`;

export function ensureRegistry(database: SqliteDatabase, schema = "main"): void {
  database.exec(CREATE.replace(REGISTRY, `${quoteIdentifier(schema)}.${REGISTRY}`));
}

/** What the database knows of a name, whose case does not matter. */
export function lookUp(database: SqliteDatabase, name: string): FoundTable {
  const exists = hasObject(database, name);
  if (!hasObject(database, REGISTRY)) return { exists };
  const row = database
    .prepare(`SELECT name, sync, stream, layout FROM ${REGISTRY} WHERE name = ?`)
    .get([name]);
  if (row === undefined) return { exists };
  const [stored, sync, stream, layout] = row.map(String);
  const table = JSON.parse(layout ?? "") as StoredTable;
  return {
    exists,
    registered: { name: stored ?? name, sync: sync ?? "", stream: stream ?? "", table },
  };
}

export function register(database: SqliteDatabase, entry: RegisteredTable, schema = "main"): void {
  database
    .prepare(
      `INSERT INTO ${quoteIdentifier(schema)}.${REGISTRY} (name, sync, stream, layout)
       VALUES (?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET
         sync = excluded.sync, stream = excluded.stream, layout = excluded.layout`,
    )
    .run([entry.name, entry.sync, entry.stream, JSON.stringify(entry.table)]);
}

function hasObject(database: SqliteDatabase, name: string): boolean {
  const found = database
    .prepare("SELECT 1 FROM sqlite_master WHERE name = ? COLLATE NOCASE")
    .get([name]);
  return found !== undefined;
}
