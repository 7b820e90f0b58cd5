import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createScene, type Scene } from "./scene.ts";

/** A shop and a warehouse that call things differently. */
function twoSystems(t: TestContext): Scene {
  const scene = createScene(t);
  const items = Array.from({ length: 40 }, (_, at) => at);
  const values = items.map(
    (at) =>
      `(${at + 1}, 'A-${100 + at}', 'Thing ${at}', ${at * 7 + 50}, ${at % 9}, '2026-01-01 00:00:00')`,
  );
  scene.sql(`CREATE TABLE product (id INTEGER PRIMARY KEY, sku TEXT NOT NULL, name TEXT,
      cents INTEGER, stock INTEGER, updated_at TIMESTAMP);
    INSERT INTO product VALUES ${values.join(", ")}`);
  const lines = items
    .slice(4)
    .map(
      (at) => `A-${100 + at},thing ${at} ,${((at * 7 + 50) / 100).toFixed(2)},${at % 9},R${at % 5}`,
    );
  scene.csv(
    "goods.csv",
    "Item No,Title,Price,On hand,Bin",
    ...lines,
    "A-900,Lamp,9,1,R1",
    "A-901,A,1,1,R1",
    "A-901,B,1,1,R1",
  );
  return scene;
}

test("`init reconcile` finds key, fields, units and types, and writes what plan takes", async (t) => {
  const scene = twoSystems(t);
  const { exit, out, err } = await scene.cli(
    ..."init reconcile --sqlite shop.db --csv goods.csv --name stock".split(" "),
  );
  assert.equal(exit, 0, err);
  assert.match(out, /Records are matched by sku/);
  assert.match(out, /36 on both sides, 4 only in shop, 1 only in goods, 1 stands more than once/);
  assert.match(out, /name +text +name +Title +36 of 36/);
  assert.match(out, /cents +integer|cents +decimal/);
  assert.match(out, /not shared, of shop: id, updated_at/);
  assert.match(out, /not shared, of goods: Bin/);
  assert.deepEqual(
    readdirSync(scene.directory).sort(),
    ["goods.csv", "lockstep.yaml", "shop.db"],
    "nothing but the file",
  );
  const text = readFileSync(join(scene.directory, "lockstep.yaml"), "utf8");
  assert.match(text, /name: Title +# the same in 36 of 36 records/);
  assert.match(text, /sku: "Item No"/);
  assert.match(text, /scale: "?100"?/);
  assert.match(text, /stock: "On hand"/);
  assert.match(text, /name: \{ type: text, compare: \{ trim: true, ignoreCase: true \} \}/);
  const plan = await scene.cli("plan", "stock");
  assert.equal(plan.exit, 5, plan.err + plan.out);
  assert.match(plan.out, /A-900/);
  const run = await scene.cli("run", "stock");
  assert.ok([0, 4].includes(run.exit), run.err + run.out);
  const second = await scene.cli("plan", "stock");
  assert.equal(second.exit, 4, second.out);
  assert.match(second.out, /^Nothing to do by itself: stock: records are left out of step\./);
  const [lamp] = scene.rows("SELECT name, cents, stock FROM product WHERE sku = 'A-900'");
  assert.deepEqual(lamp, { name: "Lamp", cents: 900, stock: 1 });
});

/** Lines of orders: neither the order nor the line tells them apart. */
function twoOfOrders(t: TestContext): { readonly scene: Scene; readonly lines: readonly string[] } {
  const scene = createScene(t);
  const pairs = Array.from({ length: 12 }, (_, order) => [1, 2, 3].map((line) => [order, line]));
  const all = pairs
    .flat()
    .map(([order = 0, line = 0]) => ({ order, line, qty: (order * line) % 5 }));
  const rows = all.map(({ order, line, qty }) => `(${1000 + order}, ${line}, ${qty})`);
  scene.sql(`CREATE TABLE order_line (order_no INTEGER, line INTEGER, qty INTEGER,
      PRIMARY KEY (order_no, line));
    INSERT INTO order_line VALUES ${rows.slice(2).join(", ")}`);
  return { scene, lines: all.map(({ order, line, qty }) => `${1000 + order},${line},${qty}`) };
}

for (const [title, args] of [
  ["of a table", "--sqlite shop.db --csv pick.csv"],
  ["of two files", "--csv packed.csv --csv pick.csv"],
] as const) {
  test(`where no one field tells records apart, several do: ${title}`, async (t) => {
    const { scene, lines } = twoOfOrders(t);
    scene.csv("pick.csv", "Order No,Line,Qty", ...lines.slice(0, -3));
    scene.csv("packed.csv", "order_no,line,qty", ...lines.slice(2));
    const { exit, out, err } = await scene.cli(
      ..."init reconcile --name orders".split(" "),
      ...args.split(" "),
    );
    assert.equal(exit, 0, err);
    assert.match(out, /Records are matched by order_no and line:/);
    assert.match(out, /31 on both sides, 3 only in (?:shop|packed), 2 only in pick\n/);
    const text = readFileSync(join(scene.directory, "lockstep.yaml"), "utf8");
    assert.match(text, /match: \[order_no, line\]/);
    assert.match(
      text,
      /pick: \{ connector: file, path: \.\/pick\.csv, key: \["Order No", Line\] \}/,
    );
    const run = await scene.cli("run", "orders");
    assert.equal(run.exit, 0, run.err + run.out);
    const { length } = readFileSync(join(scene.directory, "pick.csv"), "utf8").trim().split("\n");
    assert.equal(length, 1 + lines.length);
  });
}

test("times of change are each side's own, though both have one of that name", async (t) => {
  const scene = twoSystems(t);
  scene.sql(`CREATE TABLE item (sku TEXT PRIMARY KEY, name TEXT, stock INTEGER, updated_at TIMESTAMP);
    INSERT INTO item SELECT sku, name, stock, '2026-02-02 00:00:00' FROM product`);
  const sides = "--side a=shop.product --side b=shop.item";
  const { exit, out, err } = await scene.cli(
    ...`init reconcile --sqlite shop.db ${sides}`.split(" "),
  );
  assert.equal(exit, 0, err);
  assert.match(out, /not shared, of a: id, cents, updated_at\n +not shared, of b: updated_at\n/);
  const plan = await scene.cli("plan", "inventory");
  assert.match(plan.out, /^To do: inventory: nothing to write, 40 records to agree on\./);
});

test("it writes over nothing, and beside a configuration that stands here", async (t) => {
  const scene = twoSystems(t);
  const yaml = `systems:
  shop: { connector: sqlite, path: ./shop.db }
  goods: { connector: file, path: ./goods.csv, key: Item No }
syncs: {}
`;
  writeFileSync(join(scene.directory, "lockstep.yaml"), yaml);
  const args = ["init", "reconcile", "--side", "a=shop.product", "--side", "b=goods.goods"];
  const first = await scene.cli(...args);
  assert.equal(first.exit, 0, first.err);
  assert.equal(readFileSync(join(scene.directory, "lockstep.yaml"), "utf8"), yaml);
  assert.ok(existsSync(join(scene.directory, "lockstep.reconcile.yaml")));
  const again = await scene.cli(...args);
  assert.equal(again.exit, 2);
  assert.match(again.err, /lockstep\.reconcile\.yaml" exists already; nothing was written/);
  const plan = await scene.cli("-c", "lockstep.reconcile.yaml", "plan", "inventory");
  assert.equal(plan.exit, 5, plan.err + plan.out);
});

test("what cannot be proposed is said, with what is there", async (t) => {
  const scene = twoSystems(t);
  scene.sql("CREATE TABLE other (id INTEGER PRIMARY KEY, word TEXT)");
  const says = async (args: string, ...words: readonly RegExp[]): Promise<void> => {
    const { exit, err } = await scene.cli(...args.split(" "));
    assert.equal(exit, 2, err);
    for (const word of words) assert.match(err, word);
  };
  await says("init reconcile", /Name two sides or more/, /--side NAME=SYSTEM\.STREAM/);
  await says("init reconcile --sqlite shop.db --csv goods.csv", /"shop" has other, product/);
  await says("init reconcile --sqlite shop.db --side shop", /expected NAME=SYSTEM\.STREAM/);
  const named = "--side 1a=shop.product --side b=goods.goods";
  await says(
    `init reconcile --sqlite shop.db --csv goods.csv ${named}`,
    /names a side "1a"; expected a name of letters, digits, _ and - that begins with a letter/,
  );
  await says("init reconcile --name my.sync", /--name is "my\.sync"; expected a name of letters/);
  const sides = "--side a=shop.prodct --side b=goods.goods";
  await says(
    `init reconcile --sqlite shop.db --csv goods.csv ${sides}`,
    /no stream "prodct"; streams: other, product/,
  );
  await says("init reconcile --side a=shp.product --side b=shp.other", /no system "shp"/);
  const strangers = "--side a=shop.other --side b=goods.goods";
  await says(
    `init reconcile --sqlite shop.db --csv goods.csv ${strangers}`,
    /No field of "a" and "b"/,
  );
  assert.equal(existsSync(join(scene.directory, "lockstep.yaml")), false);
});
