/**
 * Two tables of equal records on PostgreSQL kept in step: first sync, a run with nothing to do, one
 * percent changed on each side, verify. Beside each run the floor: the keys and a hash of every row
 * of both tables, read by a bare script. One process a size, so that memory is its own.
 *
 * node bench/reconcile.ts [SIZE…]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { openLockstep } from "../src/app.ts";
import { startPostgres } from "./postgres.ts";

const SIZES = [10_000, 100_000, 1_000_000];
const CHANGED = 0.01;

interface Row {
  readonly what: string;
  readonly ms: number;
  readonly floorMs: number;
  readonly note: string;
}

async function fill(url: string, records: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`CREATE TABLE items (
    sku text COLLATE "C" PRIMARY KEY, name text, price numeric(12,2), stock integer,
    note text, updated_at timestamptz(3))`);
  await client.query(
    `INSERT INTO items SELECT 'SKU-' || lpad(n::text, 9, '0'), 'Item number ' || n,
       (n % 100000) / 100.0, n % 500, repeat('lorem ipsum ', 4), now() FROM generate_series(1, $1::int) AS n`,
    [records],
  );
  await client.query("ANALYZE items");
  await client.end();
}

/** Every key with a hash of its row, as cheaply as a client can have them. */
async function floor(urls: readonly string[]): Promise<number> {
  const begun = performance.now();
  await Promise.all(
    urls.map(async (connectionString) => {
      const client = new pg.Client({ connectionString });
      await client.connect();
      let after = "";
      let read = 0;
      for (;;) {
        const { rows } = await client.query({
          text: `SELECT sku, hashtextextended(t::text, 0)::text FROM items AS t
            WHERE sku > $1 ORDER BY sku LIMIT 10000`,
          values: [after],
          rowMode: "array",
        });
        read += rows.length;
        const last = rows.at(-1) as readonly string[] | undefined;
        if (last?.[0] === undefined) break;
        after = last[0];
      }
      await client.end();
      return read;
    }),
  );
  return performance.now() - begun;
}

async function change(url: string, records: number, field: string, from: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const step = Math.round(1 / CHANGED);
  await client.query(
    `UPDATE items SET ${field} = ${field} + 1, updated_at = now()
     WHERE substr(sku, 5)::int % $1::int = $2::int`,
    [step, from],
  );
  await client.end();
  if (records < step) throw new Error("too few records to change a share of");
}

async function measure(records: number): Promise<void> {
  const server = await startPostgres();
  const folder = mkdtempSync(join(tmpdir(), "lockstep-bench-reconcile-"));
  try {
    const [a, b] = [await server.create(), await server.create()];
    await Promise.all([fill(a, records), fill(b, records)]);
    writeFileSync(
      join(folder, "lockstep.yaml"),
      `systems:
  a: { connector: postgres, url: env:URL_A }
  b: { connector: postgres, url: env:URL_B }
syncs:
  items:
    match: sku
    fields: { sku: , name: , price: , stock: , note: }
    policy: latest-wins
    guard: { changeShare: 100%, changeCount: 10000000 }
    sides:
      a: { system: a, stream: items }
      b: { system: b, stream: items }
`,
    );
    const lockstep = await openLockstep({
      directory: folder,
      env: { URL_A: a, URL_B: b },
    });
    const watch = { signal: new AbortController().signal };
    const rows: Row[] = [];
    let peak = 0;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 50);
    const time = async (what: string, act: () => Promise<string>): Promise<void> => {
      const floorMs = await floor([a, b]);
      const begun = performance.now();
      const note = await act();
      rows.push({ what, ms: performance.now() - begun, floorMs, note });
    };
    const run = async (): Promise<string> => {
      const { applied, outcome } = await lockstep.reconcile.run("items", watch);
      const written = Object.values(applied.sides).reduce((sum, side) => sum + side.written, 0);
      return `${outcome}, ${written} written`;
    };
    await time("first sync, equal tables", run);
    await time("nothing to do", run);
    await change(a, records, "stock", 0);
    await change(b, records, "price", 1);
    await time("1% changed on each side", run);
    await time("verify, equal", async () =>
      String((await lockstep.reconcile.verify("items", {}, watch)).isEqual),
    );
    await change(b, records, "price", 2);
    await time("verify, 1% different", async () =>
      JSON.stringify(
        (await lockstep.reconcile.verify("items", {}, watch)).sides.map(({ fields }) => fields),
      ),
    );
    clearInterval(timer);
    await lockstep.close();
    print(records, rows, peak);
  } finally {
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(records: number, rows: readonly Row[], peak: number): void {
  const mb = Math.round(peak / 1_048_576);
  process.stdout.write(`${records} records on each side; peak ${mb} MB\n`);
  for (const { what, ms, floorMs, note } of rows) {
    const cells = [
      what.padEnd(26),
      `${(ms / 1000).toFixed(2)} s`.padStart(10),
      `floor ${(floorMs / 1000).toFixed(2)} s`.padStart(15),
      `${(ms / floorMs).toFixed(2)}×`.padStart(9),
      note,
    ];
    process.stdout.write(`  ${cells.join("  ")}\n`);
  }
}

const asked = process.argv.slice(2).filter((word) => word !== "--one");
if (process.argv.includes("--one")) await measure(Number(asked[0]));
else {
  for (const size of asked.length > 0 ? asked : SIZES.map(String)) {
    spawnSync(process.execPath, [import.meta.filename, "--one", size], { stdio: "inherit" });
  }
}
