import assert from "node:assert/strict";
import { test } from "node:test";
import type { ErrorCode } from "../model/error-codes.ts";
import { SyncError } from "../model/sync-error.ts";
import type { Commit, Home } from "../ports/home.ts";
import type { Clock } from "../ports/runtime.ts";
import { createReplicaWorld } from "../testing/replica-world.ts";
import { patientContext } from "./patience.ts";

/** A world whose home fails with these codes, one a commit, and whose clock moves when waited for. */
function failingWorld(codes: readonly ErrorCode[]) {
  const world = createReplicaWorld();
  const asked: (string | undefined)[] = [];
  const left = [...codes];
  let now = 0;
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      now += ms;
    },
  };
  const home: Home = {
    ...world.context.home,
    commit: async ({ id }) => {
      asked.push(id);
      const code = left.shift();
      if (code !== undefined) throw new SyncError(code, "It is away.");
    },
  };
  const abort = new AbortController();
  const context = patientContext({ ...world.context, home, clock }, "run", abort.signal);
  return { context, asked, abort, events: world.events, now: () => now };
}

const COMMIT: Commit = {
  lease: { sync: "mls", owner: "me", fence: 1, until: 1 },
  runId: "another",
  stream: "Listing",
  at: 1,
};

test("a lost database is waited for, told, and the commit keeps its name", async () => {
  const world = failingWorld(["HOME_UNREACHABLE", "HOME_UNREACHABLE", "HOME_LOCKED"]);
  await world.context.home.commit(COMMIT);
  await world.context.home.commit(COMMIT);
  assert.deepEqual(world.asked, ["run#1", "run#1", "run#1", "run#1", "run#2"]);
  const waits = world.events.filter((event) => event.kind === "wait");
  assert.deepEqual(
    waits.map(({ stream, reason, attempt }) => [stream, reason, attempt]),
    [1, 2, 3].map((attempt) => ["Listing", "It is away.", attempt]),
  );
  assert.ok(waits.every(({ at, untilMs }) => untilMs > at));
});

test("a database that is only locked, or refuses, is not waited for here", async () => {
  for (const code of ["HOME_LOCKED", "HOME_FENCED", "HOME_REFUSED"] as const) {
    const world = failingWorld([code]);
    await assert.rejects(world.context.home.commit(COMMIT), { code });
    assert.equal(world.asked.length, 1);
  }
});

test("the wait ends after ten minutes, or when the run is stopped", async () => {
  const codes = Array.from({ length: 500 }, () => "HOME_UNREACHABLE" as const);
  const world = failingWorld(codes);
  await assert.rejects(world.context.home.commit(COMMIT), { code: "HOME_UNREACHABLE" });
  assert.ok(world.now() > 9 * 60_000 && world.now() <= 10 * 60_000, String(world.now()));
  const stopped = failingWorld(codes);
  stopped.abort.abort(new Error("stop"));
  await assert.rejects(stopped.context.home.commit(COMMIT), { message: "stop" });
});
