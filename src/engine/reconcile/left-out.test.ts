import assert from "node:assert/strict";
import { test } from "node:test";
import { recordKey, type Values } from "../../model/record.ts";
import type { Connector } from "../../ports/connector.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const PRICE = 2;

interface Scene {
  readonly world: ReconcileWorld;
  readonly context: ReconcileContext;
  /** Kinds of the reads of side `b` since it was last asked, and how many records they gave. */
  told(): { readonly kinds: readonly string[]; readonly records: number };
}

const costs =
  (most: number) =>
  (values: Values): boolean =>
    Number(values[PRICE]) < most;

/** 20 records on side `b`, whose filter takes those that cost less than 10: every other one. */
async function scene(backend: ReconcileBackend = "memory"): Promise<Scene> {
  const world = createReconcileWorld({
    backend,
    sides: [
      { name: "a", digests: true },
      { name: "b", digests: true, role: { accepts: costs(10) } },
    ],
  });
  let [kinds, records]: [string[], number] = [[], 0];
  const count = (connector: Connector): Connector => ({
    ...connector,
    read: async function* (request, until) {
      kinds.push(request.kind);
      for await (const page of connector.read(request, until)) {
        records += page.records.length;
        yield page;
      }
    },
  });
  for (let sku = 0; sku < 20; sku += 1) {
    const price = sku % 2 === 0 ? "1" : "99";
    world.put("b", { sku: `s${sku}`, name: "n", price, tags: [] });
  }
  const context: ReconcileContext = {
    ...world.context,
    sides: world.context.sides.map((side) =>
      side.name === "b" ? { ...side, connector: count(side.connector) } : side,
    ),
  };
  await runReconcile(context, signal);
  assert.equal(Object.keys(world.items("a")).length, 10);
  const told = (): ReturnType<Scene["told"]> => {
    const before = { kinds, records };
    [kinds, records] = [[], 0];
    return before;
  };
  told();
  return { world, context, told };
}

const leftOutOf = async ({ home, sync }: ReconcileContext): Promise<number> =>
  (await home.leftOutSize(sync, "b")).count;

async function outside(context: ReconcileContext): Promise<number | undefined> {
  const { observations } = await planReconcile(context, signal);
  return observations.find(({ side }) => side === "b")?.outside;
}

for (const backend of RECONCILE_BACKENDS) {
  test(`what a filter leaves out is read once (${backend})`, async () => {
    const { world, context, told } = await scene(backend);
    await runReconcile(context, signal);
    assert.deepEqual(told(), { kinds: [], records: 0 });
    assert.equal(await outside(context), 10);
    told();
    world.tick();
    world.edit("b", "s1", { name: "edited" });
    assert.equal(await outside(context), 10);
    assert.deepEqual(told(), { kinds: ["walk", "keys"], records: 1 });
    await runReconcile(context, signal);
    assert.deepEqual(told(), { kinds: [], records: 0 }, "the planning noted it");
  });

  test(`one that is deleted there is forgotten (${backend})`, async () => {
    const { world, context, told } = await scene(backend);
    world.remove("b", "s1");
    await runReconcile(context, signal);
    assert.deepEqual(told(), { kinds: ["walk"], records: 0 });
    assert.equal(await leftOutOf(context), 9);
    await runReconcile(context, signal);
    assert.deepEqual(told(), { kinds: [], records: 0 });
    world.remove("b", "s3");
    await runReconcile({ ...context, isFull: true }, signal);
    assert.equal(told().records, 18, "a whole reading reads them all");
    assert.equal(await leftOutOf(context), 8);
    assert.equal(await outside(context), 8);
  });
}

test("a record that comes into the filter by an edit of its own is taken in, and goes again", async () => {
  const { world, context, told } = await scene();
  world.tick();
  world.edit("b", "s1", { price: "5" });
  await runReconcile(context, signal);
  assert.equal(world.items("a")["s1"]?.["price"], "5");
  assert.equal(await leftOutOf(context), 9);
  told();
  await runReconcile(context, signal);
  assert.deepEqual(told(), { kinds: [], records: 0 });
  // Just as it stood when it was left out: but now it is linked.
  world.tick();
  world.edit("b", "s1", { price: "99" });
  await runReconcile(context, signal);
  assert.equal(world.items("a")["s1"]?.["price"], "99");
});

test("one that is made anew with another content under the key of one left out is read", async () => {
  const { world, context } = await scene();
  world.remove("b", "s1");
  world.tick();
  world.put("b", { sku: "s1", name: "anew", price: "2", tags: [] });
  await runReconcile(context, signal);
  assert.equal(world.items("a")["s1"]?.["name"], "anew");
  assert.equal(await leftOutOf(context), 9);
});

/**
 * What opening the sync with another setting comes to: another seed, and what it makes of records.
 */
function withSide(
  context: ReconcileContext,
  parts: Partial<ReconcileContext["sides"][number]>,
): ReconcileContext {
  const sides = context.sides.map((side) =>
    side.name === "b" ? { ...side, ...parts, query: { ...side.query, digestSeed: 2 } } : side,
  );
  return { ...context, sides, rules: { ...context.rules, roles: sides.map(({ role }) => role) } };
}

test("after the filter changed everything it left out is asked about anew", async () => {
  const { world, context, told } = await scene();
  const [, b] = context.sides;
  assert.ok(b !== undefined);
  const wider = withSide(context, { role: { ...b.role, accepts: costs(100) } });
  await runReconcile(wider, signal);
  assert.equal(Object.keys(world.items("a")).length, 20);
  assert.equal(await leftOutOf(wider), 0);
  told();
  await runReconcile(wider, signal);
  assert.deepEqual(told(), { kinds: [], records: 0 });
});

test("after the mapping changed everything that was left out is asked about anew", async () => {
  const { world, context } = await scene();
  const [, b] = context.sides;
  assert.ok(b !== undefined);
  const toShared: typeof b.mapping.toShared = (values) => {
    const mapped = b.mapping.toShared(values);
    const cheap = mapped.values.map((value, at) =>
      at === PRICE && value === "99" ? "9.9" : value,
    );
    return { ...mapped, values: cheap };
  };
  const other = withSide(context, { mapping: { ...b.mapping, toShared } });
  await runReconcile(other, signal);
  assert.equal(world.items("a")["s1"]?.["price"], "9.9");
  assert.equal(await leftOutOf(other), 0);
});

test("no second record is made under the key of one that is left out", async () => {
  const { world, context, told } = await scene();
  world.put("a", { sku: "s1", name: "of a", price: "1", tags: [] });
  const { head } = await planReconcile(context, signal);
  assert.match(head.notes.join("\n"), /"s1": b: a record with this key stands there/);
  told();
  await runReconcile(context, signal);
  assert.equal(world.items("b")["s1"]?.["name"], "n");
  assert.equal(told().records, 1, "it was looked up, and nothing else");
});

test("a note that an older process left is no word on what stands there", async () => {
  const { world, context, told } = await scene();
  const lease = await context.home.acquireLease(context.sync, "other", 1000);
  await context.home.noteLeftOut(lease, "b", [{ key: recordKey(["s1"]), digest: 12345 }]);
  await context.home.releaseLease(lease);
  world.tick();
  await runReconcile(context, signal);
  assert.deepEqual(told(), { kinds: ["walk", "keys"], records: 1 });
  await runReconcile(context, signal);
  assert.deepEqual(told(), { kinds: [], records: 0 });
});

test("a side most of which is left out is not walked for that", async () => {
  const { world, context, told } = await scene();
  for (let sku = 100; sku < 400; sku += 1) {
    world.put("b", { sku: `t${sku}`, name: "n", price: "50", tags: [] });
  }
  await runReconcile(context, signal);
  told();
  world.tick();
  world.edit("b", "s0", { name: "edited" });
  await runReconcile(context, signal);
  assert.equal(world.items("a")["s0"]?.["name"], "edited");
  const { kinds, records } = told();
  assert.equal(kinds[0], "walk");
  assert.ok(records <= 2, `${records} records were read`);
  assert.equal(await leftOutOf(context), 310, "those in the same bucket were not forgotten");
});
