import { DatabaseSync } from "node:sqlite";
import pg from "pg";

// Compares every field of every record of the replica with the sample MLS's own truth, in key
// order, row by row. None of the code that read, decoded or wrote the replica takes part.
const [control = "", target = ""] = process.argv.slice(2);
const KEY = "ListingKeyNumeric";
const BATCH = 1000;
/** One row: its values as plain text by column, null for null. */
type PlainRow = Readonly<Record<string, string | null>>;

async function* sqliteRows(path: string): AsyncGenerator<PlainRow> {
  const database = new DatabaseSync(path, { readOnly: true });
  const select = database.prepare(`SELECT * FROM "Property" ORDER BY "${KEY}"`);
  select.setReadBigInts(true);
  for (const row of select.iterate()) {
    const plain: Record<string, string | null> = {};
    for (const [name, value] of Object.entries(row))
      plain[name] = value === null ? null : String(value);
    yield plain;
  }
  database.close();
}

async function* postgresRows(connectionString: string): AsyncGenerator<PlainRow> {
  const types = { getTypeParser: () => (text: string) => text };
  const client = new pg.Client({ connectionString, types: types as never });
  await client.connect();
  await client.query("SET TIME ZONE 'UTC'");
  const TIMESTAMPTZ = 1184;
  const BOOLEAN = 16;
  for (let last = "0"; ; ) {
    const { rows, fields } = await client.query<Record<string, string | null>>(
      `SELECT * FROM "Property" WHERE "${KEY}" > $1 ORDER BY "${KEY}" LIMIT ${BATCH}`,
      [last],
    );
    if (rows.length === 0) break;
    const convert = fields.filter(({ dataTypeID }) => [TIMESTAMPTZ, BOOLEAN].includes(dataTypeID));
    for (const row of rows) {
      for (const { name, dataTypeID } of convert) {
        const text = row[name] ?? null;
        if (text === null) continue;
        row[name] =
          dataTypeID === BOOLEAN
            ? text === "t"
              ? "1"
              : "0"
            : `${text.replace(" ", "T").replace(/\+00$/, "")}Z`;
      }
      yield row;
    }
    last = rows.at(-1)?.[KEY] ?? "";
  }
  await client.end();
}

interface True {
  readonly key: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

async function* truths(): AsyncGenerator<True> {
  const response = await fetch(`${control}/truth/Property`);
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield JSON.parse(line) as True;
  }
}

/** The words for a difference, if the stored text is not the true value. */
function isEqual(value: unknown, stored: string | null): boolean {
  if (value === null || value === undefined) return stored === null;
  if (stored === null) return false;
  if (typeof value === "boolean") return stored === (value ? "1" : "0");
  if (typeof value === "object") return stored === JSON.stringify(value);
  const text = String(value);
  if (text === stored || plainNumber(text) === plainNumber(stored)) return true;
  if (!stored.startsWith("[")) return false;
  // A list that the server writes as one text.
  const items = (text === "" ? [] : text.split(",")).map((item) => item.trim()).sort();
  return items.join("\n") === (JSON.parse(stored) as string[]).sort().join("\n");
}

/** `459900.0` and `459900` are one decimal; any other text is itself. */
const plainNumber = (text: string): string =>
  /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, "") : text;

const rows = target.startsWith("postgres:") ? postgresRows(target) : sqliteRows(target);
let records = 0;
let values = 0;
const differences: string[] = [];
for await (const { key, fields } of truths()) {
  const { value: row } = (await rows.next()) as { value: PlainRow | undefined };
  records += 1;
  if (row?.[KEY] !== String(key)) {
    differences.push(`record ${key} is missing, or ${row?.[KEY]} should not be there`);
    break;
  }
  for (const [name, value] of Object.entries(fields)) {
    values += 1;
    if (name in row && isEqual(value, row[name] ?? null)) continue;
    differences.push(`${key} ${name}: ${row[name]}, should be ${JSON.stringify(value)}`);
  }
  if (differences.length > 20) break;
}
if (differences.length === 0 && (await rows.next()).done !== true)
  differences.push("too many rows");
console.log(JSON.stringify({ records, values, differences: differences.slice(0, 5) }));
