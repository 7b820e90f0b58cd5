import assert from "node:assert/strict";
import { test } from "node:test";
import { asyncProperty, assert as fcAssert, integer, record, uniqueArray } from "fast-check";
import type { RecordKey } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import { BACKENDS, createReplicaWorld, type ReplicaWorld } from "../../testing/replica-world.ts";
import { runReplicate } from "../run-replicate.ts";
import { type WalkState, walkState } from "./walk-state.ts";

const LISTING = { streams: ["Listing"] };
const IN_PARTS = { Listing: { partitions: 3 } };
const key = (number: number): RecordKey => String(number) as RecordKey;

function list(world: ReplicaWorld, count: number): void {
  for (let number = 1; number <= count; number += 1) world.list(number);
}

async function rows({ context }: ReplicaWorld): Promise<readonly RecordKey[]> {
  const [spec] = context.spec.streams;
  assert.ok(spec);
  const schema = (await context.source.discover(new AbortController().signal))[0];
  assert.ok(schema);
  const { table, naming, drift, deletes } = spec;
  const target = { sync: "mls", table, schema, naming, drift, deletes };
  return context.destination.scanKeys(target, null, 1000);
}

async function savedWalk({ context }: ReplicaWorld): Promise<WalkState | undefined> {
  const checkpoint = await context.home.checkpoint("mls", "Listing", "walk");
  return checkpoint && walkState(checkpoint);
}

/** The world, whose first part fails on its third page once the others have come to their end. */
function failing(world: ReplicaWorld): ReplicaWorld["context"] {
  const { source } = world.context;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const othersEnded = async (): Promise<boolean> =>
    (await savedWalk(world))?.parts?.slice(1).every(({ ended }) => ended) === true;
  return {
    ...world.context,
    source: {
      ...source,
      async *read(...[request, signal]: Parameters<typeof source.read>) {
        let pages = 0;
        for await (const page of source.read(request, signal)) {
          pages += 1;
          if (request.kind === "walk" && request.range?.after === null && pages === 3) {
            while (!(await othersEnded())) await turn();
            throw new SyncError("CONNECTOR_BAD_REQUEST", "This part is refused.");
          }
          yield page;
        }
      },
    },
  };
}

for (const backend of BACKENDS) {
  test(`in parts (${backend}): a full copy, changes, and deletions by absence`, async () => {
    const world = createReplicaWorld({ backend, streams: IN_PARTS });
    list(world, 40);
    const first = await world.run("full", LISTING);
    assert.equal(first.outcome, "done", first.streams[0]?.error?.message);
    assert.equal(first.streams[0]?.ledger.created, 40);
    assert.deepEqual((await rows(world)).length, 40);
    world.system.hide("Listing", key(1));
    world.system.hide("Listing", key(20));
    world.system.hide("Listing", key(40));
    world.system.edit("Listing", key(7), { Price: "7" }, { silent: true });
    const second = await world.run("full", LISTING);
    const ledger = second.streams[0]?.ledger;
    assert.deepEqual(
      [ledger?.read, ledger?.updated, ledger?.unchanged, ledger?.deleted],
      [37, 1, 36, 3],
    );
    world.system.edit("Listing", key(9), { Price: "9" });
    world.system.hide("Listing", key(30));
    world.list(77);
    const swept = (await world.run("sweep", LISTING)).streams[0];
    assert.deepEqual(
      [swept?.phase, swept?.ledger.created, swept?.ledger.updated, swept?.ledger.deleted],
      ["done", 1, 1, 1],
    );
    await world.close();
  });

  test(`in parts (${backend}): a part that fails keeps what the others reached`, async () => {
    const world = createReplicaWorld({ backend, streams: IN_PARTS });
    list(world, 60);
    const failed = await runReplicate(failing(world), { mode: "full", ...LISTING }, world.signal);
    assert.equal(failed.outcome, "failed");
    assert.equal(failed.streams[0]?.error?.code, "CONNECTOR_BAD_REQUEST");
    const state = await savedWalk(world);
    assert.deepEqual(
      state?.parts?.map(({ ended }) => ended),
      [false, true, true],
    );
    assert.equal(state?.walked, 46);
    const plan = state?.parts?.map(({ range }) => range);
    world.system.hide("Listing", key(2));
    const resumed = await world.run("full", LISTING);
    assert.equal(resumed.outcome, "done", resumed.streams[0]?.error?.message);
    assert.equal(resumed.streams[0]?.ledger.read, 14, "only the first part's rest is read");
    assert.match(resumed.streams[0]?.notes.join() ?? "", /Resumed after 46 records/);
    assert.deepEqual(
      plan?.map((range) => range?.upTo),
      ["20", "40", null],
    );
    assert.equal(await savedWalk(world), undefined);
    await world.close();
  });
}

test("a part that ends too early makes the walk incomplete, and nothing is deleted", async () => {
  const world = createReplicaWorld({ streams: IN_PARTS, guard: { deleteFloor: 1000 } });
  list(world, 60);
  await world.run("full", LISTING);
  const { source } = world.context;
  const cut = {
    ...source,
    async *read(...[request, signal]: Parameters<typeof source.read>) {
      for await (const page of source.read(request, signal)) {
        yield page;
        if (request.kind === "walk" && request.range?.upTo === null) return;
      }
    },
  };
  const context = { ...world.context, source: cut };
  const report = await runReplicate(context, { mode: "full", ...LISTING }, world.signal);
  assert.equal(report.streams[0]?.error?.code, "GUARD_INCOMPLETE_WALK");
  assert.equal((await rows(world)).length, 60);
});

test("a stream that the source cannot divide is read as one, and the run says so", async () => {
  const world = createReplicaWorld({ streams: IN_PARTS });
  list(world, 20);
  const { partition: _, ...source } = world.context.source;
  const undivided = { ...world.context, source };
  const first = await runReplicate(undivided, { mode: "full", ...LISTING }, world.signal);
  assert.match(first.streams[0]?.notes.join() ?? "", /Read as one: the system cannot divide/);
  const refusing = {
    ...world.context.source,
    partition: async () => {
      throw new SyncError("CONNECTOR_UNSUPPORTED", "It has an order of its own.");
    },
  };
  const context = { ...world.context, source: refusing };
  const second = await runReplicate(context, { mode: "full", ...LISTING }, world.signal);
  assert.equal(second.outcome, "done");
  assert.match(second.streams[0]?.notes.join() ?? "", /Read as one: It has an order of its own/);
});

test("no more parts are read at once than the source allows", async () => {
  const world = createReplicaWorld({ streams: { Listing: { partitions: 8 } } });
  list(world, 80);
  const { source } = world.context;
  let reading = 0;
  let most = 0;
  const counted = {
    ...source,
    capabilities: { ...source.capabilities, concurrency: 2 },
    async *read(...[request, signal]: Parameters<typeof source.read>) {
      reading += request.kind === "walk" ? 1 : 0;
      most = Math.max(most, reading);
      yield* source.read(request, signal);
      reading -= request.kind === "walk" ? 1 : 0;
    },
  };
  const context = { ...world.context, source: counted };
  const report = await runReplicate(context, { mode: "full", ...LISTING }, world.signal);
  assert.equal(report.outcome, "done");
  assert.equal(most, 2);
});

test("whatever the keys and the number of parts, a copy in parts equals the source", async () => {
  const worlds = record({
    keys: uniqueArray(integer({ min: -50, max: 9_000 }), { maxLength: 60 }),
    later: uniqueArray(integer({ min: -60, max: 9_999 }), { maxLength: 10 }),
    partitions: integer({ min: 2, max: 9 }),
    pageSize: integer({ min: 1, max: 5 }),
    stopAfter: integer({ min: 1, max: 12 }),
  });
  await fcAssert(
    asyncProperty(worlds, async ({ keys, later, partitions, pageSize, stopAfter }) => {
      let pages = 0;
      let stop: AbortController | undefined = new AbortController();
      const world: ReplicaWorld = createReplicaWorld({
        backend: "memory",
        pageSize,
        streams: { Listing: { partitions } },
        guard: { deleteFloor: 1000 },
        beforePage: async () => {
          pages += 1;
          if (pages === stopAfter) stop?.abort(new Error("stopped by a person"));
        },
      });
      for (const number of keys) world.list(number);
      const { context } = world;
      await runReplicate(context, { mode: "full", ...LISTING }, stop.signal);
      stop = undefined;
      for (const number of later) world.list(number);
      for (const mode of ["full", "full"] as const) {
        const report = await world.run(mode, LISTING);
        assert.equal(report.outcome, "done", report.streams[0]?.error?.message);
      }
      const shown = world.system.rows("Listing").map(({ id }) => id);
      assert.deepEqual([...(await rows(world))].sort(), [...shown].sort());
    }),
    { numRuns: 150 },
  );
});
