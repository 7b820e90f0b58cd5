import assert from "node:assert/strict";
import { test } from "node:test";
import { createReconcileWorld } from "../../testing/reconcile-world.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { queryOfRun } from "./query-of-run.ts";

test("a run signs by its names, however long they are, in what every system has room for", () => {
  const { context } = createReconcileWorld({ backend: "memory", sides: [{ name: "a" }] });
  const [side] = context.sides;
  assert.ok(side);
  const originOf = (sync: string, name: string, run: string): string => {
    const work = { context: { ...context, sync } } as ReconcileWork;
    const named: SideContext = { ...side, name };
    return queryOfRun(work, named, run).origin ?? "";
  };
  assert.equal(originOf("stock", "shop", "r1"), "stock/shop/r1");
  const long = "s".repeat(120);
  const origins = ["r1", "r2"].map((run) => originOf(long, "shop", run));
  assert.deepEqual(
    origins.map((origin) => origin.length <= 100),
    [true, true],
  );
  assert.notEqual(origins[0], origins[1]);
  assert.equal(originOf(long, "shop", "r1"), origins[0]);
});
