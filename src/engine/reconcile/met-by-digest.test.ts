import assert from "node:assert/strict";
import { test } from "node:test";
import type { NamedValues } from "../../connectors/memory/system.ts";
import { bucketOf, sumDigests } from "../../model/digest.ts";
import { type RecordKey, recordKey } from "../../model/record.ts";
import type { Connector, Page, ReadRequest, StreamQuery } from "../../ports/connector.ts";
import { createReconcileWorld, type ReconcileWorld } from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { planReconcile, runReconcile, underLease } from "./run-reconcile.ts";
import { verifySides } from "./verify-sides.ts";

const signal = new AbortController().signal;
const item = (sku: string, name = "n"): NamedValues => ({ sku, name, price: "1", tags: [] });
const keyOf = (sku: string): RecordKey => recordKey([sku]);

/** The system tells these digests of its records, and of others their own. */
function forging(connector: Connector, forged: ReadonlyMap<RecordKey, number>): Connector {
  const tell = <T extends { readonly key: RecordKey; readonly digest?: number }>(one: T): T => {
    const digest = forged.get(one.key) ?? one.digest;
    return digest === undefined ? one : { ...one, digest };
  };
  async function* read(request: ReadRequest, stop: AbortSignal): AsyncIterable<Page> {
    const { buckets, ...rest } = { buckets: undefined, ...request };
    for await (const page of connector.read(rest as ReadRequest, stop)) {
      const wanted = buckets && new Set(buckets.of);
      const marks = page.marks
        .map(tell)
        .filter(({ digest = 0 }) => wanted?.has(bucketOf(digest, buckets?.bits ?? 0)) !== false);
      yield { ...page, records: page.records.map(tell), marks };
    }
  }
  async function sums(query: StreamQuery, bits: number, stop: AbortSignal) {
    const digests: number[] = [];
    const all = { kind: "walk", query, after: null, projection: "key" } as const;
    for await (const { marks } of read(all, stop)) {
      digests.push(...marks.flatMap(({ digest }) => digest ?? []));
    }
    return sumDigests(digests, bits);
  }
  return { ...connector, read, sumDigests: sums };
}

interface Scene {
  readonly world: ReconcileWorld;
  readonly context: ReconcileContext;
  /** From now on `a` tells the first record's digest as it is known of the second. */
  forge(sku: string, like: string): Promise<void>;
}

/** Two sides that agree on `s1`, `s2`, … whose order in a listing is that of their keys' texts. */
async function agreed(
  first: ReadonlyMap<RecordKey, number> = new Map(),
  count = 40,
): Promise<Scene> {
  const forged = new Map(first);
  const world = createReconcileWorld({ sides: [{ name: "a", digests: true }, { name: "b" }] });
  for (let sku = 1; sku <= count; sku += 1) {
    for (const side of ["a", "b"]) world.put(side, item(`s${sku}`));
  }
  const sides = world.context.sides.map((side) =>
    side.name === "a" ? { ...side, connector: forging(side.connector, forged) } : side,
  );
  const context = { ...world.context, sides };
  await runReconcile(context, signal);
  return {
    world,
    context,
    forge: async (sku, like) => {
      const known = await context.home.known(context.sync, "a", [keyOf(like)]);
      const digest = known.get(keyOf(like))?.digest;
      assert.ok(digest !== undefined);
      forged.set(keyOf(sku), digest);
    },
  };
}

for (const sku of ["a-new", "z-new"]) {
  test(`a new record with the digest of a linked one is taken in (${sku})`, async () => {
    const { world, context, forge } = await agreed();
    world.put("a", item(sku));
    await forge(sku, "s3");
    const { observations } = await planReconcile(context, signal);
    assert.deepEqual(
      observations.map(({ staged, gone }) => [staged, gone]),
      [
        [1, 0],
        [0, 0],
      ],
    );
    await runReconcile(context, signal);
    assert.deepEqual(world.items("b")[sku], item(sku));
    assert.deepEqual(world.items("b")["s3"], item("s3"));
  });
}

for (const [changed, like] of [
  ["s3", "s5"],
  ["s5", "s3"],
] as const) {
  test(`${changed}, changed to the digest of ${like}, is read; neither is gone`, async () => {
    const { world, context, forge } = await agreed();
    world.edit("a", changed, { name: "edited" });
    await forge(changed, like);
    await runReconcile(context, signal);
    assert.equal(world.items("b")[changed]?.["name"], "edited");
    assert.deepEqual(world.items("b")[like], item(like));
    assert.equal(Object.keys(world.items("a")).length, 40);
  });
}

for (const gone of ["s3", "s5"]) {
  test(`of two linked records with one digest ${gone} is gone`, async () => {
    const { world, context } = await agreed(
      new Map([
        [keyOf("s3"), 77],
        [keyOf("s5"), 77],
      ]),
    );
    world.remove("a", gone);
    const found = await underLease(context, signal, (work) => verifySides(work));
    assert.equal(found.sides.find(({ side }) => side === "a")?.missing, 1);
    await runReconcile(context, signal);
    assert.equal(world.items("b")[gone], undefined);
    assert.equal(Object.keys(world.items("b")).length, 39);
  });
}

test("what is listed and stands as it did is not looked up by its key", async () => {
  const { world, context } = await agreed();
  const asked: RecordKey[] = [];
  const home: ReconcileContext["home"] = {
    ...context.home,
    known: (sync, side, keys) => {
      if (side === "a") asked.push(...keys);
      return context.home.known(sync, side, keys);
    },
  };
  for (let sku = 1; sku <= 9; sku += 1) world.edit("a", `s${sku}`, { name: "edited" });
  world.remove("a", "s20");
  await planReconcile({ ...context, home }, signal);
  const edited = Array.from({ length: 9 }, (_, at) => keyOf(`s${at + 1}`));
  assert.deepEqual(new Set(asked), new Set(edited));
});

test("however many records are gone, each is noted once", async () => {
  const skus = Array.from({ length: 2600 }, (_, at) => `s${at + 1}`);
  // In order, so that half of the buckets stay as they are and the side is not walked.
  const digests = new Map(skus.map((sku, at) => [keyOf(sku), at * 2 ** 40]));
  const { world, context } = await agreed(digests, skus.length);
  for (const sku of skus.slice(0, 1100)) world.remove("a", sku);
  const { observations } = await planReconcile(context, signal);
  assert.deepEqual(
    observations.map(({ read, gone }) => [read, gone]),
    [
      [1500, 1100],
      [2600, 0],
    ],
  );
});
