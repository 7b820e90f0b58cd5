import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ParkedJson } from "../../src/cli/json.ts";
import { createScene, type Row, type Scene } from "./scene.ts";

/** A shop that takes no price below one, and a warehouse that has such prices. */
function create(t: TestContext, lines: readonly string[], shop: Row = {}): Scene {
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL,
      price DECIMAL(12,2) CHECK (price >= 1), stock INTEGER);
    INSERT INTO product VALUES ('A', 5, 3)`);
  scene.csv("warehouse.csv", "sku,price,stock", ...lines);
  scene.configure({
    sync: {
      sides: {
        shop: { system: "shop", stream: "product", ...shop },
        warehouse: { system: "warehouse", stream: "warehouse" },
      },
      match: "sku",
      fields: { sku: null, price: { type: "decimal" }, stock: { type: "integer" } },
      policy: { prefer: "warehouse" },
    },
  });
  return scene;
}

async function parkedOf(scene: Scene): Promise<readonly unknown[]> {
  const { out } = await scene.cli("parked", "--sync", "inventory", "--json");
  const { parked } = JSON.parse(out) as ParkedJson;
  return parked.map(({ id, stream, key, attempts }) => [id, stream, key, attempts]);
}

const tries = (scene: Scene): string => String(scene.rows("SELECT * FROM product").length);

test("a refused write is parked with its reason, and not planned again until its value changes", async (t) => {
  const scene = create(t, ["A,5,3", "B,0.5,1"]);
  const first = await scene.cli("run");
  assert.equal(first.exit, 4);
  assert.match(first.out, /lockstep parked --sync inventory {2}shows what was refused and why/);
  assert.deepEqual(await parkedOf(scene), [[1, "shop", "B", 1]]);
  const shown = await scene.cli("parked", "show", "1");
  assert.match(shown.out, /CHECK constraint failed/);
  assert.match(shown.out, /"write": "create"/);
  assert.equal((await scene.cli("parked", "list", "--stream", "shop")).exit, 0);

  const plan = await scene.cli("plan");
  assert.equal(plan.exit, 4);
  assert.match(plan.out, /^Nothing to do by itself: inventory: 1 refused write parked\.$/m);
  assert.match(
    plan.out,
    /1 write that was refused is parked for a while, or until something changes there/,
  );
  const second = await scene.cli("run");
  assert.equal(second.exit, 4);
  assert.match(second.out, /^Done, with parked writes: inventory: nothing had to be written/);
  assert.deepEqual(await parkedOf(scene), [[1, "shop", "B", 1]], "it was not tried");
  assert.match((await scene.cli("status")).out, /1 refused write is parked; lockstep parked/);
  const verified = await scene.cli("verify", "inventory");
  assert.equal(verified.exit, 1, "the shop lacks what is agreed");
  assert.match(verified.out, /^shop: 1 missing\n {2}B {2}missing$/m);

  scene.edit("warehouse.csv", (text) => text.replace("0.5", "0.75"));
  assert.equal((await scene.cli("run")).exit, 4);
  assert.deepEqual(await parkedOf(scene), [[1, "shop", "B", 2]], "another value is tried");
  scene.edit("warehouse.csv", (text) => text.replace("0.75", "1.75"));
  assert.equal((await scene.cli("run")).exit, 0);
  assert.deepEqual(await parkedOf(scene), []);
  assert.deepEqual(scene.rows("SELECT price FROM product WHERE sku = 'B'"), [{ price: 1.75 }]);
  assert.deepEqual(await scene.plan(), []);
  assert.equal((await scene.cli("verify", "inventory")).exit, 0);
});

test("verify tells of a refused record also once records are matched by something else", async (t) => {
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY, name TEXT, stock INTEGER CHECK (stock < 9));
    INSERT INTO product VALUES ('A', 'Anvil', 5)`);
  scene.csv("warehouse.csv", "sku,name,stock", "A,Anvil,5", "B,Bell,12");
  const sides = {
    shop: { system: "shop", stream: "product" },
    warehouse: { system: "warehouse", stream: "warehouse" },
  };
  scene.configure({ sync: { sides, match: "sku" } });
  assert.equal((await scene.cli("run")).exit, 4);
  scene.reconfigure((sync) => ({ ...sync, match: "name" }));
  assert.equal((await scene.plan()).length, 1);
  assert.match((await scene.cli("verify")).out, /^shop: 1 missing\n {2}Bell {2}missing$/m);
});

test("a refused edit blocks no other field and no other record", async (t) => {
  const scene = create(t, ["A,5,3", "B,2,1"]);
  await scene.cli("run");
  scene.edit("warehouse.csv", (text) => text.replace("A,5,3", "A,0.5,3"));
  assert.equal((await scene.cli("run")).exit, 4);
  assert.deepEqual(await parkedOf(scene), [[1, "shop", "A", 1]]);
  scene.sql("UPDATE product SET stock = 8 WHERE sku = 'B'");
  await scene.cli("run");
  assert.equal(scene.cells("warehouse.csv")["B"]?.["stock"], "8");
  // The record that it is about changed there, so it is tried, and refused once more.
  scene.sql("UPDATE product SET stock = 9 WHERE sku = 'A'");
  await scene.cli("run");
  assert.equal(scene.cells("warehouse.csv")["A"]?.["stock"], "9");
  assert.deepEqual(scene.rows("SELECT price FROM product WHERE sku = 'A'"), [{ price: 5 }]);
  assert.equal((await scene.cli("plan")).exit, 4);
  // Whoever takes the edit back settles it.
  scene.edit("warehouse.csv", (text) => text.replace("A,0.5,9", "A,5,9"));
  assert.equal((await scene.cli("run")).exit, 0);
  assert.deepEqual(await parkedOf(scene), []);
});

test("a refused deletion is parked, and done when it is asked for again", async (t) => {
  const scene = create(t, ["A,5,3", "B,2,1"]);
  await scene.cli("run");
  scene.sql("CREATE TRIGGER stay BEFORE DELETE ON product BEGIN SELECT RAISE(ABORT, 'kept'); END");
  scene.edit("warehouse.csv", (text) => text.replace("B,2,1\n", ""));
  assert.equal((await scene.cli("run")).exit, 4);
  assert.deepEqual(await parkedOf(scene), [[1, "shop", "B", 1]]);
  assert.deepEqual(await scene.plan(), []);
  await scene.cli("run");
  assert.deepEqual(await parkedOf(scene), [[1, "shop", "B", 1]]);
  assert.equal(tries(scene), "2");
  assert.deepEqual(Object.keys(scene.cells("warehouse.csv")), ["A"], "and nothing comes back");

  scene.sql("DROP TRIGGER stay");
  assert.deepEqual(await scene.plan(), [], "nobody can know that");
  const retry = await scene.cli("parked", "retry", "1");
  assert.match(retry.out, /1 refused write is tried by the next run: lockstep run inventory/);
  assert.equal((await scene.cli("run")).exit, 0);
  assert.equal(tries(scene), "1");
  assert.deepEqual(await scene.plan(), []);
});

for (const [name, change] of [
  [
    "the configuration",
    (scene: Scene) => scene.reconfigure((sync) => ({ ...sync, tombstones: "30d" })),
  ],
  ["a column", (scene: Scene) => scene.sql("ALTER TABLE product ADD COLUMN note TEXT")],
] as const) {
  test(`another form of ${name} lets a refused write be tried again`, async (t) => {
    const scene = create(t, ["A,5,3", "B,0.5,1"]);
    await scene.cli("run");
    change(scene);
    await scene.cli("run");
    assert.deepEqual(await parkedOf(scene), [[1, "shop", "B", 2]]);
  });
}

test("--full tries what is parked", async (t) => {
  const scene = create(t, ["A,5,3", "B,0.5,1"]);
  await scene.cli("run");
  assert.equal((await scene.cli("run", "--full")).exit, 4);
  assert.deepEqual(await parkedOf(scene), [[1, "shop", "B", 2]]);
});
