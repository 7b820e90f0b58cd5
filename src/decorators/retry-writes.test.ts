import assert from "node:assert/strict";
import test from "node:test";
import type { ErrorCode } from "../model/error-codes.ts";
import type { RecordKey } from "../model/record.ts";
import type { StreamSchema } from "../model/schema.ts";
import { SyncError } from "../model/sync-error.ts";
import type { Connector, WriteOperation, WriteOutcome } from "../ports/connector.ts";
import { createTimeline } from "../testing/simulation/timeline.ts";
import type { RetryWait } from "./retry-effort.ts";
import { writeUnsent } from "./retry-writes.ts";

const never = new AbortController().signal;
const schema = { name: "Thing", key: ["Id"], fields: [], traits: {} } as unknown as StreamSchema;
const OPERATIONS: readonly WriteOperation[] = ["a", "b", "c", "d"].map((id) => ({
  kind: "delete",
  id,
  key: id as RecordKey,
  expected: { values: [] },
}));
const DONE: WriteOutcome = { kind: "written", stored: null };

/** Each call does as many operations as `does` says, then meets trouble, if any are left. */
function createBench(
  does: readonly (number | "lost" | "thrown")[],
  code: ErrorCode = "CONNECTOR_RATE_LIMITED",
) {
  const timeline = createTimeline(Date.UTC(2026, 0, 1));
  const waits: RetryWait[] = [];
  const sent: string[][] = [];
  const write: NonNullable<Connector["write"]> = async (_query, operations) => {
    const many = does[sent.length] ?? 0;
    sent.push(operations.map(({ id }) => id));
    const error = new SyncError(code, "Not now.", { retryAfterMs: 5_000 });
    if (many === "thrown") throw error;
    if (many === "lost") {
      return operations.map((_, index) => ({ kind: index === 0 ? "lost" : "unsent", error }));
    }
    return operations.map((_, index) => (index < many ? DONE : { kind: "unsent", error }));
  };
  const policy = {
    attemptsMax: 3,
    backoffBaseMs: 1_000,
    backoffCapMs: 1_500,
    retryAfterMaxMs: 60_000,
    waitTotalMaxMs: 100_000,
  };
  const options = {
    clock: timeline,
    random: { next: () => 0.5, id: () => "id" },
    policy,
    onWait: (wait: RetryWait) => waits.push(wait),
  };
  const outcomes = async () => {
    const all = await writeUnsent(write, options, { schema }, OPERATIONS, never);
    return all.map((outcome) => (outcome.kind === "unsent" ? outcome.error.message : outcome.kind));
  };
  return { outcomes, waits, sent };
}

test("what was not done is sent again, and nothing else", async () => {
  const { outcomes, sent, waits } = createBench([2, 0, 0, 1, 0, 0, 1]);
  assert.deepEqual(await outcomes(), ["written", "written", "written", "written"]);
  assert.deepEqual(
    sent.map((ids) => ids.join("")),
    ["abcd", "cd", "cd", "cd", "d", "d", "d"],
  );
  // Where something was done the tries begin anew, and each wait is as long as was asked for.
  assert.deepEqual(
    waits.map(({ attempt, waitMs }) => [attempt, waitMs]),
    [
      [1, 5_000],
      [2, 5_000],
      [1, 5_000],
      [2, 5_000],
    ],
  );
  assert.match(waits[0]?.reason ?? "", /^Not now\. A write to "Thing" is tried again\.$/);
});

test("what is left when the tries are used up is unsent", async () => {
  const { outcomes, sent } = createBench([1, 0, 0, 0, 3]);
  const left = 'Not now. Gave up on a write to "Thing" after 3 tries and 10 s of waiting.';
  assert.deepEqual(await outcomes(), ["written", left, left, left]);
  assert.equal(sent.length, 4);
});

test("trouble that does not pass is not waited for", async () => {
  const { outcomes, sent, waits } = createBench([1], "CONNECTOR_UNAUTHORIZED");
  assert.deepEqual(await outcomes(), ["written", "Not now.", "Not now.", "Not now."]);
  assert.deepEqual([sent.length, waits.length], [2, 0]);
});

test("a write that may have been done is never sent again", async () => {
  const thrown = createBench([1, "thrown", 3]);
  await assert.rejects(thrown.outcomes(), { message: "Not now." });
  const lost = createBench([1, "lost", 3]);
  assert.deepEqual(await lost.outcomes(), ["written", "lost", "Not now.", "Not now."]);
  for (const { sent } of [thrown, lost]) {
    assert.deepEqual(
      sent.map((ids) => ids.join("")),
      ["abcd", "bcd"],
    );
  }
});
