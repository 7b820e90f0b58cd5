import { DatabaseSync, type StatementSync } from "node:sqlite";
import pg from "pg";

// The floor: the same pages fetched, parsed and bulk-written by a bare script, with no engine, no
// types, no history, no way to go on after a crash, and a double for every number.
const [url = "", token = "", size = "", target = ""] = process.argv.slice(2);
type Row = Readonly<Record<string, unknown>>;
const KEY = "ListingKeyNumeric";

interface Writer {
  write(page: readonly Row[]): Promise<void>;
  close(): Promise<void>;
}

function sqliteWriter(path: string): Writer {
  const database = new DatabaseSync(path);
  // As durable as the replica.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  let names: readonly string[] = [];
  let insert: StatementSync | undefined;
  return {
    async write(page) {
      if (names.length === 0) {
        names = namesOf(page);
        const columns = names.map(
          (name) => `"${name}"${name === KEY ? " INTEGER PRIMARY KEY" : ""}`,
        );
        database.exec(`CREATE TABLE "Property" (${columns.join(", ")})`);
      }
      insert ??= database.prepare(
        `INSERT OR REPLACE INTO "Property" VALUES (${names.map(() => "?").join(", ")})`,
      );
      database.exec("BEGIN");
      for (const record of page) insert.run(...names.map((name) => bindable(record[name])));
      database.exec("COMMIT");
    },
    close: async () => database.close(),
  };
}

/** Thousand rows a statement as one JSON text, which is the fastest bare way known with `pg`. */
function postgresWriter(connectionString: string): Writer {
  const client = new pg.Client({ connectionString });
  const connected = client.connect();
  let columns = "";
  return {
    async write(page) {
      await connected;
      if (columns === "") {
        columns = namesOf(page)
          .map((name) => `"${name}" ${columnType(page, name)}`)
          .join(", ");
        await client.query(`CREATE TABLE "Property" (${columns}, PRIMARY KEY ("${KEY}"))`);
      }
      await client.query(
        `INSERT INTO "Property" SELECT * FROM json_to_recordset($1::json) AS r (${columns})
         ON CONFLICT ("${KEY}") DO NOTHING`,
        [JSON.stringify(page)],
      );
    },
    close: () => client.end(),
  };
}

const namesOf = ([first = {}]: readonly Row[]): readonly string[] =>
  Object.keys(first).filter((name) => !name.startsWith("@"));

function columnType(page: readonly Row[], name: string): string {
  if (name === KEY) return "bigint";
  const value = page.find((record) => record[name] != null)?.[name];
  if (typeof value === "number") return "numeric";
  if (typeof value === "boolean") return "boolean";
  return typeof value === "object" ? "json" : "text";
}

function bindable(value: unknown): null | number | string {
  if (value === null || typeof value === "number" || typeof value === "string") return value;
  return typeof value === "boolean" ? Number(value) : JSON.stringify(value ?? null);
}

const writer = target.startsWith("postgres:") ? postgresWriter(target) : sqliteWriter(target);
const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
let last = 0;
let records = 0;
for (;;) {
  const query = `$orderby=${KEY}&$filter=${KEY}%20gt%20${last}&$top=${size}`;
  const response = await fetch(`${url}/Property?${query}`, { headers });
  const page = (JSON.parse(await response.text()) as { value: Row[] }).value;
  if (page.length === 0) break;
  await writer.write(page);
  records += page.length;
  last = Number(page.at(-1)?.[KEY]);
}
await writer.close();
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    records,
    ms: performance.now(),
    cpuMs: (user + system) / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  }),
);
