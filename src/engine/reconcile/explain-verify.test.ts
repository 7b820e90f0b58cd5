import assert from "node:assert/strict";
import { test } from "node:test";
import { createReconcileWorld } from "../../testing/reconcile-world.ts";
import { explainRecord } from "./explain-value.ts";
import { runReconcile, underLease } from "./run-reconcile.ts";
import { verifySides } from "./verify-sides.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string, price = "1") => ({ sku, name, price, tags: [] });

async function changed() {
  const world = createReconcileWorld({
    sides: [{ name: "shop" }, { name: "stock" }],
    policies: [
      {
        name: "prefer shop",
        decide: ({ candidates }) => {
          const taken = candidates.find(({ side }) => side === "shop");
          if (taken === undefined) return undefined;
          return { kind: "value", value: taken.value, from: "shop", why: "shop is preferred" };
        },
      },
    ],
  });
  world.put("shop", item("7", "seven", "10"));
  const first = await runReconcile(world.context, signal);
  world.tick();
  world.edit("shop", "7", { price: "12" });
  world.edit("stock", "7", { price: "11" });
  const second = await runReconcile(world.context, signal);
  return { world, first, second };
}

test("explains which side, which run, which rule and what it beat", async () => {
  const { world, first, second } = await changed();
  const { fields } = await explainRecord(world.context, "7", "price");
  const [price] = fields;
  assert.equal(price?.agreed, "12");
  assert.deepEqual(
    price?.sides.map(({ side, value, isBehind }) => [side, value, isBehind]),
    [
      ["shop", "12", false],
      ["stock", "12", false],
    ],
  );
  const [newest, oldest] = price?.history ?? [];
  assert.equal(newest?.runId, second.runId);
  assert.equal(newest?.before, "10");
  assert.equal(newest?.after, "12");
  const { reason } = newest ?? {};
  assert.ok(reason?.kind === "decided");
  assert.equal(reason.policy, "prefer shop");
  assert.deepEqual(
    reason.beat.map(({ side, value }) => [side, value]),
    [["stock", "11"]],
  );
  assert.equal(oldest?.runId, first.runId);
  assert.deepEqual(oldest?.reason, { kind: "joined", by: ["shop"] });
  assert.deepEqual(
    price?.writes.map(({ side, kind, runId }) => [side, kind, runId]),
    [
      ["stock", "update", second.runId],
      ["stock", "create", first.runId],
    ],
  );
});

test("a record or field that does not exist is named, with what there is", async () => {
  const { world } = await changed();
  await assert.rejects(explainRecord(world.context, "8"), { code: "RECORD_UNKNOWN" });
  await assert.rejects(explainRecord(world.context, "7", "colour"), { code: "FIELD_UNKNOWN" });
  assert.equal((await explainRecord(world.context, "stock:7", "name")).name, "7");
});

test("verify finds what differs, by side and field, and what is missing", async () => {
  const { world } = await changed();
  const verify = () => underLease(world.context, signal, (work) => verifySides(work));
  assert.equal((await verify()).isEqual, true);
  world.put("shop", item("9", "nine"));
  await runReconcile(world.context, signal);
  world.edit("stock", "7", { name: "drifted" });
  world.remove("shop", "9");
  const { sides, isEqual, compared } = await verify();
  assert.equal(isEqual, false);
  assert.equal(compared, 2);
  assert.deepEqual(sides.find(({ side }) => side === "stock")?.fields, { name: 1 });
  assert.equal(sides.find(({ side }) => side === "shop")?.missing, 1);
});

test("verify asks nothing of what was left outside a side's filter, but what it says anew", async () => {
  const world = createReconcileWorld({
    sides: [
      { name: "shop" },
      { name: "stock", role: { accepts: (values) => values.includes("1"), whenLeaving: "keep" } },
    ],
  });
  const verify = async () =>
    (await underLease(world.context, signal, (work) => verifySides(work))).isEqual;
  world.put("shop", item("7", "seven"));
  await runReconcile(world.context, signal);
  world.edit("shop", "7", { price: "12", name: "dear" });
  assert.equal(await verify(), false, "nobody agreed yet that it leaves");
  await runReconcile(world.context, signal);
  assert.equal(world.items("stock")["7"]?.["name"], "seven");
  assert.equal(await verify(), true);
  world.edit("stock", "7", { name: "mine" });
  assert.equal(await verify(), false);
  world.remove("stock", "7");
  assert.equal(await verify(), true, "it may go");
});

test("nor of what was marked as it left the filter", async () => {
  const remove = { mark: [undefined, "gone", undefined, undefined] };
  const world = createReconcileWorld({
    sides: [
      { name: "shop" },
      {
        name: "stock",
        role: { accepts: (values) => values.includes("1"), whenLeaving: "remove", remove },
      },
    ],
  });
  const verify = async () =>
    (await underLease(world.context, signal, (work) => verifySides(work))).isEqual;
  world.put("shop", item("7", "seven"));
  await runReconcile(world.context, signal);
  world.edit("shop", "7", { price: "12" });
  await runReconcile(world.context, signal);
  assert.equal(world.items("stock")["7"]?.["name"], "gone");
  assert.equal(await verify(), true);
  world.edit("stock", "7", { name: "back" });
  assert.equal(await verify(), false);
});
