import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Settlement } from "../../ports/settlement.ts";
import { createHearing, type Hearing } from "../../testing/reconcile-sides.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import { explainRecord } from "./explain-value.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });

function build(
  backend: ReconcileBackend,
  assignsKeys = false,
): { readonly world: ReconcileWorld; readonly b: Hearing } {
  const { hearing: b, faults } = createHearing();
  const world = createReconcileWorld({
    backend,
    sides: [
      { name: "a", assignsKeys },
      { name: "b", assignsKeys, connector: { faults } },
      { name: "c", assignsKeys },
    ],
  });
  return { world, b };
}

async function run(world: ReconcileWorld): Promise<string> {
  world.tick(60_000);
  return (await runReconcile(world.context, signal)).runId;
}

const names = (world: ReconcileWorld) =>
  ["a", "b", "c"].map((side) => world.items(side)["1"]?.["name"]);

for (const backend of RECONCILE_BACKENDS)
  describe(`ends that are known late, home in ${backend}`, () => {
    test("a delete that was done is no deletion of what was put back meanwhile", async () => {
      const { world, b } = build(backend);
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await run(world);
      world.remove("a", "1");
      b.state = "losing";
      await run(world);
      assert.deepEqual(names(world), [undefined, undefined, undefined]);
      world.put("a", item("1", "one"));
      await run(world);
      assert.deepEqual(names(world), ["one", undefined, "one"]);
      b.state = "heard";
      await run(world);
      assert.deepEqual(names(world), ["one", "one", "one"]);
    });

    test("a record that ended meanwhile is not brought back", async () => {
      const { world, b } = build(backend);
      const { home, sync } = world.context;
      world.put("a", item("2", "two"));
      await run(world);
      world.put("a", item("1", "one"));
      b.state = "losing";
      await run(world);
      b.state = "heard";
      // While it cannot be read nobody knows whether it is the one that was made.
      world.edit("b", "1", { price: 17 });
      world.remove("a", "1");
      world.remove("c", "1");
      await run(world);
      assert.equal(await home.linkCount(sync), 1);
      assert.equal((await home.journal({ sync, states: ["unknown"], limit: 10 })).length, 1);
      world.remove("b", "1");
      await run(world);
      assert.equal((await home.journal({ sync, states: ["unknown"], limit: 10 })).length, 0);
      assert.equal(await home.linkCount(sync), 1);
    });

    test("what somebody else edited there meanwhile is an edit", async () => {
      const { world, b } = build(backend);
      world.put("a", item("1", "one"));
      await run(world);
      world.edit("a", "1", { name: "uno" });
      b.state = "losing";
      await run(world);
      world.edit("b", "1", { price: "5" });
      b.state = "heard";
      await run(world);
      assert.deepEqual(
        ["a", "b", "c"].map((side) => world.items(side)["1"]?.["price"]),
        ["5", "5", "5"],
      );
      assert.deepEqual(names(world), ["uno", "uno", "uno"]);
    });

    test("while nothing is learnt nothing is settled", async () => {
      const { world, b } = build(backend);
      world.put("a", item("1", "one"));
      await run(world);
      world.edit("a", "1", { name: "uno" });
      b.state = "losing";
      await run(world);
      const settled: unknown[] = [];
      const home = new Proxy(world.context.home, {
        get: (inner, name, receiver) =>
          name === "settle"
            ? (settlement: Settlement) => {
                settled.push(...settlement.records);
                return inner.settle(settlement);
              }
            : Reflect.get(inner, name, receiver),
      });
      const { recovered } = await runReconcile({ ...world.context, home }, signal);
      assert.equal(recovered, 1);
      assert.deepEqual(settled, []);
    });

    test("what was decided keeps its place and its time, whenever its end is known", async () => {
      const { world, b } = build(backend);
      const { home, sync } = world.context;
      world.put("a", item("1", "one"));
      await run(world);
      const [link] = await home.findLinks(sync, { name: "1" });
      const decided = async () =>
        (await home.decisions(sync, link?.link ?? 0, 10)).map(({ runId, at }) => [runId, at]);
      world.edit("a", "1", { name: "uno" });
      b.state = "losing";
      await run(world);
      world.edit("a", "1", { name: "due" });
      const last = await run(world);
      const before = await decided();
      assert.equal(before[0]?.[0], last);
      b.state = "heard";
      await run(world);
      assert.deepEqual((await decided()).slice(-before.length), before);
      const { fields } = await explainRecord(world.context, "1", "name");
      assert.equal(fields[0]?.history[0]?.after, "due");
    });

    test("a record keeps the name that it was given meanwhile", async () => {
      const { world, b } = build(backend, true);
      const { home, sync } = world.context;
      world.put("a", item("1", "one"));
      await run(world);
      world.edit("a", "1", { name: "uno" });
      b.state = "losing";
      await run(world);
      world.edit("a", "1", { sku: "9" });
      await run(world);
      b.state = "heard";
      await planReconcile(world.context, signal);
      assert.deepEqual(await home.journal({ sync, states: ["unknown"], limit: 10 }), []);
      assert.equal((await home.findLinks(sync, { name: "9" })).length, 1);
    });

    test("what two runs left open of one record is looked into by itself", async () => {
      const { world, b } = build(backend);
      const { home, sync } = world.context;
      world.put("a", item("1", "one"));
      await run(world);
      world.edit("a", "1", { name: "uno" });
      b.state = "losing";
      const lost = await run(world);
      world.edit("a", "1", { name: "due" });
      const dying = new Proxy(home, {
        get: (inner, name, receiver) =>
          name === "settle"
            ? async () => {
                throw new Error("killed");
              }
            : Reflect.get(inner, name, receiver),
      });
      await assert.rejects(runReconcile({ ...world.context, home: dying }, signal), /killed/);
      assert.deepEqual(names(world), ["due", "uno", "due"]);
      b.state = "heard";
      await run(world);
      assert.deepEqual(names(world), ["due", "due", "due"]);
      const sent = await home.journal({ sync, runId: lost, limit: 10 });
      const states = sent.map(({ side, state }) => `${side} ${state}`).sort();
      assert.deepEqual(states, ["b written", "c written"]);
    });

    test("a delete that was not done is tried again", async () => {
      const { world, b } = build(backend);
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await run(world);
      world.remove("a", "1");
      b.state = "leaving";
      await run(world);
      assert.deepEqual(names(world), [undefined, "one", undefined]);
      b.state = "heard";
      await run(world);
      assert.deepEqual(names(world), [undefined, undefined, undefined]);
    });
  });
