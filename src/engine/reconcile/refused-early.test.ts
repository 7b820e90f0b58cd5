import assert from "node:assert/strict";
import { test } from "node:test";
import type { Problem, RecordKey } from "../../model/record.ts";
import type { WriteOperation, WriteOutcome } from "../../ports/connector.ts";
import { withSide } from "../../testing/reconcile-sides.ts";
import { createReconcileWorld } from "../../testing/reconcile-world.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const problem: Problem = { code: "RECORD_REFUSED", message: "Its parent is not there." };

/** `b` takes a record whose name is that of another one only once that other one is there. */
function nested(deleteFloor?: number) {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  const tried: string[] = [];
  const refusesDeletes = { now: false };
  const isRefused = (operation: WriteOperation): boolean => {
    if (operation.kind === "delete") return refusesDeletes.now;
    const { key, values } = operation;
    const parent = String(values[1]);
    return key !== undefined && parent !== "-" && world.items("b")[parent] === undefined;
  };
  const context = withSide(world.context, "b", (side) => {
    const { connector } = side;
    const write: typeof connector.write = async (query, operations, stop) => {
      const outcomes: WriteOutcome[] = [];
      for (const operation of operations) {
        tried.push(String(operation.key));
        if (isRefused(operation)) outcomes.push({ kind: "rejected", problem });
        else outcomes.push(...((await connector.write?.(query, [operation], stop)) ?? []));
      }
      return outcomes;
    };
    return { ...side, connector: { ...connector, write } };
  });
  const guard = { ...context.guard, ...(deleteFloor === undefined ? {} : { deleteFloor }) };
  const put = (sku: string, parent: string): void => {
    world.put("a", { sku, name: parent, price: "1", tags: [] });
  };
  const run = async (afterMs = 60_000): Promise<readonly string[]> => {
    tried.length = 0;
    world.tick(afterMs);
    const { applied } = await runReconcile({ ...context, guard }, signal);
    assert.equal(applied.sides["b"]?.conflict, 0);
    return [...tried];
  };
  const parked = async (): Promise<readonly (RecordKey | null)[]> =>
    (await context.home.parked({ sync: context.sync })).map(({ key }) => key);
  return { world, refusesDeletes, put, run, parked };
}

test("children that come before their parents are written in the same run", async () => {
  const { world, put, run, parked } = nested();
  put("1", "3");
  put("2", "1");
  put("3", "-");
  await run();
  assert.deepEqual(Object.keys(world.items("b")).sort(), ["1", "2", "3"]);
  assert.deepEqual(await parked(), []);
});

test("a long row of parents, each after its child, takes one more pass", async () => {
  const { world, put, run } = nested();
  for (let at = 1; at < 9; at += 1) put(String(at), String(at + 1));
  put("9", "-");
  const tried = await run();
  assert.equal(Object.keys(world.items("b")).length, 9);
  assert.equal(tried.length, 9 + 8);
});

test("what is still refused is not sent again where nothing came about after it", async () => {
  const { put, run, parked } = nested();
  put("1", "-");
  put("2", "8");
  assert.deepEqual(await run(), ["1", "2"]);
  put("0", "8");
  put("3", "-");
  assert.deepEqual(await run(), ["0", "3", "0"]);
  assert.deepEqual([...(await parked())].sort(), ["0", "2"]);
});

test("what another sync brought later lets a refused write come about by itself", async () => {
  const { world, put, run, parked } = nested();
  put("1", "3");
  assert.deepEqual(await run(), ["1"]);
  world.put("b", { sku: "3", name: "-", price: "1", tags: [] });
  await run();
  assert.deepEqual(await parked(), ["1"]);
  await run(5 * 60_000);
  assert.deepEqual(Object.keys(world.items("b")).sort(), ["1", "3"]);
  assert.deepEqual(await parked(), []);
});

test("a write that goes on being refused is tried ever more seldom, and once a day at last", async () => {
  const { put, run } = nested();
  put("1", "3");
  const minute = 60_000;
  let tries = (await run()).length;
  for (let at = 0; at < 60; at += 1) tries += (await run(minute)).length;
  // 5, 15 and 35 minutes after the first time.
  assert.equal(tries, 4);
  for (let at = 0; at < 10; at += 1) await run(24 * 60 * minute);
  assert.equal((await run(23 * 60 * minute)).length, 0);
  assert.equal((await run(61 * minute)).length, 1);
});

test("old refusals of deletions alone do not make the guard halt", async () => {
  const { world, refusesDeletes, put, run } = nested(4);
  for (let at = 10; at < 50; at += 1) put(String(at), "-");
  await run();
  refusesDeletes.now = true;
  for (const sku of ["10", "11", "12", "13"]) world.remove("a", sku);
  assert.equal((await run()).length, 4);
  for (const sku of ["14", "15"]) world.remove("a", sku);
  assert.equal((await run(5 * 60_000)).length, 4);
  refusesDeletes.now = false;
  await run(10 * 60_000);
  await run(10 * 60_000);
  await run(10 * 60_000);
  assert.equal(Object.keys(world.items("b")).length, 34);
});
