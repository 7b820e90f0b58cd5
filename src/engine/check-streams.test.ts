import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamSpec } from "../model/replicate.ts";
import { createReplicaWorld } from "../testing/replica-world.ts";
import { checkStreams } from "./check-streams.ts";

test("check tells counts, traits and what a run would make, and changes nothing", async () => {
  const world = createReplicaWorld({ backend: "sqlite" });
  world.list(1);
  const before = await checkStreams(world.context, world.signal);
  assert.deepEqual(
    before.map(({ stream, table, sourceCount, planned }) => [
      stream,
      table,
      sourceCount,
      planned.map(({ kind }) => kind).join(),
    ]),
    [
      ["Listing", "listing", 1, "create-table"],
      ["Media", "media", undefined, "create-table"],
      ["Office", "office", 0, "create-table"],
    ],
  );
  assert.equal(before[0]?.traits?.sweep, true);
  assert.deepEqual(await checkStreams(world.context, world.signal), before);
  await world.run("full");
  world.system.addField("Listing", { name: "Views", type: { kind: "text" }, nullable: true });
  const after = await checkStreams(world.context, world.signal);
  assert.deepEqual(
    after.map(({ planned }) => planned.map(({ kind, field }) => `${kind} ${field}`)),
    [["add-column Views"], [], []],
  );
  await world.close();
});

test("trouble stands in the entry of its stream", async () => {
  const drift: Partial<StreamSpec> = { drift: "halt" };
  const world = createReplicaWorld({
    streams: { Listing: drift, Media: { select: ["Caption"] } },
  });
  await world.run("full");
  world.system.addField("Listing", { name: "Views", type: { kind: "text" }, nullable: true });
  const checks = await checkStreams(world.context, world.signal);
  assert.deepEqual(
    checks.map(({ stream, error }) => [stream, error?.code]),
    [
      ["Listing", "DRIFT_HALTED"],
      ["Media", "FIELD_UNKNOWN"],
      ["Office", undefined],
    ],
  );
  const source = {
    ...world.context.source,
    discover: async () => {
      throw new Error("not at home");
    },
  };
  const all = await checkStreams({ ...world.context, source }, world.signal);
  assert.deepEqual(
    all.map(({ error }) => error?.message),
    ["not at home", "not at home", "not at home"],
  );
  const stopped = AbortSignal.abort(new Error("enough"));
  await assert.rejects(checkStreams(world.context, stopped), /enough/);
});
