import assert from "node:assert/strict";
import { test } from "node:test";
import { SyncError } from "../../model/sync-error.ts";
import { withSide } from "../../testing/reconcile-sides.ts";
import { createReconcileWorld } from "../../testing/reconcile-world.ts";
import { applyReconcile, planReconcile, planUndo, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });

test("what a side that fails is not told was not written: nobody changed it meanwhile", async () => {
  let isAway = false;
  const error = new SyncError("SYSTEM_READ_ONLY", "The file may not be written.");
  const write = () => (isAway ? { error } : undefined);
  const world = createReconcileWorld({
    sides: [{ name: "a" }, { name: "b", connector: { faults: { write } } }],
  });
  for (const sku of ["1", "2"]) world.put("a", item(sku, "n"));
  await runReconcile(world.context, signal);
  isAway = true;
  world.tick(60_000);
  world.edit("a", "1", { name: "uno" });
  world.put("a", item("3", "new"));
  const { applied, outcome } = await runReconcile(world.context, signal);
  assert.equal(outcome, "partial");
  const none = { written: 0, conflict: 0, rejected: 0, unknown: 0, unsent: 0 };
  assert.deepEqual(applied.sides, { a: none, b: { ...none, unsent: 2 } });
  assert.deepEqual(applied.troubles, ["b failed: The file may not be written."]);
});

test("what a side turned away unread is not looked for, and was not sent", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  world.put("a", item("1", "n"));
  await runReconcile(world.context, signal);
  world.tick(60_000);
  world.edit("a", "1", { name: "uno" });
  world.put("a", item("2", "new"));
  const error = new SyncError("CONNECTOR_RATE_LIMITED", "Not so fast.");
  let readsAfter = 0;
  let wasAsked = false;
  const sides = world.context.sides.map((side) => ({
    ...side,
    connector: {
      ...side.connector,
      read: (...asked: Parameters<typeof side.connector.read>) => {
        if (wasAsked) readsAfter += 1;
        return side.connector.read(...asked);
      },
      write: async (_query: unknown, operations: readonly unknown[]) => {
        wasAsked = true;
        return operations.map(() => ({ kind: "unsent", error }) as const);
      },
    },
  }));
  const { applied } = await runReconcile({ ...world.context, sides }, signal);
  assert.equal(applied.sides["b"]?.unsent, 2);
  assert.deepEqual(applied.troubles, ["b failed: Not so fast."]);
  assert.equal(readsAfter, 0);
});

test("only what was sent without an answer is looked for, and the rest was not sent", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  for (const sku of ["1", "2", "3"]) world.put("a", item(sku, "n"));
  const error = new SyncError("CONNECTOR_UNAVAILABLE", "It broke.");
  const read: (readonly string[])[] = [];
  const context = withSide(world.context, "b", (side) => {
    const { connector } = side;
    return {
      ...side,
      connector: {
        ...connector,
        read: (request, stop) => {
          if (request.kind === "keys") read.push(request.keys);
          return connector.read(request, stop);
        },
        write: async (query, [first, ...others], stop) => [
          ...((first && (await connector.write?.(query, [first], stop))) ?? []),
          ...others.map((_, index) => ({ kind: index === 0 ? "lost" : "unsent", error }) as const),
        ],
      },
    };
  });
  const { applied } = await runReconcile(context, signal);
  const ends = { written: 1, conflict: 0, rejected: 0, unknown: 0, unsent: 2 };
  assert.deepEqual(applied.sides["b"], ends);
  assert.deepEqual([...new Set(read.flat())], ["2"]);
  assert.deepEqual(applied.troubles, ["b failed: It broke."]);
  await runReconcile(world.context, signal);
  assert.deepEqual(Object.keys(world.items("b")), ["1", "2", "3"]);
});

test("what was changed meanwhile is told with the record's name", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  world.put("a", item("1", "n"));
  await runReconcile(world.context, signal);
  world.tick(60_000);
  world.edit("a", "1", { name: "uno" });
  const { head } = await planReconcile(world.context, signal);
  world.edit("b", "1", { name: "due" });
  const { applied } = await applyReconcile(world.context, head, signal);
  assert.equal(applied.sides["b"]?.conflict, 1);
  assert.deepEqual(applied.troubles, ['b, "1": It was changed there since the plan was made.']);
});

test("what an undo did not get to, since the side had failed, is no edit of that side", async () => {
  let isAway = false;
  const error = new SyncError("SYSTEM_READ_ONLY", "The file may not be written.");
  const write = () => (isAway ? { error } : undefined);
  const world = createReconcileWorld({
    sides: [{ name: "a" }, { name: "b", connector: { faults: { write } } }],
  });
  const { home } = world.context;
  // One record at a time, so that the side has failed before the second one's turn.
  const planned: typeof home.planned = (plan, after) => home.planned(plan, after, 1);
  const context = { ...world.context, home: { ...home, planned } };
  for (const sku of ["1", "2"]) world.put("a", item(sku, "n"));
  await runReconcile(context, signal);
  world.tick(60_000);
  for (const sku of ["1", "2"]) world.edit("a", sku, { name: "uno" });
  const { runId } = await runReconcile(context, signal);
  isAway = true;
  world.tick(60_000);
  const { applied } = await applyReconcile(context, await planUndo(context, runId, signal), signal);
  assert.equal(applied.sides["b"]?.unsent, 2);
  isAway = false;
  world.tick(60_000);
  for (const sku of ["1", "2"]) world.edit("a", sku, { name: "due" });
  await assert.rejects(runReconcile(context, signal), { code: "GUARD_UNDONE" });
  for (const { id } of await home.halts({ sync: context.sync, waiting: true })) {
    await home.releaseHalt(id, "ann", 1);
  }
  await runReconcile(context, signal);
  assert.deepEqual(await home.conflicts({ sync: context.sync }), []);
  const names = Object.values(world.items("b")).map((one) => one?.["name"]);
  assert.deepEqual(names, ["due", "due"]);
});
