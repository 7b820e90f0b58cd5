/**
 * Two tables of equal records on PostgreSQL kept in step: first sync, a run with nothing to do, one
 * percent changed on each side, verify; then with captured changes: nothing to do, and again one
 * percent changed. Beside each run the floor: the keys and a hash of every row of both tables, read
 * by a bare script; in the end, how many changed records a second a bare script could apply. Each run
 * is a process of its own, of the compiled package, so that its memory is what it tells; its start is
 * not counted.
 *
 * node bench/reconcile.ts [--home sqlite|postgres] [SIZE…]
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import pg from "pg";

import { applyFloor } from "./apply-floor.ts";
import { buildPackage } from "./built.ts";
import { startPostgres } from "./postgres.ts";
import type { Reconciled } from "./reconcile-once.ts";
import { sentFloor } from "./sent-floor.ts";

const once = promisify(execFile);
const SIZES = [10_000, 100_000, 1_000_000];
const CHANGED = 0.01;

interface Row {
  readonly what: string;
  readonly ms: number;
  readonly cpuMs: number;
  readonly floorMs: number;
  readonly peakBytes: number;
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

async function measure(records: number, home: string, app: string): Promise<void> {
  const server = await startPostgres();
  const folder = mkdtempSync(join(tmpdir(), "lockstep-bench-reconcile-"));
  try {
    const [a, b, own] = [await server.create(), await server.create(), await server.create()];
    await Promise.all([fill(a, records), fill(b, records)]);
    const configure = (observe: string): void =>
      writeFileSync(
        join(folder, "lockstep.yaml"),
        `${home === "postgres" ? "home: env:URL_HOME\n" : ""}systems:
  a: { connector: postgres, url: env:URL_A }
  b: { connector: postgres, url: env:URL_B }
syncs:
  items:
    match: sku
    fields: { sku: , name: , price: , stock: , note: }
    policy: latest-wins
    guard: { changeShare: 100%, changeCount: 10000000 }
    sides:
      a: { system: a, stream: items${observe} }
      b: { system: b, stream: items${observe} }
`,
      );
    configure("");
    const rows: Row[] = [];
    const act = async (verb: "run" | "verify" | "capture"): Promise<Reconciled> => {
      const env = { ...process.env, URL_A: a, URL_B: b, URL_HOME: own };
      const script = join(import.meta.dirname, "reconcile-once.ts");
      const { stdout } = await once(process.execPath, [script, folder, verb, app], { env });
      return JSON.parse(stdout) as Reconciled;
    };
    const time = async (what: string, verb: "run" | "verify"): Promise<void> => {
      const floorMs = await floor([a, b]);
      rows.push({ what, floorMs, ...(await act(verb)) });
    };
    await time("first sync, equal tables", "run");
    await time("nothing to do", "run");
    await change(a, records, "stock", 0);
    await change(b, records, "price", 1);
    await time("1% changed on each side", "run");
    await time("verify, equal", "verify");
    await change(b, records, "price", 2);
    await time("verify, 1% different", "verify");
    await act("capture");
    configure(", observe: changes, overlap: 0s");
    // Capture that was just installed tells nothing of before: each side is read whole once.
    await act("run");
    await time("captured, nothing to do", "run");
    await change(a, records, "stock", 3);
    await change(b, records, "price", 4);
    await time("captured, 1% changed", "run");
    print(records, home, rows);
    if (home !== "sqlite") return;
    const least = await applyFloor([a, b], join(folder, "lockstep.db"), records, 1 / CHANGED);
    process.stdout.write(
      `  the least of applying, by a bare script: ${least.agreed}/s; ${least.noted}/s where nothing is kept but a journal\n`,
    );
    const sent = await sentFloor([a, b], 1 / CHANGED, 9);
    process.stdout.write(
      `  sent by the connector, nothing kept: ${sent.perSecond}/s, ${sent.cpuMicros} µs of the processor each\n`,
    );
  } finally {
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(records: number, home: string, rows: readonly Row[]): void {
  process.stdout.write(`${records} records on each side, home on ${home}\n`);
  for (const { what, ms, cpuMs, floorMs, peakBytes, note } of rows) {
    const cells = [
      what.padEnd(26),
      `${(ms / 1000).toFixed(2)} s`.padStart(10),
      `CPU ${(cpuMs / 1000).toFixed(2)} s`.padStart(13),
      `floor ${(floorMs / 1000).toFixed(2)} s`.padStart(15),
      `${(ms / floorMs).toFixed(2)}×`.padStart(9),
      `${Math.round(peakBytes / 1e6)} MB`.padStart(7),
      note,
    ];
    process.stdout.write(`  ${cells.join("  ")}\n`);
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { home: { type: "string", default: "sqlite" } },
});
if (values.home !== "sqlite" && values.home !== "postgres") {
  throw new Error(`--home is "${values.home}", expected sqlite or postgres.`);
}
const built = buildPackage();
try {
  for (const size of positionals.length > 0 ? positionals.map(Number) : SIZES) {
    await measure(size, values.home, built.app);
  }
} finally {
  rmSync(built.folder, { recursive: true, force: true });
}
