import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createScene, type Row, type Scene } from "./scene.ts";

/** A shop and a warehouse that agree; the shop is right where both changed a field. */
async function agreed(t: TestContext, change: Row = {}): Promise<Scene> {
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY, name TEXT, stock INTEGER);
    INSERT INTO product VALUES ('A', 'Anvil', 5), ('B', 'Bell', 2)`);
  scene.csv("warehouse.csv", "sku,name,stock", "A,Anvil,5", "B,Bell,2");
  const sides = {
    shop: { system: "shop", stream: "product" },
    warehouse: { system: "warehouse", stream: "warehouse" },
  };
  const till = { connector: "file", path: "./till.csv", key: "code" };
  scene.configure({
    systems: { till },
    sync: { sides, match: "sku", policy: { prefer: "shop" }, ...change },
  });
  assert.equal((await scene.cli("run")).exit, 0);
  return scene;
}

const shopHas = (scene: Scene, columns: string): unknown =>
  scene.rows(`SELECT ${columns} FROM product WHERE sku = 'A'`)[0];

describe("what is agreed stays each field's own", () => {
  const fields = { sku: null, name: null, stock: null };

  test("when fields are moved in the configuration", async (t) => {
    const scene = await agreed(t, { fields });
    scene.reconfigure((sync) => ({ ...sync, fields: { stock: null, sku: null, name: null } }));
    scene.edit("warehouse.csv", (text) => text.replace("Anvil,5", "Amboss,9"));
    assert.equal((await scene.cli("run")).exit, 0);
    assert.deepEqual({ ...(shopHas(scene, "name, stock") as Row) }, { name: "Amboss", stock: 9 });
  });

  test("when a column is put in front of others that are shared by their names", async (t) => {
    const scene = await agreed(t);
    scene.sql(`CREATE TABLE other (sku TEXT PRIMARY KEY, colour TEXT, name TEXT, stock INTEGER);
      INSERT INTO other SELECT sku, 'red', name, stock FROM product;
      DROP TABLE product; ALTER TABLE other RENAME TO product`);
    scene.csv("warehouse.csv", "sku,colour,name,stock", "A,red,Amboss,9", "B,red,Bell,2");
    assert.equal((await scene.cli("run")).exit, 0);
    assert.deepEqual({ ...(shopHas(scene, "name, stock") as Row) }, { name: "Amboss", stock: 9 });
  });

  test("when a field is shared no longer, and again later", async (t) => {
    const scene = await agreed(t, { fields });
    scene.reconfigure((sync) => ({ ...sync, fields: { sku: null, stock: null } }));
    scene.edit("warehouse.csv", (text) => text.replace("Anvil,5", "Amboss,9"));
    assert.equal((await scene.cli("run")).exit, 0);
    assert.deepEqual({ ...(shopHas(scene, "name, stock") as Row) }, { name: "Anvil", stock: 9 });
    assert.doesNotMatch((await scene.cli("check")).out, /name/);
    assert.doesNotMatch((await scene.cli("explain", "inventory", "A")).out, /Anvil/);
    scene.reconfigure((sync) => ({ ...sync, fields }));
    scene.edit("warehouse.csv", (text) => text.replace("Amboss,9", "Amboss,10"));
    assert.equal((await scene.cli("run")).exit, 0);
    assert.equal((shopHas(scene, "stock") as Row)["stock"], 10);
    assert.deepEqual(await scene.plan(), []);
  });
});

test("records are found by what they are matched by now, and made no second time", async (t) => {
  const fields = { sku: { type: "text" }, name: null, stock: null };
  const scene = await agreed(t, { fields });
  scene.csv("till.csv", "code,name,stock", "a,Anvil,5", "b,Bell,2");
  const till = { system: "till", stream: "till", fields: { sku: "code" } };
  scene.reconfigure((sync) => ({
    ...sync,
    sides: { ...(sync["sides"] as Row), till },
    fields: { ...fields, sku: { type: "text", compare: { ignoreCase: true } } },
  }));
  assert.equal((await scene.cli("run")).exit, 0);
  assert.equal(scene.rows("SELECT * FROM product").length, 2);
  assert.deepEqual(await scene.plan(), []);
});

test("a plan that nobody applies leaves no names behind that it was made with", async (t) => {
  const fields = { sku: { type: "text" }, name: null, stock: null };
  const scene = await agreed(t, { fields });
  scene.reconfigure((sync) => ({ ...sync, match: "name" }));
  assert.deepEqual(await scene.plan(), []);
  scene.csv("till.csv", "code,name,stock", "A,Anvil,5", "B,Bell,2");
  const till = { system: "till", stream: "till", fields: { sku: "code" } };
  scene.reconfigure((sync) => ({
    ...sync,
    sides: { ...(sync["sides"] as Row), till },
    match: "sku",
  }));
  assert.equal((await scene.cli("run")).exit, 0);
  assert.equal((await scene.cli("explain", "inventory", "A")).exit, 0);
  assert.deepEqual(await scene.plan(), []);
});

const MARKED = { sku: null, gone: { type: "boolean" } };

/** "B" is deleted in the shop; the warehouse's record of it was left standing. */
async function buried(t: TestContext, remove: unknown, fields?: Row): Promise<Scene> {
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY, gone BOOLEAN, name TEXT, stock INTEGER);
    INSERT INTO product VALUES ('A', 0, 'Anvil', 5), ('B', 0, 'Bell', 2)`);
  scene.csv("warehouse.csv", "sku,gone,name,stock", "A,false,Anvil,5", "B,false,Bell,2");
  const shop = { system: "shop", stream: "product" };
  const warehouse = { system: "warehouse", stream: "warehouse", remove };
  const shared = fields === undefined ? {} : { fields };
  scene.configure({ sync: { sides: { shop, warehouse }, match: "sku", ...shared } });
  await scene.run();
  scene.sql("DELETE FROM product WHERE sku = 'B'");
  await scene.run();
  return scene;
}

const stocks = (scene: Scene): readonly Row[] =>
  scene.rows("SELECT sku, stock FROM product ORDER BY sku");

for (const remove of ["never", { mark: { gone: true } }])
  describe(`a deleted record that was ${remove === "never" ? "left" : "marked"}`, () => {
    const all = { ...MARKED, name: null, stock: null };
    const without = { ...MARKED, stock: null };

    for (const [what, before, after] of [
      ["another field is shared", MARKED, without],
      ["a field is shared no longer", all, without],
      ["one field is shared for another", { ...MARKED, name: null }, without],
    ] as const)
      test(`stays deleted when ${what}`, async (t) => {
        const scene = await buried(t, remove, before);
        scene.reconfigure((sync) => ({ ...sync, fields: after }));
        await scene.run();
        assert.deepEqual(stocks(scene), [{ sku: "A", stock: 5 }]);
        scene.reconfigure((sync) => ({ ...sync, fields: before }));
        await scene.run();
        assert.deepEqual(stocks(scene), [{ sku: "A", stock: 5 }]);
        assert.deepEqual(await scene.plan(), []);
      });

    for (const [how, fields] of [
      ["by its name", undefined],
      ["as declared", all],
    ] as const)
      test(`stays deleted when a column shared ${how} is lost, and is back`, async (t) => {
        const scene = await buried(t, remove, fields);
        scene.edit("warehouse.csv", (text) => text.replace("name", "Name"));
        const run = await scene.cli("run");
        const [, id = ""] = /lockstep release (\d+)/.exec(run.err) ?? [];
        assert.equal((await scene.cli("release", id, "--by", "Ada")).exit, 0, run.err);
        await scene.run();
        assert.deepEqual(stocks(scene), [{ sku: "A", stock: 5 }]);
        scene.edit("warehouse.csv", (text) => text.replace("Name", "name"));
        await scene.run();
        assert.deepEqual(stocks(scene), [{ sku: "A", stock: 5 }]);
        assert.deepEqual(await scene.plan(), []);
      });

    test("is back when somebody edits it while a field is shared no longer", async (t) => {
      const scene = await buried(t, remove, all);
      scene.reconfigure((sync) => ({ ...sync, fields: without }));
      scene.edit("warehouse.csv", (text) => text.replace("Bell,2", "Bell,3"));
      await scene.run();
      assert.deepEqual(stocks(scene), [
        { sku: "A", stock: 5 },
        { sku: "B", stock: 3 },
      ]);
    });
  });

test("a column that a side lacks is told until it is said not to be there", async (t) => {
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY, name TEXT, stock INTEGER);
    INSERT INTO product VALUES ('A', 'Anvil', 5)`);
  scene.csv("warehouse.csv", "sku,Name,stock", "A,Anvil,5");
  const shop = { system: "shop", stream: "product" };
  const warehouse = { system: "warehouse", stream: "warehouse" };
  const fields = { sku: null, name: null, stock: null };
  const sync = { sides: { shop, warehouse }, match: "sku", fields };
  scene.configure({ sync });
  const told = /warehouse has no "name" \(it has "Name"\), which is left out there/;
  assert.match((await scene.cli("check")).out, told);
  for (let runs = 0; runs < 2; runs += 1) assert.match((await scene.cli("run")).out, told);
  const without = { ...warehouse, fields: { name: null } };
  scene.configure({ sync: { ...sync, sides: { shop, warehouse: without } } });
  for (const command of ["check", "plan"]) {
    const { out } = await scene.cli(command);
    assert.doesNotMatch(out, told);
  }
});
