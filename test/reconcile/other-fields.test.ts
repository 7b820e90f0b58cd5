import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createScene, type Row, type Scene } from "./scene.ts";

const SIDES = {
  shop: { system: "shop", stream: "product" },
  warehouse: { system: "warehouse", stream: "warehouse" },
};

/** Three shared fields, in step; where sides differ the shop is right, so that an edit must be known. */
async function inStep(t: TestContext, fields: Row | undefined): Promise<Scene> {
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL, price DECIMAL(12,2), qty INTEGER);
    INSERT INTO product VALUES ('A', 10.5, 1), ('B', 20, 2)`);
  scene.csv("warehouse.csv", "sku,price,qty", "A,10.5,1", "B,20,2");
  const shared = fields === undefined ? {} : { fields };
  scene.configure({
    sync: { sides: SIDES, match: "sku", policy: { prefer: "shop" }, ...shared },
  });
  await scene.run();
  return scene;
}

const ALL = { sku: null, price: null, qty: null };
const counts = (scene: Scene): readonly Row[] =>
  scene.rows("SELECT sku, qty FROM product ORDER BY sku");
const edit = (scene: Scene): void =>
  scene.edit("warehouse.csv", (text) => text.replace("A,10.5,1", "A,10.5,7"));
const TAKEN = [
  { sku: "A", qty: 7 },
  { sku: "B", qty: 2 },
];

async function halted(scene: Scene, why: string): Promise<void> {
  const run = await scene.cli("run");
  assert.equal(run.exit, 3, run.out);
  assert.match(run.err, new RegExp(`${why} "price", which its 2 records shared`));
  const [, id = ""] = /lockstep release (\d+)/.exec(run.err) ?? [];
  const released = await scene.cli("release", id, "--by", "Ada");
  assert.equal(released.exit, 0, released.err);
}

describe("what was agreed is known by field, whichever fields there are now", () => {
  for (const [what, fields] of [
    ["declared in another order", { qty: null, sku: null, price: null }],
    ["without the one before it", { sku: null, qty: null }],
    [
      "with a new one before it",
      { sku: null, constantly: { type: "text" }, price: null, qty: null },
    ],
  ] as const)
    test(`an edit of a field ${what} is an edit`, async (t) => {
      const scene = await inStep(t, ALL);
      scene.reconfigure((sync) => ({ ...sync, fields }));
      edit(scene);
      await scene.run();
      assert.deepEqual(counts(scene), TAKEN);
      assert.deepEqual(await scene.plan(), []);
    });

  test("an edit is one while a column before it goes, and is there again", async (t) => {
    const scene = await inStep(t, undefined);
    scene.sql("ALTER TABLE product DROP COLUMN price");
    edit(scene);
    await halted(scene, "shop no longer has");
    await scene.run();
    assert.deepEqual(counts(scene), TAKEN);
    const explained = await scene.cli("explain", "inventory", "A");
    assert.match(explained.out, /^field +agreed.*\nsku .*\nqty +7 /m);

    // The column comes back empty: nobody emptied it, so it is filled.
    scene.sql("ALTER TABLE product ADD COLUMN price DECIMAL(12,2)");
    scene.edit("warehouse.csv", (text) => text.replace("B,20,2", "B,20,9"));
    await scene.run();
    assert.deepEqual(scene.rows("SELECT sku, price, qty FROM product ORDER BY sku"), [
      { sku: "A", price: 10.5, qty: 7 },
      { sku: "B", price: 20, qty: 9 },
    ]);
    assert.deepEqual(await scene.plan(), []);
  });

  test("a header that somebody renamed halts, until it is back or released", async (t) => {
    const scene = await inStep(t, ALL);
    const rename = (from: string, to: string): void =>
      scene.edit("warehouse.csv", (text) => text.replace(from, to));
    rename("price", "Price");
    scene.sql("UPDATE product SET price = 11 WHERE sku = 'A'");
    await assert.rejects(scene.run(), { code: "GUARD_LOST_FIELD" });
    const verified = await scene.cli("verify");
    assert.equal(verified.exit, 1);
    assert.match(verified.out, /^Not equal: .*\n {2}✘ warehouse no longer has "price"/);
    rename("Price", "price");
    await scene.run();
    assert.equal((await scene.cli("verify")).exit, 0);
    assert.equal(scene.cells("warehouse.csv")["A"]?.["price"], "11");
    rename("price", "Price");
    await halted(scene, "warehouse no longer has");
    await scene.run();
    await scene.run();
  });

  test("a field that is lost is lost no more once another one is named for it", async (t) => {
    const scene = await inStep(t, ALL);
    scene.edit("warehouse.csv", (text) => text.replace("price", "cost"));
    const warehouse = { ...SIDES.warehouse, fields: { price: "cost" } };
    scene.reconfigure((sync) => ({ ...sync, sides: { ...SIDES, warehouse } }));
    const run = await scene.cli("run");
    assert.match(run.err, /Code: GUARD_SETTINGS_CHANGED/);
    assert.doesNotMatch(run.err + (await scene.cli("verify")).out, /no longer has|more\)/);
  });

  test("an edit of a field that is shared since the run that is undone is an edit", async (t) => {
    const scene = await inStep(t, { sku: null, price: null });
    scene.edit("warehouse.csv", (text) => text.replace("B,20,2", "B,21,2"));
    scene.edit("warehouse.csv", (text) => text.replace("A,10.5,1", "A,11.5,1"));
    const { runId } = await scene.run();
    scene.reconfigure((sync) => ({ ...sync, fields: ALL }));
    await scene.run();
    scene.edit("warehouse.csv", (text) => text.replace("A,11.5,1", "A,11.5,7"));
    const undone = await scene.cli("undo", "inventory", runId, "--yes");
    assert.equal(undone.exit, 0, undone.err + undone.out);
    const [, id = ""] = /lockstep release (\d+)/.exec(undone.out + undone.err) ?? [];
    assert.equal((await scene.cli("release", id, "--by", "Ada")).exit, 0, undone.out + undone.err);
    await scene.run();
    assert.deepEqual(counts(scene), TAKEN);
  });

  test("a run is undone although the fields were declared in another order since", async (t) => {
    const scene = await inStep(t, ALL);
    edit(scene);
    const { runId } = await scene.run();
    scene.reconfigure((sync) => ({ ...sync, fields: { qty: null, sku: null, price: null } }));
    const undone = await scene.cli("undo", "inventory", runId, "--yes");
    assert.equal(undone.exit, 0, undone.err + undone.out);
    assert.deepEqual(scene.rows("SELECT * FROM product WHERE sku = 'A'"), [
      { sku: "A", price: 10.5, qty: 1 },
    ]);
  });
});
