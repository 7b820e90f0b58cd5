import { DatabaseSync } from "node:sqlite";
import pg from "pg";

const BATCH = 500;
const HASH = "a".repeat(43);

/** Changed records a second. */
export interface ApplyFloor {
  /** The record, its two sides and one row of a journal are kept. */
  readonly agreed: number;
  /** Nothing is kept but a row of a journal. */
  readonly noted: number;
}

/**
 * The least that a home on SQLite needs for a changed record, by a bare script: each table updated
 * in one statement a batch, then what is kept of it kept in one durable transaction. Nothing is
 * observed, compared, planned or expected, no intent is kept before a write, and only rows are
 * touched. The home is of no use afterwards. One percent of each table, far apart, is updated, as by
 * `reconcile.ts`.
 */
export async function applyFloor(
  urls: readonly string[],
  home: string,
  records: number,
  step: number,
): Promise<ApplyFloor> {
  const database = new DatabaseSync(home);
  database.exec("PRAGMA synchronous = FULL; PRAGMA cache_size = -32768");
  database.exec("CREATE TABLE floor_journal (id INTEGER PRIMARY KEY, operation TEXT)");
  const clients = await Promise.all(
    urls.map(async (connectionString) => {
      const client = new pg.Client({ connectionString });
      await client.connect();
      // The tables have triggers of capture by now.
      await client.query("SET session_replication_role = replica");
      return client;
    }),
  );
  const measure = async (first: number, keep: (stored: Stored) => void): Promise<number> => {
    const begun = performance.now();
    let written = 0;
    for (let from = 0; from < records; from += BATCH * step) {
      const batches = await Promise.all(
        clients.map((client, at) => update(client, skus(from, records, step, first + at))),
      );
      database.exec("BEGIN IMMEDIATE");
      for (const stored of batches.flat()) keep(stored);
      database.exec("COMMIT");
      written += batches.flat().length;
    }
    return Math.round((written / (performance.now() - begun)) * 1000);
  };
  const agreed = await measure(5, keepAgreed(database));
  const noted = await measure(7, keepNoted(database));
  await Promise.all(clients.map((client) => client.end()));
  database.close();
  return { agreed, noted };
}

type Stored = readonly string[];

function skus(from: number, records: number, step: number, first: number): readonly string[] {
  const numbers = Array.from({ length: BATCH }, (_, nth) => from + nth * step + first);
  return numbers
    .filter((number) => number < Math.min(records, from + BATCH * step))
    .map((number) => `SKU-${String(number).padStart(9, "0")}`);
}

async function update(client: pg.Client, keys: readonly string[]): Promise<readonly Stored[]> {
  const { rows } = await client.query<string[]>({
    name: "update",
    text: `UPDATE items AS t SET stock = t.stock + 1 FROM unnest($1::text[]) AS r (sku)
      WHERE t.sku = r.sku RETURNING t.sku, t.name, t.price::text, t.stock::text, t.note, t.xmin::text`,
    values: [keys],
    rowMode: "array",
  });
  return rows;
}

/** In the table and the rows that the sync has there. */
function keepAgreed(database: DatabaseSync): (stored: Stored) => void {
  const find = database.prepare(
    "SELECT link FROM _lockstep_agreements WHERE sync = 'items' AND side = 'a' AND key = ?",
  );
  const parts = database.prepare(
    "SELECT id, side FROM _lockstep_agreements WHERE sync = 'items' AND link = ?",
  );
  const record = database.prepare("UPDATE _lockstep_agreements SET field_values = ? WHERE id = ?");
  const side = database.prepare(
    "UPDATE _lockstep_agreements SET hash = ?, field_values = ?, version = ?, digest = ? WHERE id = ?",
  );
  const note = keepNoted(database);
  let digest = 0;
  return (stored) => {
    const text = JSON.stringify(stored);
    const link = Number(find.get(stored[0] ?? "")?.["link"]);
    for (const { id, side: name } of parts.all(link)) {
      digest += 1;
      if (name === "") record.run(text, Number(id));
      else side.run(HASH, `[${text}]`, stored.at(-1) ?? null, digest, Number(id));
    }
    note(stored);
  };
}

function keepNoted(database: DatabaseSync): (stored: Stored) => void {
  const journal = database.prepare("INSERT INTO floor_journal (operation) VALUES (?)");
  return (stored) => void journal.run(JSON.stringify(stored));
}
