import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import { importPlan } from "./import-plan.ts";
import { applyReconcile, planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });

async function agreed(backend: ReconcileBackend): Promise<ReconcileWorld> {
  const world = createReconcileWorld({
    backend,
    sides: [
      { name: "a", observe: "changes" },
      { name: "b", observe: "changes" },
    ],
  });
  world.put("a", item("1", "one"));
  world.put("a", item("2", "two"));
  await runReconcile(world.context, signal);
  world.tick(60_000);
  return world;
}

const names = (world: ReconcileWorld, sku: string) =>
  ["a", "b"].map((side) => world.items(side)[sku]?.["name"]);

for (const backend of RECONCILE_BACKENDS)
  describe(`plans that are no longer so, home in ${backend}`, () => {
    test("a plan whose place another took is refused, and loses nothing that it saw", async () => {
      const world = await agreed(backend);
      world.edit("a", "1", { name: "uno" });
      const { head } = await planReconcile(world.context, signal);
      world.tick(60_000);
      await planReconcile(world.context, signal);
      await assert.rejects(applyReconcile(world.context, head, signal), { code: "PLAN_STALE" });
      assert.deepEqual(names(world, "1"), ["uno", "one"]);
      world.tick(60_000);
      await runReconcile(world.context, signal);
      assert.deepEqual(names(world, "1"), ["uno", "uno"]);
    });

    test("a plan from before another was applied is refused", async () => {
      const world = await agreed(backend);
      world.edit("a", "1", { name: "uno" });
      const { head } = await planReconcile(world.context, signal);
      await runReconcile(world.context, signal);
      await assert.rejects(applyReconcile(world.context, head, signal), {
        code: "PLAN_STALE",
        message:
          /^Another plan of "inventory" was applied, or took its place, since this one was made\./,
      });
    });

    test("a plan is not applied a second time", async () => {
      const world = await agreed(backend);
      world.edit("a", "1", { name: "uno" });
      const { head } = await planReconcile(world.context, signal);
      await applyReconcile(world.context, head, signal);
      world.edit("b", "1", { name: "eins" });
      await assert.rejects(applyReconcile(world.context, head, signal), { code: "PLAN_STALE" });
      assert.deepEqual(names(world, "1"), ["uno", "eins"]);
    });

    test("a plan that was begun, and whose place another took, is refused and loses nothing", async () => {
      const world = await agreed(backend);
      world.edit("a", "1", { name: "uno" });
      world.edit("a", "2", { name: "due" });
      const { head } = await planReconcile(world.context, signal);
      const { home } = world.context;
      const planned: typeof home.planned = (plan, after) => home.planned(plan, after, 1);
      const stop = new AbortController();
      const halfway = {
        ...world.context,
        home: { ...home, planned },
        emit: ({ kind }: { readonly kind: string }) => void (kind === "applying" && stop.abort()),
      };
      await assert.rejects(applyReconcile(halfway, head, stop.signal));
      assert.deepEqual(
        [names(world, "1"), names(world, "2")],
        [
          ["uno", "uno"],
          ["due", "two"],
        ],
      );
      world.tick(60_000);
      await planReconcile(world.context, signal);
      await assert.rejects(applyReconcile(world.context, head, signal), { code: "PLAN_STALE" });
      world.tick(60_000);
      await runReconcile(world.context, signal);
      assert.deepEqual(names(world, "2"), ["due", "due"]);
    });

    test("what a crash left open is looked into before a plan from a file takes its place", async () => {
      const world = await agreed(backend);
      const { home, sync } = world.context;
      world.edit("a", "1", { name: "uno" });
      const { head } = await planReconcile(world.context, signal);
      const records = await home.planned(head.plan, 0, 10);
      const settle = () => Promise.reject(new Error("killed"));
      const dying = { ...world.context, home: { ...home, settle } };
      await assert.rejects(runReconcile(dying, signal), { message: "killed" });
      assert.deepEqual(names(world, "1"), ["uno", "uno"]);
      await importPlan(world.context, head, Readable.from(records), signal);
      await assert.rejects(applyReconcile(world.context, head, signal), { code: "PLAN_STALE" });
      const states = (await home.journal({ sync, limit: 1 })).map(({ state }) => state);
      assert.deepEqual(states, ["written"]);
      const [link] = await home.findLinks(sync, { name: "1" });
      assert.equal(link?.sides["b"]?.acknowledged.stoodFor[1], "uno");
    });

    test("a plan made under another configuration is refused", async () => {
      const world = await agreed(backend);
      world.edit("a", "1", { name: "uno" });
      const { head } = await planReconcile(world.context, signal);
      const context = { ...world.context, configuration: "another" };
      await assert.rejects(applyReconcile(context, head, signal), {
        code: "PLAN_STALE",
        message: /configuration/,
      });
      assert.deepEqual(names(world, "1"), ["uno", "one"]);
    });

    test("what an observation found that came to no run is not mixed into the next", async () => {
      const world = createReconcileWorld({ backend, sides: [{ name: "a" }, { name: "b" }] });
      world.put("a", item("1", "one"));
      world.put("a", item("2", "two"));
      await runReconcile(world.context, signal);
      world.edit("a", "1", { name: "uno" });
      await planReconcile(world.context, signal);
      world.edit("a", "1", { name: "one" });
      world.put("b", item("3", "three"));
      const { head } = await runReconcile(world.context, signal);
      assert.deepEqual(head.sides, {
        a: { creates: 1, updates: 0, deletes: 0 },
        b: { creates: 0, updates: 0, deletes: 0 },
      });
      assert.deepEqual(names(world, "1"), ["one", "one"]);
    });
  });
