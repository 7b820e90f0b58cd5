import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createScene, type Scene, type SceneConfig, SYNC } from "./scene.ts";

const SHOP = { system: "shop", stream: "product" };
const WAREHOUSE = { system: "warehouse", stream: "warehouse" };

/** The shop's table and the warehouse's file, with names and units of their own. */
function inventory(t: TestContext, lines: readonly string[] = []): Scene {
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL, name TEXT, cents INTEGER,
      status TEXT, stock INTEGER, note TEXT, updated_at TIMESTAMP);
    INSERT INTO product VALUES ('A', 'Anvil', 1250, 'A', 3, NULL, '2026-01-01 10:00:00'),
      ('B', 'Bell', 99, 'I', 0, NULL, '2026-01-01 10:00:00')`);
  scene.csv("warehouse.csv", "sku,title,price,state,stock,bin", ...lines);
  return scene;
}

const FIELDS = {
  sku: null,
  name: { type: "text" },
  price: { type: "decimal" },
  status: { type: "text" },
  stock: { type: "integer" },
};
const SHOP_FIELDS = {
  price: { field: "cents", scale: "0.01" },
  status: { table: { A: "Active", I: "Inactive" } },
};
const WAREHOUSE_FIELDS = { name: "title", status: "state" };

const mapped = (
  change: Readonly<Record<string, unknown>> = {},
  shop: Readonly<Record<string, unknown>> = {},
  warehouse: Readonly<Record<string, unknown>> = {},
): SceneConfig => ({
  sync: {
    sides: {
      shop: { ...SHOP, fields: SHOP_FIELDS, ...shop },
      warehouse: { ...WAREHOUSE, fields: WAREHOUSE_FIELDS, ...warehouse },
    },
    match: "sku",
    fields: FIELDS,
    ...change,
  },
});

describe("mapping", () => {
  test("other names, other units and other words for the same, both ways", async (t) => {
    const scene = inventory(t, ["C,Chain,3.5,Active,7,7-1"]);
    scene.configure(mapped());
    const { applied } = await scene.run();
    assert.deepEqual(applied.troubles, []);
    assert.deepEqual(
      scene.rows("SELECT sku, name, cents, status, stock FROM product WHERE sku='C'"),
      [{ sku: "C", name: "Chain", cents: 350, status: "A", stock: 7 }],
    );
    assert.deepEqual(scene.cells("warehouse.csv")["A"], {
      sku: "A",
      title: "Anvil",
      price: "12.5",
      state: "Active",
      stock: "3",
      bin: "",
    });
    assert.deepEqual(await scene.plan(), []);
    scene.edit("warehouse.csv", (text) => text.replace("12.5", "12.75").replace("7-1", "8-2"));
    scene.sql("UPDATE product SET status = 'I' WHERE sku = 'C'");
    await scene.run();
    assert.deepEqual(scene.rows("SELECT cents FROM product WHERE sku='A'"), [{ cents: 1275 }]);
    assert.equal(scene.cells("warehouse.csv")["C"]?.["state"], "Inactive");
    assert.equal(scene.cells("warehouse.csv")["C"]?.["bin"], "8-2", "not shared, so left alone");
    assert.deepEqual(await scene.plan(), []);
  });

  test("a value that the mapping does not take is told, and the rest goes on", async (t) => {
    const scene = inventory(t, ["A,Anvil,12.505,Lost,4,1"]);
    scene.configure(mapped({ policy: { prefer: "warehouse" } }));
    const { head } = await scene.run();
    const notes = head.notes.join("\n");
    assert.match(notes, /"cents" holds "?12.505"?, which cannot be mapped/);
    assert.deepEqual(scene.rows("SELECT cents, status, stock FROM product WHERE sku='A'"), [
      { cents: 1250, status: "A", stock: 4 },
    ]);
    assert.deepEqual(await scene.plan(), []);
  });

  test("a field that is only read here and only written there goes one way", async (t) => {
    const scene = inventory(t, ["A,Anvil,12.5,Active,3,1"]);
    scene.configure(
      mapped(
        {},
        { fields: { ...SHOP_FIELDS, stock: { direction: "write" } } },
        { fields: { ...WAREHOUSE_FIELDS, stock: { direction: "read" } } },
      ),
    );
    await scene.run();
    scene.sql("UPDATE product SET stock = 99 WHERE sku = 'A'");
    await scene.run();
    assert.deepEqual(scene.rows("SELECT stock FROM product WHERE sku='A'"), [{ stock: 3 }]);
    assert.equal(scene.cells("warehouse.csv")["A"]?.["stock"], "3");
    scene.edit("warehouse.csv", (text) => text.replace("Active,3", "Active,5"));
    await scene.run();
    assert.deepEqual(scene.rows("SELECT stock FROM product WHERE sku='A'"), [{ stock: 5 }]);
    assert.deepEqual(await scene.plan(), []);
  });

  test("a computed field is read, and new records get constants and defaults", async (t) => {
    const scene = inventory(t, ["C,Chain,3.5,,7,7-1"]);
    scene.configure(
      mapped(
        { fields: { ...FIELDS, stock: null, label: { type: "text" } } },
        {
          fields: {
            ...SHOP_FIELDS,
            status: { table: { A: "Active", I: "Inactive" }, default: "I" },
            label: { field: "note", direction: "write" },
          },
          onCreate: { updated_at: "2026-02-02T00:00:00Z" },
        },
        { fields: { ...WAREHOUSE_FIELDS, label: { computed: 'title + " in " + bin' } } },
      ),
    );
    await scene.run();
    assert.deepEqual(scene.rows("SELECT status, note, updated_at FROM product WHERE sku='C'"), [
      { status: "I", note: "Chain in 7-1", updated_at: "2026-02-02 00:00:00" },
    ]);
    await scene.run();
    assert.deepEqual(await scene.plan(), []);
  });
});

describe("which records belong to a side", () => {
  test("`where`: a record enters when it fulfils it, and is removed when it leaves", async (t) => {
    const scene = inventory(t);
    scene.configure(mapped({}, {}, { where: "stock > 0", leaving: "remove" }));
    await scene.run();
    assert.deepEqual(Object.keys(scene.cells("warehouse.csv")), ["A"]);
    scene.sql("UPDATE product SET stock = 5 WHERE sku = 'B'");
    await scene.run();
    assert.deepEqual(Object.keys(scene.cells("warehouse.csv")), ["A", "B"]);
    scene.sql("UPDATE product SET stock = 0 WHERE sku = 'A'");
    await scene.run();
    assert.deepEqual(Object.keys(scene.cells("warehouse.csv")), ["B"]);
    assert.equal(scene.rows("SELECT * FROM product").length, 2, "leaving is no deletion");
    assert.deepEqual(await scene.plan(), []);
  });

  test("`leaving: keep`: what leaves stays as it is, and learns all when it comes back", async (t) => {
    const scene = inventory(t);
    scene.configure(mapped({}, {}, { where: "stock > 0" }));
    await scene.run();
    scene.sql("UPDATE product SET stock = 0 WHERE sku = 'A'");
    await scene.run();
    scene.sql("UPDATE product SET name = 'Amboss' WHERE sku = 'A'");
    await scene.run();
    assert.equal(scene.cells("warehouse.csv")["A"]?.["title"], "Anvil");
    assert.deepEqual(await scene.plan(), []);
    scene.sql("UPDATE product SET stock = 8 WHERE sku = 'A'");
    await scene.run();
    const { title, stock } = scene.cells("warehouse.csv")["A"] ?? {};
    assert.deepEqual([title, stock], ["Amboss", "8"]);
    assert.deepEqual(await scene.plan(), []);
  });

  test("a side that is only read is never written, and its edits travel", async (t) => {
    const scene = inventory(t, ["C,Chain,3.5,Active,7,7-1"]);
    scene.configure(mapped({}, {}, { direction: "read" }));
    await scene.run();
    assert.deepEqual(Object.keys(scene.cells("warehouse.csv")), ["C"]);
    assert.equal(scene.rows("SELECT * FROM product").length, 3);
    scene.edit("warehouse.csv", (text) => text.replace("Chain", "Kette"));
    await scene.run();
    assert.deepEqual(scene.rows("SELECT name FROM product WHERE sku='C'"), [{ name: "Kette" }]);
    assert.deepEqual(await scene.plan(), []);
  });

  test("a side that is only written is put right when it drifts", async (t) => {
    const scene = inventory(t, ["A,Other,1,Inactive,1,1-1"]);
    scene.configure(mapped({}, {}, { direction: "write" }));
    await scene.run();
    const written = scene.cells("warehouse.csv");
    assert.equal(written["A"]?.["title"], "Anvil");
    assert.deepEqual(Object.keys(written), ["A", "B"]);
    scene.edit("warehouse.csv", (text) => text.replace("Bell", "Drifted"));
    assert.deepEqual(await scene.plan(), ["warehouse update B title"]);
    await scene.run();
    assert.deepEqual(scene.cells("warehouse.csv"), written);
    assert.deepEqual(await scene.plan(), []);
  });

  test("deleted elsewhere, marked as inactive here", async (t) => {
    const scene = inventory(t);
    scene.configure(
      mapped({ guard: { deleteFloor: 100 } }, { remove: { mark: { status: "Inactive" } } }),
    );
    await scene.run();
    scene.edit("warehouse.csv", (text) => text.replace(/^A,.*\n/m, ""));
    assert.deepEqual(await scene.plan(), ["shop update A status"]);
    await scene.run();
    assert.deepEqual(scene.rows("SELECT status FROM product WHERE sku='A'"), [{ status: "I" }]);
    assert.deepEqual(Object.keys(scene.cells("warehouse.csv")), ["B"]);
    assert.deepEqual(await scene.plan(), []);
  });

  test("a hub and two spokes: what one spoke says reaches the other", async (t) => {
    const scene = inventory(t, ["A,Anvil,12.5,Active,3,1"]);
    scene.csv("till.csv", "code,price", "A,12.5", "B,0.95");
    scene.configure({
      systems: { till: { connector: "file", path: "./till.csv", key: "code" } },
      sync: {
        sides: {
          shop: { ...SHOP, fields: SHOP_FIELDS },
          warehouse: { ...WAREHOUSE, fields: WAREHOUSE_FIELDS },
          till: {
            system: "till",
            stream: "till",
            fields: { sku: "code", name: null, status: null, stock: null },
          },
        },
        match: "sku",
        fields: FIELDS,
        policy: { prefer: "shop" },
      },
    });
    await scene.run();
    assert.equal(scene.cells("till.csv")["B"]?.["price"], "0.99", "the hub is preferred");
    scene.edit("till.csv", (text) => text.replace("12.5", "13"));
    scene.edit("warehouse.csv", (text) => text.replace("Anvil", "Amboss"));
    await scene.run();
    assert.deepEqual(scene.rows("SELECT name, cents FROM product WHERE sku='A'"), [
      { name: "Amboss", cents: 1300 },
    ]);
    assert.equal(scene.cells("warehouse.csv")["A"]?.["price"], "13");
    assert.deepEqual(await scene.plan(), []);
  });
});

describe("the guard", () => {
  const many = Array.from({ length: 40 }, (_, at) => `S${at},Thing ${at},1,Active,1,1`);

  test("an emptied file halts; a person releases exactly that", async (t) => {
    const scene = inventory(t, many);
    scene.configure(mapped());
    await scene.run();
    scene.edit("warehouse.csv", (text) => text.split("\n").slice(0, 15).join("\n").concat("\n"));
    await assert.rejects(scene.run(), { code: "GUARD_MASS_DELETE" });
    assert.equal(scene.rows("SELECT * FROM product").length, 42, "nothing was written");
    const halts = await scene.withLockstep((lockstep) => lockstep.halts({ waiting: true }));
    assert.equal(halts.length, 1);
    const released = await scene.cli("release", String(halts[0]?.id), "--by", "ann");
    assert.equal(released.exit, 0, released.err);
    await scene.run();
    assert.equal(
      scene.rows("SELECT * FROM product").length,
      Object.keys(scene.cells("warehouse.csv")).length,
    );
    assert.deepEqual(await scene.plan(), []);
  });

  test("settings that changed halt, and so does a column that is gone", async (t) => {
    const scene = inventory(t, ["A,Anvil,12.5,Active,3,1"]);
    scene.configure(mapped());
    await scene.run();
    scene.configure(mapped({}, {}, { where: "stock > 0" }));
    await assert.rejects(scene.run(), { code: "GUARD_SETTINGS_CHANGED" });
    const [halt] = await scene.withLockstep((lockstep) => lockstep.halts({ waiting: true }));
    const rel = await scene.cli("release", String(halt?.id), "--by", "ann");
    assert.equal(rel.exit, 0, rel.err);
    await scene.run();
    assert.deepEqual(await scene.plan(), []);
    const before = scene.rows("SELECT * FROM product");
    scene.edit("warehouse.csv", (text) => text.replace(/^sku/, "code"));
    await assert.rejects(scene.run(), { code: "SYSTEM_UNREADABLE", message: /no column "sku"/ });
    assert.deepEqual(scene.rows("SELECT * FROM product"), before);
  });
});

describe("a mapping and a filter that changed together", () => {
  test("are one halt, which one release lets through", async (t) => {
    const scene = inventory(t, ["A,Anvil,12.5,Active,3,1"]);
    scene.configure(mapped());
    await scene.run();
    const fields = { ...WAREHOUSE_FIELDS, price: { field: "price", scale: 1 } };
    scene.configure(mapped({}, {}, { fields, where: "stock > 0" }));
    await assert.rejects(scene.run(), { code: "GUARD_SETTINGS_CHANGED" });
    const told = await scene.cli("halts");
    assert.match(told.out, /The mapping and the filter of warehouse changed/);
    const [halt, ...others] = await scene.withLockstep((one) => one.halts({ waiting: true }));
    assert.deepEqual(others, []);
    const released = await scene.cli("release", String(halt?.id), "--by", "ann");
    assert.equal(released.exit, 0, released.err);
    await scene.run();
    assert.deepEqual(await scene.plan(), []);
  });
});

describe("types that were only told from a file's values", () => {
  test("whole prices take a price with cents, digits take words, an empty column takes both", async (t) => {
    const scene = createScene(t);
    scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL, price DECIMAL(10,2),
      code TEXT, day DATE, stock INTEGER);
      INSERT INTO product VALUES ('A', 12.5, 'AB-1', '2026-01-02', 3), ('B', 2, '007', NULL, 4)`);
    scene.csv("warehouse.csv", "sku,price,code,day,stock", "B,2,007,,4", "C,3,12,,5");
    scene.configure({
      sync: { sides: { shop: SHOP, warehouse: WAREHOUSE }, match: "sku" },
    });
    const { head, applied } = await scene.run();
    assert.deepEqual([head.notes, applied.troubles], [[], []]);
    assert.deepEqual(scene.cells("warehouse.csv"), {
      A: { sku: "A", price: "12.5", code: "AB-1", day: "2026-01-02", stock: "3" },
      B: { sku: "B", price: "2", code: "007", day: "", stock: "4" },
      C: { sku: "C", price: "3", code: "12", day: "", stock: "5" },
    });
    assert.deepEqual(await scene.plan(), []);
    scene.edit("warehouse.csv", (text) => text.replace("B,2,", "B,2.50,"));
    await scene.run();
    assert.deepEqual(scene.rows("SELECT price FROM product WHERE sku='B'"), [{ price: 2.5 }]);
    assert.deepEqual(await scene.plan(), []);
    // A word among numbers is one record's trouble, and does not make all prices texts.
    scene.edit("warehouse.csv", (text) =>
      text.replace("B,2.50,", "B,ask,").replace("C,3,", "C,4,"),
    );
    const next = await scene.run();
    assert.match(next.head.notes.join(), /warehouse: 1 record could not be read/);
    assert.deepEqual(scene.rows("SELECT price FROM product WHERE sku IN ('B', 'C')"), [
      { price: 2.5 },
      { price: 4 },
    ]);
  });
});

test("what is open is found by its configuration", async (t) => {
  const scene = inventory(t, ["A,Anvil,12.5,Active,3,1"]);
  scene.configure(mapped());
  const syncs = await scene.withLockstep(async (lockstep) => lockstep.reconcile.syncs);
  assert.deepEqual(
    syncs.map(({ name, match, sides }) => [name, match, sides.map(({ side }) => side)]),
    [[SYNC, ["sku"], ["shop", "warehouse"]]],
  );
});
