import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createMemoryHomeState, type MemoryHomeState } from "../../homes/memory/state.ts";
import { SyncError } from "../../model/sync-error.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileWorld,
  type WorldOptions,
  type WorldSide,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { planReconcile, runReconcile, underLease } from "./run-reconcile.ts";
import { verifySides } from "./verify-sides.ts";

const signal = new AbortController().signal;

interface Watched {
  readonly world: ReconcileWorld;
  /** Kinds of the reads since it was last asked, by side. */
  reads(): Readonly<Record<string, readonly string[]>>;
}

/** Sides that tell digests, and are watched while they are read. */
function watched(options: Omit<WorldOptions, "sides"> & { readonly sides: readonly WorldSide[] }) {
  let reads: Record<string, string[]> = {};
  const world = createReconcileWorld({
    ...options,
    sides: options.sides.map((side) => ({
      digests: true,
      ...side,
      connector: {
        ...side.connector,
        faults: {
          read: ({ kind }) => {
            reads[side.name] = [...(reads[side.name] ?? []), kind];
            return undefined;
          },
        },
      },
    })),
  });
  const told: Watched = {
    world,
    reads: () => {
      const before = reads;
      reads = {};
      return before;
    },
  };
  return told;
}

const SIDES = [{ name: "a" }, { name: "b", assignsKeys: true }] as const;

function fill(world: ReconcileWorld, side: string, count: number): void {
  for (let sku = 1; sku <= count; sku += 1) {
    world.put(side, { sku: `s${sku}`, name: `n${sku}`, price: "1", tags: [] });
  }
}

for (const backend of RECONCILE_BACKENDS) {
  test(`a run after a run reads no record (${backend})`, async () => {
    const { world, reads } = watched({ backend, sides: SIDES });
    fill(world, "a", 100);
    await runReconcile(world.context, signal);
    reads();
    await runReconcile(world.context, signal);
    assert.deepEqual(reads(), { a: ["digests"], b: ["digests"] });
    world.tick();
    world.edit("a", "s7", { price: "7" });
    world.remove("b", "s8");
    await runReconcile(world.context, signal);
    assert.equal(world.items("b")["s7"]?.["price"], "7");
    assert.equal(world.items("a")["s8"], undefined);
    const { a = [], b = [] } = reads();
    assert.deepEqual(a.slice(0, 3), ["digests", "walk", "keys"]);
    assert.ok(![...a, ...b].includes("head"), "nobody asked where changes go on");
    await runReconcile(world.context, signal);
    assert.deepEqual(reads(), { a: ["digests"], b: ["digests"] }, "what was written is known");
  });
}

test("a side that keeps values in its own way is known by what it made of them", async () => {
  const rounds = (_stream: string, field: string, value: unknown) =>
    field === "price" ? Number(value).toFixed(1) : (value as string);
  const { world, reads } = watched({ sides: [{ name: "a" }, { name: "b", storage: rounds }] });
  for (const sku of ["x", "y", "z"]) {
    world.put("a", { sku, name: sku, price: "1.25", tags: [] });
  }
  await runReconcile(world.context, signal);
  assert.equal(world.items("b")["x"]?.["price"], "1.3");
  reads();
  await runReconcile(world.context, signal);
  assert.deepEqual(reads(), { a: ["digests"], b: ["digests"] });
});

test("digests of another seed match nothing; with `isFull` nobody asks for any", async () => {
  const { world, reads } = watched({ sides: SIDES });
  fill(world, "a", 10);
  await runReconcile(world.context, signal);
  reads();
  const { context } = world;
  await runReconcile({ ...context, isFull: true }, signal);
  assert.deepEqual(reads(), { a: ["head", "walk", "head"], b: ["head", "walk", "head"] });
  const other: ReconcileContext = {
    ...context,
    sides: context.sides.map((side) => ({ ...side, query: { ...side.query, digestSeed: 2 } })),
  };
  await runReconcile(other, signal);
  assert.ok(reads()["a"]?.includes("walk"));
  await runReconcile(other, signal);
  assert.deepEqual(reads(), { a: ["digests"], b: ["digests"] }, "the walk noted them");
  const blind: ReconcileContext = {
    ...context,
    sides: context.sides.map((side) => ({ ...side, query: { schema: side.schema } })),
  };
  await runReconcile(blind, signal);
  assert.deepEqual(reads()["a"], ["head", "walk", "head"]);
});

test("where digests cannot be had the side is walked, and a note says why", async () => {
  const { world, reads } = watched({ sides: SIDES });
  fill(world, "a", 10);
  await runReconcile(world.context, signal);
  world.tick();
  world.edit("a", "s3", { name: "edited" });
  reads();
  const notes: string[] = [];
  const context: ReconcileContext = {
    ...world.context,
    emit: (event) => {
      if (event.kind === "note") notes.push(event.message);
    },
    sides: world.context.sides.map((side) => ({
      ...side,
      connector: {
        ...side.connector,
        sumDigests: async () => {
          throw new SyncError("CONNECTOR_TIMEOUT", "It took too long.");
        },
      },
    })),
  };
  await runReconcile(context, signal);
  assert.deepEqual(reads()["a"]?.slice(0, 2), ["head", "walk"]);
  assert.equal(world.items("b")["s3"]?.["name"], "edited");
  const why = "is read whole, since its digests could not be had: It took too long.";
  assert.deepEqual(notes, [`a ${why}`, `b ${why}`]);
});

test("a side that is suddenly empty is walked, and told of to the guard", async () => {
  const { world, reads } = watched({ sides: SIDES });
  fill(world, "a", 10);
  await runReconcile(world.context, signal);
  for (let sku = 1; sku <= 10; sku += 1) world.remove("a", `s${sku}`);
  reads();
  const { head } = await planReconcile(world.context, signal);
  assert.deepEqual(head.observed["a"], { known: 10, seen: 0 });
  assert.ok(reads()["a"]?.includes("walk"));
});

test("what is counted for the guard is what the side has", async () => {
  const { world } = watched({ sides: SIDES });
  fill(world, "a", 40);
  await runReconcile(world.context, signal);
  world.remove("a", "s1");
  world.put("a", { sku: "new", name: "new", price: "1", tags: [] });
  world.systems["a"]?.edit("items", world.put("a", { sku: "bad" }), { name: 5 as never });
  const { head, observations } = await planReconcile(world.context, signal);
  assert.deepEqual(head.observed["a"], { known: 40, seen: 41 });
  assert.deepEqual(
    observations.map(({ kind, bad, gone }) => [kind, bad, gone]),
    [
      ["whole", 1, 1],
      ["whole", 0, 0],
    ],
  );
});

interface Act {
  readonly side: number;
  readonly sku: number;
  readonly act: "name" | "price" | "clear" | "spoil" | "remove" | "create" | "twin" | "hide";
}

const acts = fc.array(
  fc.record<Act>({
    side: fc.nat(2),
    sku: fc.nat(9),
    act: fc.constantFrom("name", "price", "clear", "spoil", "remove", "create", "twin", "hide"),
  }),
  { maxLength: 14 },
);

function perform(world: ReconcileWorld, { side, sku, act }: Act, nth: number): void {
  const name = ["a", "b", "c"][side] ?? "a";
  const key = `s${sku}`;
  const system = world.systems[name];
  const row = system?.rows("items").find(({ values }) => values["sku"] === key);
  world.tick();
  if (act === "create" || (act === "twin" && name === "b")) {
    if (row !== undefined && act === "create") return;
    world.put(name, { sku: key, name: `made ${nth}`, price: String(nth), tags: [] });
    return;
  }
  if (row === undefined || act === "twin") return;
  if (act === "remove") system?.remove("items", row.id);
  else if (act === "hide") system?.hide("items", row.id);
  else if (act === "name") system?.edit("items", row.id, { name: `edited ${nth}` });
  else if (act === "price") system?.edit("items", row.id, { price: String(nth) });
  else if (act === "clear") system?.edit("items", row.id, { tags: [], name: null });
  else system?.edit("items", row.id, { price: 5 as never });
}

/** Everything staged, without the links that this plan gave out. */
function stagedIn({ agreements }: MemoryHomeState): readonly string[] {
  const known = new Set([...agreements.links.values()].map(({ link }) => link));
  const all = [...agreements.staged.values()].map(({ link, ...record }) =>
    JSON.stringify({ ...record, link: link !== undefined && known.has(link) ? link : "new" }),
  );
  return all.sort();
}

test("an observation by digests stages exactly what a walk stages", async () => {
  await fc.assert(
    fc.asyncProperty(acts, acts, fc.nat(9), async (first, second, records) => {
      const homeState = createMemoryHomeState();
      const { world, reads } = watched({
        homeState,
        sides: [
          { name: "a" },
          { name: "b", assignsKeys: true },
          { name: "c", role: { accepts: (values) => Number(values[2] ?? 0) % 3 !== 2 } },
        ],
      });
      fill(world, "a", records);
      // A side without any record would stop the run.
      world.put("a", { sku: "kept", name: "kept", price: "1", tags: [] });
      await runReconcile(world.context, signal);
      for (const [nth, act] of first.entries()) perform(world, act, nth);
      await runReconcile(world.context, signal);
      await runReconcile(world.context, signal);
      for (const [nth, act] of second.entries()) perform(world, act, nth + 50);
      reads();
      const told = await planReconcile(world.context, signal);
      const byDigests = stagedIn(homeState);
      const ways = reads();
      const walked = await planReconcile({ ...world.context, isFull: true }, signal);
      assert.deepEqual(byDigests, stagedIn(homeState));
      const seen = told.observations.map(({ positions: _, ...rest }) => rest);
      const whole = walked.observations.map(({ positions: _, ...rest }) => rest);
      assert.deepEqual(seen, whole);
      assert.ok(Object.values(ways).flat().includes("digests"));
    }),
    { numRuns: 150 },
  );
});

test("verify finds by digests what it finds by reading everything", async () => {
  await fc.assert(
    fc.asyncProperty(acts, acts, async (first, second) => {
      const { world } = watched({
        sides: [
          { name: "a" },
          { name: "b", assignsKeys: true },
          { name: "c", role: { update: false } },
        ],
      });
      fill(world, "a", 8);
      await runReconcile(world.context, signal);
      for (const [nth, act] of first.entries()) perform(world, act, nth);
      await runReconcile(world.context, signal);
      for (const [nth, act] of second.entries()) perform(world, act, nth + 50);
      const verify = (full: boolean) =>
        underLease(world.context, signal, (work) => verifySides(work, { full }));
      const [quick, again, full] = [await verify(false), await verify(false), await verify(true)];
      for (const found of [quick, again]) {
        assert.deepEqual(
          { ...found, sides: found.sides.map(({ read: _, samples: __, ...side }) => side) },
          { ...full, sides: full.sides.map(({ read: _, samples: __, ...side }) => side) },
        );
      }
    }),
    { numRuns: 150 },
  );
});
