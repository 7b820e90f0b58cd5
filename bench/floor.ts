import { openSqlite } from "../src/drivers/sqlite/database.ts";

// The floor: the same pages fetched, parsed and bulk-written by a bare script, with no engine.
const [url = "", token = "", path = ""] = process.argv.slice(2);
const startedAt = performance.now();
const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
const database = openSqlite(path);
let write: ReturnType<typeof database.prepare> | undefined;
let names: readonly string[] = [];
let last = 0;
let records = 0;
for (;;) {
  const query = `$orderby=ListingKeyNumeric&$filter=ListingKeyNumeric%20gt%20${last}`;
  const response = await fetch(`${url}/Property?${query}`, { headers });
  const page = (JSON.parse(await response.text()) as { value: Record<string, unknown>[] }).value;
  if (page.length === 0) break;
  const [first = {}] = page;
  if (write === undefined) {
    names = Object.keys(first).filter((name) => !name.startsWith("@"));
    const columns = names.map((name) =>
      name === "ListingKeyNumeric" ? `"${name}" INTEGER PRIMARY KEY` : `"${name}"`,
    );
    database.exec(`CREATE TABLE "Property" (${columns.join(", ")})`);
    const marks = names.map(() => "?").join(", ");
    write = database.prepare(`INSERT OR REPLACE INTO "Property" VALUES (${marks})`);
  }
  const insert = write;
  database.transaction(() => {
    for (const record of page) insert.run(names.map((name) => bindable(record[name])));
  });
  records += page.length;
  last = Number(page.at(-1)?.["ListingKeyNumeric"]);
}
database.close();
console.log(
  JSON.stringify({
    records,
    ms: performance.now() - startedAt,
    cpuMs: process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  }),
);

function bindable(value: unknown): null | number | string {
  if (value === null || typeof value === "number" || typeof value === "string") return value;
  return typeof value === "boolean" ? Number(value) : JSON.stringify(value ?? null);
}
