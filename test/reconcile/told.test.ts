import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { createScene, type Row, type Scene } from "./scene.ts";

const SIDES = {
  shop: { system: "shop", stream: "product" },
  warehouse: { system: "warehouse", stream: "warehouse" },
};

/** A shop and a warehouse that agree on A and B. */
async function agreed(t: TestContext, change: Row = {}): Promise<Scene> {
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY, name TEXT, price DECIMAL(10,2), status TEXT);
    INSERT INTO product VALUES ('A', 'Anvil', 1.5, 'here'), ('B', 'Bell', 2, 'here')`);
  scene.csv("warehouse.csv", "sku,name,price,status", "A,Anvil,1.5,here", "B,Bell,2,here");
  scene.configure({ sync: { sides: SIDES, match: "sku", ...change } });
  assert.equal((await scene.cli("run")).exit, 0);
  return scene;
}

describe("what a person is told", () => {
  test("which lines cannot be read, and why", async (t) => {
    const scene = await agreed(t);
    scene.edit(
      "warehouse.csv",
      (text) => `${text.replace("1.5", "much")}C,Cup,1,here\nC,Cup,1,x\n`,
    );
    const { out } = await scene.cli("plan");
    assert.match(out, /^Note: warehouse: 2 records could not be read and are left alone: /m);
    assert.match(out, /"A": Line 2: Field "price" holds the text "much": expected a decimal/);
    assert.match(out, /"C": The key stands on lines 4, 5/);
  });

  test("nothing of a record that stands marked as deleted, as it should", async (t) => {
    const scene = await agreed(t, {
      sides: { ...SIDES, shop: { ...SIDES.shop, remove: { mark: { status: "gone" } } } },
    });
    scene.edit("warehouse.csv", (text) => text.replace(/A,.*\n/, ""));
    const { out } = await scene.cli("plan");
    assert.match(
      out,
      /^~ A {2}deleted on warehouse\n {4}shop {2}status {2}here → gone {2}marks it as deleted$/m,
    );
    assert.equal((await scene.cli("run")).exit, 0);
    assert.deepEqual(scene.rows("SELECT status FROM product WHERE sku = 'A'"), [
      { status: "gone" },
    ]);
    assert.equal((await scene.cli("plan")).out, "Nothing to do: inventory is in step.\n");
  });

  test("of a record by its name as a side writes it", async (t) => {
    const scene = createScene(t);
    scene.sql(`CREATE TABLE product (sku TEXT, no INTEGER, name TEXT, PRIMARY KEY (sku, no));
      INSERT INTO product VALUES ('SKU', 7, 'Anvil')`);
    scene.csv("warehouse.csv", "sku,no,name", "sku,7,Amboss");
    const fields = { sku: { compare: { ignoreCase: true } }, no: { type: "integer" }, name: null };
    const warehouse = { connector: "file", path: "./warehouse.csv", key: ["sku", "no"] };
    scene.configure({
      systems: { warehouse },
      sync: { sides: SIDES, match: ["sku", "no"], fields },
    });
    assert.equal((await scene.cli("run")).exit, 4);
    const shown = await scene.cli("conflicts", "show", "1");
    assert.match(shown.out, /^ {2}lockstep explain inventory '\["sku","7"\]' name {2}how/m);
    for (const name of ['["sku","7"]', '["SKU", 7]']) {
      const { out } = await scene.cli("explain", "inventory", name);
      assert.match(out, /^\["sku","7"\] of inventory/);
      assert.match(out, /^lockstep explain inventory '\["sku","7"\]' FIELD tells/m);
      assert.equal((await scene.cli("history", "inventory", name)).exit, 0);
      assert.match((await scene.cli("conflicts", "list", "--name", name)).out, /^1 conflict waits/);
      const narrowed = await scene.cli("conflicts", "list", "inventory", "--name", name);
      assert.match(narrowed.out, /^1 conflict waits/);
    }
  });

  test("how it is decided whether a record lives", async (t) => {
    const scene = await agreed(t, { deletes: { againstEdit: "review" } });
    scene.sql("DELETE FROM product WHERE sku = 'A'");
    scene.edit("warehouse.csv", (text) => text.replace("Anvil", "Amboss"));
    assert.equal((await scene.cli("run")).exit, 4);
    assert.match(
      (await scene.cli("conflicts")).out,
      /conflicts resolve 1 --keep {2}\(or --delete\)/,
    );
    assert.match((await scene.cli("conflicts")).out, / {2}deleted +name Amboss /);
    const shown = (await scene.cli("conflicts", "show", "1")).out;
    assert.match(shown, /^ {2}warehouse {2}name +Amboss$\n^ {2}shop +deleted$/m);
    for (const field of [[], ["name"]]) {
      const told = (await scene.cli("explain", "inventory", "A", ...field)).out;
      assert.match(
        told,
        /does it live\? .*^ {2}shop +deleted$.*conflicts show 1 {2}has the ways/ms,
      );
    }
    const { out } = await scene.cli("conflicts", "resolve", "1", "--take", "shop");
    assert.match(
      out,
      /✘ 1 A: It is about whether the record lives; answer with --delete or --keep\./,
    );
    await scene.cli("conflicts", "resolve", "1", "--keep", "--by", "Dana");
    assert.match(
      (await scene.cli("plan")).out,
      /deleted on shop, but edited on warehouse: kept, as Dana decided/,
    );
  });

  test("by which number to release what a run halted over", async (t) => {
    const scene = await agreed(t);
    scene.edit("warehouse.csv", (text) => text.replace(/\n.*/s, "\n"));
    const before = (await scene.cli("plan")).out;
    assert.match(before, /lockstep release ID --by .*gives the number to release/s);
    assert.equal((await scene.cli("run")).exit, 3);
    const after = (await scene.cli("plan")).out;
    assert.match(after, /lockstep release 1 --by YOUR-NAME/);
    assert.doesNotMatch(after, /gives the number to release/);
  });

  test("that an undo which somebody's edit kept from being done is not done", async (t) => {
    const scene = await agreed(t);
    scene.sql("UPDATE product SET name = 'Amboss' WHERE sku = 'A'");
    const [, run = ""] = (await scene.cli("run")).out.match(/\(run (\S+),/) ?? [];
    scene.edit("warehouse.csv", (text) => text.replace("Amboss", "Enclume"));
    const { exit, out } = await scene.cli("undo", "inventory", run, "--yes");
    assert.equal(exit, 4);
    assert.match(out, /^Done in part: undo of run \S+ of inventory: nothing was written /m);
    assert.match(out, /It was changed there since the run/);
  });

  test("that nothing was written where all of it was left", async (t) => {
    const scene = await agreed(t);
    scene.sql("UPDATE product SET name = 'Amboss' WHERE sku = 'A'");
    await scene.cli("plan");
    scene.edit("warehouse.csv", (text) => text.replace("Anvil", "Block"));
    const { exit, out } = await scene.cli("apply", "inventory");
    assert.equal(exit, 4);
    assert.match(out, /^Done in part: inventory: nothing was written /m);
  });

  test("that a value is put right where a side that has no say drifted", async (t) => {
    const scene = await agreed(t, {
      sides: { ...SIDES, warehouse: { ...SIDES.warehouse, direction: "write" } },
    });
    scene.edit("warehouse.csv", (text) => text.replace("Anvil", "Amboss"));
    const { out } = await scene.cli("plan");
    assert.match(out, /^ {4}warehouse {2}name {2}Amboss → Anvil {2}as agreed before$/m);
  });

  test("that a conflict cannot be merged, at once and not by asking again", async (t) => {
    const scene = await agreed(t);
    scene.sql("UPDATE product SET name = 'Amboss', price = 3 WHERE sku = 'A'");
    scene.edit("warehouse.csv", (text) => text.replace("A,Anvil,1.5", "A,,4"));
    assert.equal((await scene.cli("run")).exit, 4);
    const { exit, out } = await scene.cli("conflicts", "resolve", "--all", "--merge", "--as-rule");
    assert.equal(exit, 4);
    assert.match(out, /^Decided: 1 conflict, by /, "the name is blank on one side");
    assert.match(out, /✘ \d+ A price: its values cannot be merged without loss; .* --take SIDE/);
    assert.match(out, /name is merged from now on/);
    assert.doesNotMatch(out, /price is merged/);
    assert.match(
      (await scene.cli("conflicts", "resolve", "99", "--merge")).err,
      /no open conflict 99/,
    );
    const explained = await scene.cli("explain", "inventory", "A", "price");
    assert.match(explained.out, /^shop +3 +A$/m, "what the side has now, not what was agreed");
    const status = await scene.cli("status");
    assert.match(status.out, /last run done, but for what waits,/);
    const { out: report } = await scene.cli("report");
    assert.match(report, /1 done, 1 done but for what waits/);
    assert.match(report, /^inventory {2}reconcile +2 +2 +— /m);
  });

  test("why a record is made or removed where nobody made or removed it", async (t) => {
    const scene = await agreed(t, {
      sides: { ...SIDES, warehouse: { ...SIDES.warehouse, where: "price > 1", leaving: "remove" } },
    });
    scene.sql(`UPDATE product SET price = 1 WHERE sku = 'A'; DELETE FROM product WHERE sku = 'B';
      INSERT INTO product VALUES ('C', 'Cup', 1, 'here')`);
    assert.equal((await scene.cli("run")).exit, 0);
    assert.deepEqual(Object.keys(scene.cells("warehouse.csv")), []);
    scene.sql("UPDATE product SET price = 2");
    const { out } = await scene.cli("plan");
    assert.match(out, /^\+ A {2}missing on warehouse$/m);
    assert.equal((await scene.cli("run")).exit, 0);
    scene.sql("UPDATE product SET price = 1 WHERE sku = 'C'");
    assert.match((await scene.cli("plan")).out, /^- C {2}has no place on warehouse any more$/m);
  });

  test("what a command needs that is about copies, about syncs, or about others", async (t) => {
    const scene = await agreed(t);
    const said = async (line: string): Promise<string> => (await scene.cli(...line.split(" "))).err;
    assert.match(await said("show product A"), /no sync here makes one\.\n.*explain SYNC RECORD/);
    assert.match(await said("compare product A"), /no sync here makes one/);
    assert.match(await said("demo"), /`lockstep demo` needs one of: mls, inventory\./);
    assert.match(await said("demo nothing"), /lockstep demo --help/);
    assert.match(await said("init reconcil"), /did you mean "reconcile"/);
    writeFileSync(join(scene.directory, "lockstep.yaml"), "systems: {}\nsyncs: {}\n");
    for (const command of ["plan", "run", "verify"]) {
      const { exit, err } = await scene.cli(command);
      assert.equal(exit, 2);
      assert.match(err, /No sync is configured/);
    }
  });

  test("that there is no such run, and which ones there are", async (t) => {
    const scene = await agreed(t);
    const { sides } = JSON.parse((await scene.cli("run", "--json")).out);
    const { runId } = sides[0];
    for (const line of ["history inventory --run NOPE", "undo inventory NOPE"]) {
      const { exit, err } = await scene.cli(...line.split(" "));
      assert.equal(exit, 2);
      assert.match(err, /There is no run "NOPE" of "inventory"; its newest are /);
      assert.match(err, /lockstep history inventory/);
      assert.ok(err.includes(runId));
    }
    const quiet = await scene.cli("history", "inventory", "--run", runId);
    assert.deepEqual([quiet.exit, quiet.out], [0, "Nothing was written.\n"]);
  });

  test("where the demo is, also when its folder was named from the root", async (t) => {
    const scene = createScene(t);
    const directory = join(scene.directory, "in", "step");
    const { exit, out } = await scene.cli("demo", "inventory", "--directory", directory);
    assert.equal(exit, 0);
    assert.ok(out.includes(`Both stay in ${directory}:`));
    assert.ok(existsSync(join(directory, "shop.db")));
  });
});
