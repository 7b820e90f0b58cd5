import { DatabaseSync } from "node:sqlite";
import pg from "pg";

const BATCH = 500;
const HASH = "a".repeat(43);

/**
 * The least that a home on SQLite needs for a changed record, by a bare script: each table updated
 * in one statement a batch, then the record, its two sides and one row of a journal kept in one
 * durable transaction. Nothing is observed, compared, planned or expected, no intent is kept before
 * a write, and only rows are touched. Gives records written a second; the home is of no use
 * afterwards. One percent of each table, far apart, is updated, as by `reconcile.ts`.
 */
export async function applyFloor(
  urls: readonly string[],
  home: string,
  records: number,
  step: number,
): Promise<number> {
  const keep = openHome(home);
  const clients = await Promise.all(
    urls.map(async (connectionString) => {
      const client = new pg.Client({ connectionString });
      await client.connect();
      // The tables have triggers of capture by now.
      await client.query("SET session_replication_role = replica");
      return client;
    }),
  );
  const begun = performance.now();
  let written = 0;
  for (let from = 0; from < records; from += BATCH * step) {
    const stored = await Promise.all(
      clients.map((client, at) => update(client, skus(from, records, step, at))),
    );
    written += keep(stored.flat());
  }
  const ms = performance.now() - begun;
  await Promise.all(clients.map((client) => client.end()));
  return Math.round((written / ms) * 1000);
}

type Stored = readonly string[];

function skus(from: number, records: number, step: number, at: number): readonly string[] {
  const numbers = Array.from({ length: BATCH }, (_, nth) => from + nth * step + 5 + at);
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

/** Keeps what was stored, in the tables that the sync has there; gives how many records it kept. */
function openHome(path: string): (stored: readonly Stored[]) => number {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA synchronous = FULL; PRAGMA cache_size = -32768");
  database.exec("CREATE TABLE floor_journal (id INTEGER PRIMARY KEY, operation TEXT)");
  const find = database.prepare(
    "SELECT link FROM _lockstep_sides WHERE sync = 'items' AND side = 'a' AND key = ?",
  );
  const both = database.prepare("SELECT id FROM _lockstep_sides WHERE sync = 'items' AND link = ?");
  const link = database.prepare(
    "UPDATE _lockstep_links SET agreed = ? WHERE sync = 'items' AND link = ?",
  );
  const side = database.prepare(
    "UPDATE _lockstep_sides SET hash = ?, acknowledged = ?, version = ?, digest = ? WHERE id = ?",
  );
  const journal = database.prepare("INSERT INTO floor_journal (operation) VALUES (?)");
  let digest = 0;
  return (stored) => {
    database.exec("BEGIN IMMEDIATE");
    for (const [sku = "", ...values] of stored) {
      const text = JSON.stringify([sku, ...values]);
      const own = Number(find.get(sku)?.["link"]);
      link.run(text, own);
      for (const { id } of both.all(own)) {
        digest += 1;
        side.run(HASH, `[${text}]`, values.at(-1) ?? null, digest, Number(id));
      }
      journal.run(text);
    }
    database.exec("COMMIT");
    return stored.length;
  };
}
