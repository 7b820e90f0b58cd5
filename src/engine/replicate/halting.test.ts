import assert from "node:assert/strict";
import { test } from "node:test";
import type { Halt } from "../../model/parked.ts";
import type { RecordKey } from "../../model/record.ts";
import type { ReplicateMode, RunReport } from "../../model/run.ts";
import { BACKENDS, createReplicaWorld, type ReplicaWorld } from "../../testing/replica-world.ts";
import { runReplicate } from "../run-replicate.ts";

const LISTING = { streams: ["Listing"] };

/** Twenty listings copied; then half and more of them go out of sight. */
async function worldWithDisaster(
  backend: (typeof BACKENDS)[number] = "memory",
): Promise<ReplicaWorld> {
  const world = createReplicaWorld({ backend });
  for (let number = 1; number <= 20; number += 1) world.list(number);
  await world.run("full", LISTING);
  hide(world, 1, 15);
  return world;
}

function hide(world: ReplicaWorld, first: number, last: number): void {
  for (let number = first; number <= last; number += 1) {
    world.system.hide("Listing", String(number) as RecordKey);
  }
}

const waiting = ({ context }: ReplicaWorld): Promise<readonly Halt[]> =>
  context.home.halts({ sync: "mls", waiting: true });

async function release(world: ReplicaWorld): Promise<void> {
  for (const halt of await waiting(world)) await world.context.home.releaseHalt(halt.id, "ann", 1);
}

const deletedBy = (report: RunReport): number => report.streams[0]?.ledger.deleted ?? 0;

for (const backend of BACKENDS) {
  for (const mode of ["full", "sweep"] as const) {
    test(`${mode} (${backend}): halts, goes on once released, and uses the release up`, async () => {
      const world = await worldWithDisaster(backend);
      const halted = await world.run(mode, LISTING);
      assert.equal(halted.outcome, "halted");
      assert.equal(halted.streams[0]?.error?.code, "GUARD_MASS_DELETE");
      assert.equal((await waiting(world)).length, 1);
      // Not released: it halts again, by a walk of its own, and the halt stays one.
      assert.equal((await world.run(mode, LISTING)).outcome, "halted");
      assert.equal((await waiting(world)).length, 1);
      await release(world);
      const released = await world.run(mode, LISTING);
      assert.equal(released.outcome, "done");
      assert.equal(deletedBy(released), 15);
      assert.deepEqual(await world.context.home.halts({ sync: "mls" }), []);
      await world.close();
    });
  }
}

test("a release is for the walk that was shown, not for the next disaster", async () => {
  const world = await worldWithDisaster();
  await world.run("full", LISTING);
  await release(world);
  // Another lane found the same: it asks for itself.
  assert.equal((await world.run("sweep", LISTING)).outcome, "halted");
  // The walk that was shown is gone (its fields changed), and its release with it.
  const { spec } = world.context;
  const streams = spec.streams.map((each) =>
    each.stream === "Listing" ? { ...each, select: ["Status"] } : each,
  );
  const narrowed = { ...world, context: { ...world.context, spec: { ...spec, streams } } };
  const again = await runReplicate(narrowed.context, { mode: "full", ...LISTING }, world.signal);
  assert.equal(again.outcome, "halted");
  assert.equal(deletedBy(again), 0);
});

test("more deletions than were shown are not let through", async () => {
  const world = await worldWithDisaster();
  const keys = Array.from({ length: 20 }, (_, index) => String(index + 1) as RecordKey);
  const request = { ...LISTING, keys };
  assert.equal((await world.run("keys", request)).outcome, "halted");
  await release(world);
  hide(world, 16, 19);
  assert.equal((await world.run("keys", request)).outcome, "halted");
});

test("a release of named keys is used up, too", async () => {
  const world = await worldWithDisaster();
  const keys = Array.from({ length: 20 }, (_, index) => String(index + 1) as RecordKey);
  assert.equal((await world.run("keys", { ...LISTING, keys })).outcome, "halted");
  await release(world);
  const done = await world.run("keys", LISTING);
  assert.equal(deletedBy(done), 15);
  assert.deepEqual(await world.context.home.halts({ sync: "mls" }), []);
  for (let number = 1; number <= 15; number += 1) world.list(number);
  await world.run("keys", { ...LISTING, keys });
  hide(world, 1, 15);
  assert.equal((await world.run("keys", { ...LISTING, keys })).outcome, "halted");
});

test("a halt goes away when its trouble does, lane by lane", async () => {
  const world = await worldWithDisaster();
  for (let number = 1; number <= 15; number += 1) {
    const key = String(number) as RecordKey;
    world.system.unhide("Listing", key);
    world.system.remove("Listing", key);
  }
  const told = await world.run("deletions", LISTING);
  assert.equal(told.outcome, "halted");
  for (let number = 1; number <= 15; number += 1) world.list(number);
  const runs: readonly ReplicateMode[] = ["incremental", "keys"];
  for (const mode of runs)
    await world.run(mode, { ...LISTING, ...(mode === "keys" ? { keys: [] } : {}) });
  assert.equal((await waiting(world)).length, 1);
  const calm = await world.run("full", LISTING);
  assert.equal(calm.outcome, "done");
  assert.deepEqual(await waiting(world), []);
});
