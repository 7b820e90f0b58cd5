import assert from "node:assert/strict";
import { test } from "node:test";
import type { BadRecord } from "../../model/record.ts";
import type { Connector } from "../../ports/connector.ts";
import { createReconcileWorld, type ReconcileWorld } from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string) => ({ sku, name, price: "1", tags: [] });

const KEYLESS: BadRecord = {
  image: "{}",
  problems: [{ code: "RECORD_KEY_MISSING", message: "The record has no value in its key." }],
};

/** The record of that key comes without its key, in listings and where it is asked for. */
function withoutKey(connector: Connector, key: string): Connector {
  return {
    ...connector,
    async *read(request, abort) {
      for await (const page of connector.read(request, abort)) {
        const records = page.records.filter((record) => record.key !== key);
        const isHidden = records.length < page.records.length;
        yield isHidden ? { ...page, records, bad: [...page.bad, KEYLESS] } : page;
      }
    },
  };
}

function spoilt({ context }: ReconcileWorld, key: string): ReconcileContext {
  const sides = context.sides.map((side) =>
    side.name === "b" ? { ...side, connector: withoutKey(side.connector, key) } : side,
  );
  return { ...context, sides };
}

test("a record that is there without its key is not gone, and is deleted nowhere", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  for (const sku of ["1", "2", "3"]) world.put("a", item(sku, "one"));
  await runReconcile(world.context, signal);
  world.tick();
  world.edit("a", "2", { name: "two" });
  const { applied } = await runReconcile(spoilt(world, "1"), signal);
  assert.equal(applied.sides["a"]?.written, 0);
  assert.deepEqual(Object.keys(world.items("a")), ["1", "2", "3"]);
  assert.equal(world.items("b")["2"]?.["name"], "two");
  world.tick();
  world.edit("b", "1", { name: "uno" });
  await runReconcile(world.context, signal);
  assert.equal(world.items("a")["1"]?.["name"], "uno");
  const { head } = await planReconcile(world.context, signal);
  const none = { creates: 0, updates: 0, deletes: 0 };
  assert.deepEqual(head.sides, { a: none, b: none });
});
