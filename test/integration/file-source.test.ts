import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { openSqlite } from "../../src/drivers/sqlite/database.ts";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";
import { LOCKSTEP } from "./support.ts";

let folder: ReturnType<typeof createTemporaryFolder>;

beforeEach(() => {
  folder = createTemporaryFolder();
  configure("path: ./stock.csv, key: sku");
});
afterEach(() => folder.remove());

function configure(system: string): void {
  writeFileSync(
    join(folder.path, "lockstep.yaml"),
    `home: sqlite:./lockstep.db
systems:
  shop: { connector: file, ${system} }
syncs:
  stock: { replicate: shop, streams: { stock: } }
`,
  );
}

const stock = (lines: readonly string[]): void =>
  writeFileSync(join(folder.path, "stock.csv"), ["sku,price,note", ...lines, ""].join("\n"));

async function lockstep(
  ...args: string[]
): Promise<{ readonly exit: number | null; readonly text: string }> {
  const [program, main] = LOCKSTEP;
  const child = spawn(program, [main, ...args], { cwd: folder.path, env: { TZ: "UTC" } });
  const output: Buffer[] = [];
  child.stdout.on("data", (piece: Buffer) => output.push(piece));
  child.stderr.on("data", (piece: Buffer) => output.push(piece));
  const exit = await new Promise<number | null>((done) => child.on("close", done));
  return { exit, text: Buffer.concat(output).toString() };
}

function rows(): readonly unknown[] {
  const database = openSqlite(join(folder.path, "lockstep.db"), { readOnly: true });
  try {
    return database.prepare("SELECT sku, price, note FROM stock ORDER BY sku").all();
  } finally {
    database.close();
  }
}

test("a file that people edit is kept in a database, run by run", async () => {
  stock(["007,1.50,first", "8,2.25,", '9,3.75,""']);
  const first = await lockstep("run");
  assert.equal(first.exit, 0, first.text);
  assert.deepEqual(rows(), [
    ["007", "1.5", "first"],
    ["8", "2.25", null],
    ["9", "3.75", ""],
  ]);
  stock(["8,2.30,new price", '9,3.75,""', "10,0.000000000001,new"]);
  const second = await lockstep("run");
  assert.equal(second.exit, 0, second.text);
  assert.deepEqual(rows(), [
    ["10", "0.000000000001", "new"],
    ["8", "2.3", "new price"],
    ["9", "3.75", ""],
  ]);
  const changes = await lockstep("changes", "--json");
  assert.match(changes.text, /"before":"2\.25","after":"2\.3"/);
  const verified = await lockstep("verify", "--fields");
  assert.equal(verified.exit, 0, verified.text);
});

test("a broken line deletes nothing and is set aside until it is mended", async () => {
  stock(["007,1.50,a", "8,2.25,b", "9,3.75,c"]);
  await lockstep("run");
  stock(["007,1.75,a", '8,2"25,b', "9,3.75,c"]);
  const broken = await lockstep("run");
  assert.equal(broken.exit, 4, broken.text);
  assert.deepEqual(rows(), [
    ["007", "1.75", "a"],
    ["8", "2.25", "b"],
    ["9", "3.75", "c"],
  ]);
  const parked = await lockstep("parked", "list");
  assert.match(parked.text, /Line 3/);
  stock(["007,1.75,a", "9,3.75,c"]);
  const mended = await lockstep("run");
  assert.equal(mended.exit, 0, mended.text);
  assert.deepEqual(rows(), [
    ["007", "1.75", "a"],
    ["9", "3.75", "c"],
  ]);
});

test("a file that is gone or empty deletes nothing", async () => {
  stock(["1,1.5,a", "2,2.5,b"]);
  await lockstep("run");
  writeFileSync(join(folder.path, "stock.csv"), "");
  const empty = await lockstep("run");
  assert.equal(empty.exit, 1, empty.text);
  assert.match(empty.text, /does not begin with a line of column names/);
  stock([]);
  const bare = await lockstep("run");
  assert.notEqual(bare.exit, 0, bare.text);
  assert.equal(rows().length, 2);
});

test("what is missing in the configuration is named", async () => {
  for (const [system, wanted] of [
    ["path: ./stock.csv", /has no `key`/],
    ["folder: ./out", /has no `path` of a file to read/],
    ["path: ./stock.dat, key: sku", /does not end in \.csv, \.jsonl or \.xlsx/],
    ["path: ./stock.csv, key: sku, encoding: klingon", /`encoding` is "klingon"/],
    ["path: ./stock.csv, key: sku, fields: { price: money }", /is "money"; allowed: text, integer/],
  ] as const) {
    configure(system);
    const { exit, text } = await lockstep("check");
    assert.equal(exit, 2, text);
    assert.match(text, wanted);
  }
});
