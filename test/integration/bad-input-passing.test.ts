import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ActivityReport } from "../../src/engine/activity-results.ts";
import type { FaultRequest, SampleMls } from "../../src/testing/sample-mls/index.ts";
import { compared, createPlace, type Place, startSmallMls } from "./support.ts";

let mls: SampleMls;
let place: Place;
let edits = 0;

before(async () => {
  mls = await startSmallMls();
  place = createPlace(mls);
  place.configure({ system: { retry: { attempts: 3, maxWaitSeconds: 2 } } });
  await place.heal();
});
after(async () => {
  await mls.close();
  place.remove();
});

interface Case {
  readonly name: string;
  readonly fault: FaultRequest;
  /** What the server did, as the wait tells it. */
  readonly why: string;
}

const CASES: readonly Case[] = [
  {
    name: "429 with Retry-After in seconds",
    fault: { kind: "status", status: 429, retryAfter: 1 },
    why: 'The server answered 429 for stream "Property": "The server had trouble".',
  },
  {
    name: "429 with Retry-After as an HTTP date",
    fault: { kind: "status", status: 429, retryAfter: 1, retryAfterAsDate: true },
    why: 'The server answered 429 for stream "Property": "The server had trouble".',
  },
  {
    name: "503",
    fault: { kind: "status", status: 503 },
    why: 'The server answered 503 for stream "Property": "The server had trouble".',
  },
  {
    name: "504 with a web page",
    fault: { kind: "status", status: 504, body: "<html><title>Gateway Time-out</title></html>" },
    why: 'The server answered 504 for stream "Property": "Gateway Time-out".',
  },
  {
    name: "a connection that is reset",
    fault: { kind: "reset" },
    why: "The server at MLS cannot be reached: the connection was reset.",
  },
];

for (const { name, fault, why } of CASES) {
  test(`${name} is waited out, told, and counted`, async () => {
    edits += 1;
    mls.control.editMany({ count: 50, fields: { PublicRemarks: `Edit ${edits}` } });
    mls.control.fail({ match: "/Property?", after: 1, ...fault });
    const ended = await place.lockstep(["run", "--incremental"]);
    assert.equal(ended.told, "Done: listings is up to date (incremental; N s).");
    assert.equal(ended.exit, 0);
    const waits = compared(ended.err, place)
      .split("\n")
      .filter((line) => line.includes("waiting"));
    assert.deepEqual(waits, [
      `TIME  Property: waiting N s, until CLOCK: ${why} A page of "Property" (changes) is tried again.`,
    ]);
    assert.match(compared(ended.out, place), /^\d+ requests, [\d.]+ kB, 1 retry, N s waiting; /m);
    await place.prove();
  });
}

test("the report of the last day has every retry and wait", async () => {
  const { exit, result } = await place.json<ActivityReport>(["report", "--hours", "24"]);
  assert.equal(result.traffic.retries, CASES.length);
  // A second for each Retry-After, and some part of the backoff for the others.
  assert.ok(result.traffic.waitedMs >= 2000, String(result.traffic.waitedMs));
  assert.equal(result.outcomes.done, CASES.length + 1);
  assert.equal(exit, 0);
});
