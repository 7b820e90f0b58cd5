import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { operationCount } from "../../src/engine/reconcile/operation-count.ts";
import { createScene, type Row, type Scene, SYNC } from "./scene.ts";

const STREAMS = ["a", "b", "c"] as const;
type Stream = (typeof STREAMS)[number];
const side = (stream: Stream): Row => ({ system: "shop", stream });
const ALL: readonly string[] = ["K1 one 1", "K2 two 2", "K3 three 3"];

/** Tables `a` and `b` in step, and `c`, which may be a side too; a record's key is its system's own. */
async function inStep(t: TestContext, sides: Readonly<Record<string, Row>>): Promise<Scene> {
  const scene = createScene(t);
  for (const stream of STREAMS) {
    scene.sql(`CREATE TABLE ${stream}
      (id INTEGER PRIMARY KEY AUTOINCREMENT, sku TEXT, name TEXT, qty INTEGER)`);
  }
  for (const stream of ["a", "b"]) {
    scene.sql(`INSERT INTO ${stream} (sku, name, qty)
      VALUES ('K1', 'one', 1), ('K2', 'two', 2), ('K3', 'three', 3)`);
  }
  const fields = { sku: { type: "text" }, name: null, qty: null };
  scene.configure({ sync: { sides, match: "sku", fields } });
  await scene.run();
  return scene;
}

const has = (scene: Scene, stream: Stream): readonly string[] =>
  scene
    .rows(`SELECT sku, name, qty FROM ${stream} ORDER BY sku, id`)
    .map((row) => Object.values(row).join(" "));

function withSide(scene: Scene, name: string, change: Row): void {
  scene.reconfigure((sync) => {
    const sides = sync["sides"] as Readonly<Record<string, Row>>;
    return { ...sync, sides: { ...sides, [name]: { ...sides[name], ...change } } };
  });
}

async function runReleased(scene: Scene): Promise<void> {
  await assert.rejects(scene.run(), { code: "GUARD_SETTINGS_CHANGED" });
  const halts = await scene.cli("halts");
  const [, id = ""] = /^Halt (\d+)/m.exec(halts.out) ?? [];
  await scene.cli("release", id, "--by", "Ada");
  await scene.run();
}

/** Takes a run back and lets runs go on; gives the run that did so. */
async function undo(scene: Scene, run: string): Promise<string> {
  const { out, err } = await scene.cli("undo", SYNC, run, "--yes");
  const [, id = ""] = /lockstep release (\d+)/.exec(out) ?? [];
  assert.equal((await scene.cli("release", id, "--by", "Ada")).exit, 0, err);
  return /\(run (\w+)/.exec(out)?.[1] ?? "";
}

/** In step, as `verify` and the sides themselves see it, and nobody looks at all of it again. */
async function inStepNow(scene: Scene): Promise<void> {
  const { head } = await scene.withLockstep((lockstep, watch) =>
    lockstep.reconcile.plan(SYNC, watch),
  );
  assert.deepEqual([operationCount(head.sides), head.records.compared], [0, 0]);
  assert.equal((await scene.cli("verify")).exit, 0);
}

describe("records that nobody changed come to agree with settings that somebody did", () => {
  test("a side that joins empty gets what the others have", async (t) => {
    const scene = await inStep(t, { a: side("a"), b: side("b") });
    withSide(scene, "c", side("c"));
    const verified = await scene.cli("verify");
    assert.equal(verified.exit, 1);
    assert.match(verified.out, /^c: 3 missing/m);
    assert.deepEqual(await scene.plan(), ["c create K1", "c create K2", "c create K3"]);
    await scene.run();
    assert.deepEqual(has(scene, "c"), ALL);
    await inStepNow(scene);
  });

  test("another filter takes records in and lets others go", async (t) => {
    const c = { ...side("c"), where: "qty > 1", leaving: "remove" };
    const scene = await inStep(t, { a: side("a"), b: side("b"), c });
    assert.deepEqual(has(scene, "c"), ["K2 two 2", "K3 three 3"]);
    withSide(scene, "c", { where: "qty < 3" });
    await runReleased(scene);
    assert.deepEqual(has(scene, "c"), ["K1 one 1", "K2 two 2"]);
    await inStepNow(scene);
  });

  test("a side where records may be made from now on gets those that it lacks", async (t) => {
    const scene = await inStep(t, { a: side("a"), b: { ...side("b"), create: false } });
    scene.sql("INSERT INTO a (sku, name, qty) VALUES ('K4', 'four', 4)");
    await scene.run();
    withSide(scene, "b", { create: true });
    await scene.run();
    assert.deepEqual(has(scene, "b"), [...ALL, "K4 four 4"]);
    await inStepNow(scene);
  });

  for (const [what, before, after] of [
    ["was only read", { direction: "read" }, { direction: "both" }],
    ["was not updated", { update: false }, { update: true }],
  ] as const)
    test(`a side that ${what} is told what it missed`, async (t) => {
      const scene = await inStep(t, { a: { ...side("a"), ...before }, b: side("b") });
      scene.sql("UPDATE b SET qty = 9 WHERE sku = 'K1'");
      await scene.run();
      assert.deepEqual(has(scene, "a"), ALL);
      withSide(scene, "a", after);
      assert.match((await scene.cli("verify")).out, /^a: qty 1$/m);
      assert.deepEqual(await scene.plan(), ["a update K1 qty"]);
      await scene.run();
      assert.deepEqual(has(scene, "a"), ["K1 one 9", "K2 two 2", "K3 three 3"]);
      await inStepNow(scene);
    });

  test("an edit on such a side is none that knew of what it missed", async (t) => {
    const scene = await inStep(t, { a: { ...side("a"), direction: "read" }, b: side("b") });
    scene.sql("UPDATE b SET qty = 9 WHERE sku = 'K1'");
    await scene.run();
    withSide(scene, "a", { direction: "both" });
    scene.sql("UPDATE a SET qty = 5 WHERE sku = 'K1'");
    assert.equal((await scene.run()).applied.inReview, 1);
    assert.deepEqual(has(scene, "b")[0], "K1 one 9");
  });

  test("what was deleted while a side was away does not come back with it", async (t) => {
    const sides = { a: side("a"), b: side("b") };
    const scene = await inStep(t, { ...sides, c: side("c") });
    scene.reconfigure((sync) => ({ ...sync, sides }));
    scene.sql("DELETE FROM a WHERE sku = 'K1'; UPDATE c SET qty = 5 WHERE sku = 'K2'");
    await scene.run();
    withSide(scene, "c", side("c"));
    const { head } = await scene.run();
    assert.match(head.notes.join(), /^c: 1 record stands there again as it was when deleted/);
    for (const stream of ["a", "b"] as const)
      assert.deepEqual(has(scene, stream), ["K2 two 5", "K3 three 3"]);
    assert.deepEqual(has(scene, "c"), ["K1 one 1", "K2 two 5", "K3 three 3"]);
    await inStepNow(scene);
  });

  test("an undo on a side that is told nothing any more is no edit there", async (t) => {
    const scene = await inStep(t, { a: side("a"), b: side("b") });
    scene.sql("UPDATE b SET qty = 5 WHERE sku = 'K1'");
    const { runId } = await scene.run();
    withSide(scene, "a", { update: false });
    scene.sql("UPDATE b SET qty = 9 WHERE sku = 'K1'");
    await scene.run();
    assert.equal((await scene.cli("undo", "inventory", runId, "--yes")).exit, 0);
    assert.deepEqual(has(scene, "a")[0], "K1 one 1");
    assert.equal((await scene.cli("release", "1", "--by", "Ada")).exit, 0);
    assert.deepEqual(await scene.plan(), []);
    withSide(scene, "a", { update: true });
    await scene.run();
    for (const stream of ["a", "b"] as const) assert.deepEqual(has(scene, stream)[0], "K1 one 9");
  });

  test("an edit is one again once its side is back, where its run was undone meanwhile", async (t) => {
    const sides = { a: side("a"), b: side("b") };
    const scene = await inStep(t, { ...sides, c: side("c") });
    scene.sql("UPDATE c SET qty = 9 WHERE sku = 'K1'");
    const { runId } = await scene.run();
    scene.reconfigure((sync) => ({ ...sync, sides }));
    assert.equal((await scene.cli("undo", "inventory", runId, "--yes")).exit, 0);
    assert.deepEqual(has(scene, "a")[0], "K1 one 1");
    assert.equal((await scene.cli("release", "1", "--by", "Ada")).exit, 0);
    assert.deepEqual(await scene.plan(), []);
    withSide(scene, "c", side("c"));
    await scene.run();
    for (const stream of STREAMS) assert.deepEqual(has(scene, stream)[0], "K1 one 9");
  });

  test("an undo of one field leaves alone what its side was told of another meanwhile", async (t) => {
    const scene = await inStep(t, { a: side("a"), b: side("b"), c: side("c") });
    scene.sql("UPDATE a SET name = 'uno' WHERE sku = 'K1'");
    const first = await scene.run();
    scene.sql("UPDATE b SET qty = 9 WHERE sku = 'K1'");
    const second = await scene.run();
    withSide(scene, "c", { update: false });
    await undo(scene, first.runId);
    await scene.run();
    assert.deepEqual(has(scene, "c")[0], "K1 one 9");
    await undo(scene, second.runId);
    await scene.run();
    for (const stream of ["a", "b"] as const) assert.deepEqual(has(scene, stream)[0], "K1 uno 9");
  });

  test("an undo makes nothing twice that is called otherwise by now", async (t) => {
    const scene = await inStep(t, { a: side("a"), b: side("b") });
    scene.sql("INSERT INTO b (sku, name, qty) VALUES ('K4', 'four', 4)");
    const { runId } = await scene.run();
    await undo(scene, runId);
    const again = await undo(scene, runId);
    await scene.run();
    const fields = { sku: { type: "text", compare: { ignoreCase: true } }, name: null, qty: null };
    scene.reconfigure((sync) => ({ ...sync, fields }));
    await scene.run();
    await undo(scene, again);
    assert.deepEqual(has(scene, "a"), [...ALL, "K4 four 4"]);
  });

  test("an undo deletes nothing that lives on under another name by now", async (t) => {
    const scene = await inStep(t, { a: side("a"), b: side("b") });
    scene.sql("INSERT INTO b (sku, name, qty) VALUES ('K4', 'four', 4)");
    const { runId } = await scene.run();
    await undo(scene, runId);
    await scene.run();
    const fields = { sku: { type: "text", compare: { ignoreCase: true } }, name: null, qty: null };
    scene.reconfigure((sync) => ({ ...sync, fields }));
    await scene.run();
    const again = await undo(scene, runId);
    const { err } = await scene.cli("undo", SYNC, again, "--yes");
    assert.match(err, /wrote nothing that could be undone/);
    assert.deepEqual(has(scene, "a"), [...ALL, "K4 four 4"]);
  });

  for (const [what, edited, left] of [
    ["keeps an edit of it", "UPDATE a SET label = 'mine' WHERE sku = 'K4'", "K4 mine 4"],
    ["puts all of it back", "", "K4 four 4"],
  ] as const)
    test(`an undo where a column was renamed since ${what}`, async (t) => {
      const scene = await inStep(t, { a: side("a"), b: side("b") });
      scene.sql("INSERT INTO b (sku, name, qty) VALUES ('K4', 'four', 4)");
      const { runId } = await scene.run();
      scene.sql(`ALTER TABLE a RENAME COLUMN name TO label; ${edited}`);
      withSide(scene, "a", { fields: { name: "label" } });
      const undone = await scene.cli("undo", "inventory", runId, "--yes");
      const [, again = ""] = /\(run (\w+)/.exec(undone.out) ?? [];
      await scene.cli("undo", "inventory", again, "--yes");
      const [row = {}] = scene.rows("SELECT sku, label, qty FROM a WHERE sku = 'K4'");
      assert.equal(Object.values(row).join(" "), left);
    });

  test("settings that a run was stopped under are not taken for those that it judged all by", async (t) => {
    const scene = await inStep(t, { a: side("a"), b: side("b") });
    withSide(scene, "a", { update: false });
    scene.sql("UPDATE b SET qty = 9 WHERE sku = 'K1'");
    const stop = new AbortController();
    const stopped = scene.withLockstep((lockstep) =>
      lockstep.reconcile.run(SYNC, {
        signal: stop.signal,
        emit: ({ kind }) => kind === "applying" && stop.abort(),
      }),
    );
    await assert.rejects(stopped);
    withSide(scene, "a", { update: true });
    await scene.run();
    assert.deepEqual(has(scene, "a"), ["K1 one 9", "K2 two 2", "K3 three 3"]);
    await inStepNow(scene);
  });

  for (const [what, remove, left] of [
    ["marked", { mark: { name: "gone" } }, "K1 gone 1"],
    ["kept", "never", "K1 one 1"],
  ] as const)
    test(`what was deleted and ${what} does not come back when a field is added`, async (t) => {
      const c = { ...side("c"), remove };
      const scene = await inStep(t, { a: side("a"), b: side("b"), c });
      scene.sql("DELETE FROM a WHERE sku = 'K1'");
      await scene.run();
      assert.deepEqual(has(scene, "c")[0], left);
      for (const stream of STREAMS) scene.sql(`ALTER TABLE ${stream} ADD COLUMN colour TEXT`);
      scene.sql("UPDATE a SET colour = 'red'");
      const fields = { sku: { type: "text" }, name: null, qty: null, colour: null };
      scene.reconfigure((sync) => ({ ...sync, fields }));
      // A plan that is not applied changes nothing in what the next one knows.
      assert.equal((await scene.plan()).length, 4);
      await scene.run();
      for (const stream of ["a", "b"] as const)
        assert.deepEqual(has(scene, stream), ["K2 two 2", "K3 three 3"]);
      assert.deepEqual(has(scene, "c"), [left, "K2 two 2", "K3 three 3"]);
      await inStepNow(scene);
      // Whoever edits it brings it back.
      scene.sql("UPDATE c SET qty = 7 WHERE sku = 'K1'");
      await scene.run();
      assert.equal(has(scene, "a").length, 3);
    });

  test("what was deleted and kept does not come back when its side is mapped otherwise", async (t) => {
    const c = { ...side("c"), remove: "never" };
    const scene = await inStep(t, { a: side("a"), b: side("b"), c });
    scene.sql("DELETE FROM a WHERE sku = 'K1'");
    await scene.run();
    scene.sql("ALTER TABLE c ADD COLUMN label TEXT; UPDATE c SET label = upper(name)");
    withSide(scene, "c", { fields: { name: "label" } });
    await runReleased(scene);
    const left = (): readonly string[] => has(scene, "a").map((row) => row.slice(0, 2));
    assert.deepEqual(left(), ["K2", "K3"]);
    scene.sql("UPDATE c SET label = 'back' WHERE sku = 'K1'");
    await scene.run();
    assert.deepEqual(left(), ["K1", "K2", "K3"]);
  });

  for (const [what, change, theirs] of [
    ["other fields", { match: "name" }, "('L1', 'one', 1), ('L2', 'two', 2)"],
    [
      "what is compared in another way",
      { fields: { sku: { type: "text", compare: { ignoreCase: true } }, name: null, qty: null } },
      "('k1', 'one', 1), ('k2', 'two', 2)",
    ],
  ] as const)
    test(`records that are matched by ${what} are made nowhere twice`, async (t) => {
      const scene = await inStep(t, { a: side("a"), b: side("b") });
      scene.sql(`INSERT INTO c (sku, name, qty) VALUES ${theirs}`);
      withSide(scene, "c", side("c"));
      scene.reconfigure((sync) => ({ ...sync, ...change, policy: { prefer: "a" } }));
      await scene.run();
      assert.deepEqual(has(scene, "a"), ALL);
      assert.deepEqual(has(scene, "b"), ALL);
      assert.equal(has(scene, "c").length, 3);
      await inStepNow(scene);
    });
});
