import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createScene, type Row, type Scene } from "./scene.ts";

const FIELDS = {
  sku: null,
  name: { type: "text" },
  price: { type: "decimal" },
  stock: { type: "integer" },
};

/** A shop's table, and the files of a warehouse and a till, each side as told. */
function create(
  t: TestContext,
  sides: Readonly<Record<"shop" | "warehouse" | "till", Row>>,
  change: Row = {},
): Scene {
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL, name TEXT, price DECIMAL(12,2),
      stock INTEGER);
    INSERT INTO product VALUES ('A', 'Anvil', 12.5, 3), ('B', 'Bell', 0.99, 0)`);
  scene.csv("warehouse.csv", "sku,name,price,stock", "A,Anvil,12.5,3", "X,Extra,1,1");
  scene.csv("till.csv", "sku,name,price,stock", "A,Anvil old,12.5,3");
  scene.configure({
    systems: { till: { connector: "file", path: "./till.csv", key: "sku" } },
    sync: {
      sides: {
        shop: { system: "shop", stream: "product", ...sides.shop },
        warehouse: { system: "warehouse", stream: "warehouse", ...sides.warehouse },
        till: { system: "till", stream: "till", ...sides.till },
      },
      match: "sku",
      fields: FIELDS,
      ...change,
    },
  });
  return scene;
}

const nameOf = (scene: Scene, side: "shop" | "warehouse" | "till", sku: string): unknown =>
  side === "shop"
    ? scene.rows(`SELECT name FROM product WHERE sku = '${sku}'`)[0]?.["name"]
    : scene.cells(`${side}.csv`)[sku]?.["name"];

const everywhere = (scene: Scene, sku: string): readonly unknown[] =>
  (["shop", "warehouse", "till"] as const).map((side) => nameOf(scene, side, sku));

const sql = (scene: Scene, sku: string, name: string): void =>
  scene.sql(`UPDATE product SET name = '${name}' WHERE sku = '${sku}'`);

describe("a hub and two spokes, one plan and one run", () => {
  const hub = (t: TestContext, change: Row = {}): Scene =>
    create(t, { shop: {}, warehouse: {}, till: {} }, { hub: "shop", ...change });

  test("at the first meeting the hub is right; what a spoke says then goes on to the other", async (t) => {
    const scene = hub(t);
    await scene.run();
    assert.deepEqual(everywhere(scene, "A"), ["Anvil", "Anvil", "Anvil"]);
    assert.deepEqual(everywhere(scene, "X"), ["Extra", "Extra", "Extra"], "spokes may add");
    scene.edit("till.csv", (text) => text.replace("Bell", "Gong"));
    assert.deepEqual(await scene.plan(), ["shop update B name", "warehouse update B name"]);
    await scene.run();
    assert.deepEqual(everywhere(scene, "B"), ["Gong", "Gong", "Gong"]);
    assert.deepEqual(await scene.plan(), []);
  });

  test("an edit on the hub beats one on a spoke, and a person is asked of two spokes only", async (t) => {
    const scene = hub(t);
    await scene.run();
    sql(scene, "A", "Amboss");
    scene.edit("till.csv", (text) => text.replace("Anvil", "Enclume"));
    scene.edit("till.csv", (text) => text.replace("Bell", "Glocke"));
    scene.edit("warehouse.csv", (text) => text.replace("Bell", "Cloche"));
    await scene.run();
    assert.deepEqual(everywhere(scene, "A"), ["Amboss", "Amboss", "Amboss"]);
    assert.deepEqual(everywhere(scene, "B"), ["Bell", "Cloche", "Glocke"], "it waits");
    const told = await scene.cli("explain", "inventory", "A", "name");
    assert.match(told.out, /Rule: hub: shop is preferred\.\n +It beat till: Enclume/);
    const check = await scene.cli("check");
    assert.match(check.out, /name +text .* hub: shop/);
  });

  test("`policy` decides between spokes, and a field's own policy even against the hub", async (t) => {
    const scene = hub(t, {
      policy: { priority: ["till", "warehouse"] },
      fields: { ...FIELDS, stock: { type: "integer", policy: { prefer: "warehouse" } } },
    });
    await scene.run();
    scene.sql("UPDATE product SET stock = 8 WHERE sku = 'A'");
    scene.edit("warehouse.csv", (text) =>
      text.replace("Bell", "Cloche").replace("12.5,3", "12.5,9"),
    );
    scene.edit("till.csv", (text) => text.replace("Bell", "Glocke"));
    await scene.run();
    assert.deepEqual(everywhere(scene, "B"), ["Glocke", "Glocke", "Glocke"]);
    assert.deepEqual(scene.rows("SELECT stock FROM product WHERE sku = 'A'"), [{ stock: 9 }]);
    assert.deepEqual(await scene.plan(), []);
  });

  test("what the hub deletes is deleted though a spoke edited it; what it edits comes back", async (t) => {
    const scene = hub(t);
    await scene.run();
    scene.sql("DELETE FROM product WHERE sku = 'A'");
    scene.edit("till.csv", (text) => text.replace("Anvil", "Enclume"));
    sql(scene, "B", "Gong");
    scene.edit("warehouse.csv", (text) => text.replace(/B,.*\n/, ""));
    await scene.run();
    assert.deepEqual(everywhere(scene, "A"), [undefined, undefined, undefined]);
    assert.deepEqual(everywhere(scene, "B"), ["Gong", "Gong", "Gong"]);
    assert.deepEqual(await scene.plan(), []);
  });

  test("`againstEdit` decides that otherwise", async (t) => {
    const scene = hub(t, { deletes: { againstEdit: "edit-wins" } });
    await scene.run();
    scene.sql("DELETE FROM product WHERE sku = 'A'");
    scene.edit("till.csv", (text) => text.replace("Anvil", "Enclume"));
    await scene.run();
    assert.deepEqual(everywhere(scene, "A"), ["Enclume", "Enclume", "Enclume"]);
  });
});

describe("one way to many destinations, one plan and one run", () => {
  test("enforced: all hold what the source holds, and nothing goes back", async (t) => {
    const scene = create(t, {
      shop: { direction: "read" },
      warehouse: { direction: "write" },
      till: { direction: "write" },
    });
    assert.deepEqual(await scene.plan(), [
      "till update A name",
      "till create B",
      "warehouse create B",
    ]);
    await scene.run();
    assert.deepEqual(everywhere(scene, "X"), [undefined, "Extra", undefined], "not ours");
    sql(scene, "A", "Amboss");
    scene.edit("warehouse.csv", (text) => text.replace("Bell", "Mine"));
    scene.edit("till.csv", (text) => text.replace(/B,.*\n/, ""));
    await scene.run();
    assert.deepEqual(everywhere(scene, "A"), ["Amboss", "Amboss", "Amboss"]);
    assert.deepEqual(everywhere(scene, "B"), ["Bell", "Bell", "Bell"]);
    scene.sql("DELETE FROM product WHERE sku = 'B'");
    await scene.run();
    assert.deepEqual(everywhere(scene, "B"), [undefined, undefined, undefined]);
    assert.deepEqual(scene.rows("SELECT sku FROM product ORDER BY sku"), [{ sku: "A" }]);
    assert.deepEqual(await scene.plan(), []);
  });

  test("a side that is only read keeps what another one deletes, or its filter lets go", async (t) => {
    const shop = { direction: "read", where: "stock < 9", leaving: "remove" };
    const scene = create(t, { shop, warehouse: {}, till: {} });
    await scene.run();
    scene.edit("warehouse.csv", (text) => text.replace(/B,.*\n/, "").replace("12.5,3", "12.5,9"));
    await scene.run();
    assert.deepEqual(everywhere(scene, "B"), ["Bell", undefined, undefined]);
    assert.deepEqual(scene.rows("SELECT sku, stock FROM product ORDER BY sku"), [
      { sku: "A", stock: 3 },
      { sku: "B", stock: 0 },
    ]);
    assert.deepEqual(await scene.plan(), []);
  });

  test("only add: what is new is added, and what is there is left as it is", async (t) => {
    const onlyAdd = { direction: "write", update: false, remove: "never" };
    const scene = create(t, { shop: { direction: "read" }, warehouse: onlyAdd, till: onlyAdd });
    await scene.run();
    assert.deepEqual(everywhere(scene, "A"), ["Anvil", "Anvil", "Anvil old"]);
    assert.deepEqual(everywhere(scene, "B"), ["Bell", "Bell", "Bell"]);
    sql(scene, "B", "Gong");
    scene.sql("DELETE FROM product WHERE sku = 'A'");
    scene.sql("INSERT INTO product VALUES ('C', 'Chain', 3, 7)");
    await scene.run();
    assert.deepEqual(everywhere(scene, "A"), [undefined, "Anvil", "Anvil old"]);
    assert.deepEqual(everywhere(scene, "B"), ["Gong", "Bell", "Bell"]);
    assert.deepEqual(everywhere(scene, "C"), ["Chain", "Chain", "Chain"]);
    assert.deepEqual(everywhere(scene, "X"), [undefined, "Extra", undefined]);
    assert.deepEqual(await scene.plan(), []);
  });
});
