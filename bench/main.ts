import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { buildPackage } from "./built.ts";
import { startPostgres } from "./postgres.ts";
import { type Case, conditions, type Measured, memoryTable, type Row, tableOf } from "./report.ts";
import { type Place, runCase, runFloor } from "./scenario.ts";

const HELP = `npm run bench -- [options]

Replicates Property from a sample MLS in another process, beside the floor: the same pages fetched,
parsed and bulk-written by a bare script. Only the ratios of one run mean anything.

  --records N      records of the sample MLS (100000)
  --fields A,B     columns of Property (40,327)
  --page A,B       records of a page (200,1000)
  --database A,B   sqlite, postgres (both)
  --repeat N       interleaved repetitions, an odd number (1)
  --memory         only peak memory: a full copy of N records and of ten times as many
  --save           keep the tables in docs/performance.md
`;
const DOCS = join(import.meta.dirname, "..", "docs", "performance.md");
const CACHE_BYTES = 2 * 1024 ** 3;
/** A million rows of 40 fields are not kept as text: they are made anew for each read. */
const SMALL_CACHE_BYTES = 256 * 1024 ** 2;

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    records: { type: "string", default: "100000" },
    fields: { type: "string" },
    page: { type: "string" },
    database: { type: "string", default: "sqlite,postgres" },
    repeat: { type: "string", default: "1" },
    memory: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
  },
});
const numbers = (text: string): readonly number[] => text.split(",").map(Number);
const records = Number(values.records);
const repeat = Number(values.repeat);
const databases = values.database.split(",") as Case["database"][];
const directory = mkdtempSync(join(tmpdir(), "lockstep-bench-"));

if (values.help) console.log(HELP);
else if (
  !(repeat % 2 === 1) ||
  databases.some((name) => name !== "sqlite" && name !== "postgres")
) {
  console.error(HELP);
  process.exitCode = 2;
} else await bench();

async function bench(): Promise<void> {
  const loadBefore = loadavg()[0] ?? 0;
  const startedAt = performance.now();
  const built = buildPackage();
  const postgres = databases.includes("postgres") ? await startPostgres() : undefined;
  try {
    const shared = { built, directory, postgres };
    const tables = values.memory ? await measureMemory(shared) : await measureSpeed(shared);
    const minutes = ((performance.now() - startedAt) / 60_000).toFixed(0);
    const text = [conditions(repeat, loadBefore), ...tables.map((table) => table.join("\n"))];
    console.log(`\n${text.join("\n\n")}\n\nThe bench took ${minutes} minutes.`);
    if (values.save) save(values.memory ? "memory" : "speed", text.join("\n\n"));
  } finally {
    await postgres?.remove();
    rmSync(built.folder, { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
  }
}

type Shared = Pick<Place, "built" | "directory" | "postgres">;

async function measureSpeed(shared: Shared): Promise<readonly (readonly string[])[]> {
  const pages = numbers(values.page ?? "200,1000");
  await withPlace(shared, { count: 2000, fields: 40, page: 1000 }, async (place) => {
    // Fills the cache of compiled code, which whoever ran Lockstep once has.
    for (const database of databases)
      await runCase(place, { fields: 40, page: 1000, database }, () => {});
  });
  const tables: (readonly string[])[] = [];
  for (const fields of numbers(values.fields ?? "40,327")) {
    const size = { count: records, fields, page: Math.max(...pages) };
    const cases = pages.flatMap((page) =>
      databases.map((database) => ({ fields, page, database })),
    );
    const results = new Map(cases.map((each) => [each, new Map<Row, Measured[]>()]));
    await withPlace(shared, size, async (place) => {
      for (let repetition = 1; repetition <= repeat; repetition += 1) {
        for (const each of cases) {
          await runCase(place, each, (row, measured) => {
            const held = results.get(each);
            held?.set(row, [...(held.get(row) ?? []), measured]);
            progress(`${nameOf(each)}, ${repetition}/${repeat} ${row}`, measured);
          });
        }
      }
    });
    for (const [each, result] of results) tables.push(tableOf(each, result));
  }
  return tables;
}

async function measureMemory(shared: Shared): Promise<readonly (readonly string[])[]> {
  const peaks: (readonly [Case, number, number])[] = [];
  const [fields = 40] = numbers(values.fields ?? "40");
  const [page = 1000] = numbers(values.page ?? "1000");
  for (const count of [records, records * 10]) {
    await withPlace(
      shared,
      { count, fields, page, cacheBytes: SMALL_CACHE_BYTES },
      async (place) => {
        for (const database of databases) {
          const each: Case = { fields, page, database };
          const note = (_row: Row, measured: Measured): void => {
            peaks.push([each, count, measured.peakBytes]);
            progress(`${nameOf(each)}, ${count} records`, measured);
          };
          await runCase(place, each, note, ["full"]);
        }
      },
    );
  }
  return [memoryTable(peaks)];
}

interface Size {
  readonly count: number;
  readonly fields: number;
  readonly page: number;
  readonly cacheBytes?: number;
}

/** Starts a sample MLS, reads it once so that its rows are made, and ends it afterwards. */
async function withPlace(
  shared: Shared,
  { count, fields, page, cacheBytes = CACHE_BYTES }: Size,
  act: (place: Place) => Promise<void>,
): Promise<void> {
  const args = [count, fields, page, cacheBytes].map(String);
  const server = spawn(process.execPath, [join(import.meta.dirname, "server.ts"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = (await once(server.stdout, "data")) as [Buffer];
    const { url, control } = JSON.parse(line.toString()) as { url: string; control: string };
    const bare = { ...shared, url, control, edited: [] };
    const path = join(directory, "warm.db");
    await runFloor(bare, page, path);
    const database = new DatabaseSync(path);
    const keys = database
      .prepare(
        `SELECT key FROM (SELECT "ListingKeyNumeric" AS key, row_number() OVER () AS place FROM "Property")
         WHERE place % 10 = 0`,
      )
      .all();
    database.close();
    for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
    await act({ ...bare, edited: keys.map(({ key }) => Number(key)) });
  } finally {
    server.kill();
  }
}

function nameOf({ fields, page, database }: Case): string {
  return `${database}, ${fields} fields, pages of ${page}`;
}

function progress(what: string, { ms, peakBytes }: Measured): void {
  console.error(`${what}: ${(ms / 1000).toFixed(2)} s, ${Math.round(peakBytes / 1e6)} MB`);
}

/** Replaces what stands between the marks of that part. */
function save(part: "speed" | "memory", text: string): void {
  const page = readFileSync(DOCS, "utf8");
  const [begin, end] = [`<!-- ${part} -->`, `<!-- end of ${part} -->`];
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${DOCS} has no ${begin}.`);
  writeFileSync(DOCS, `${before}${begin}\n${text}\n${end}${after}`);
}
