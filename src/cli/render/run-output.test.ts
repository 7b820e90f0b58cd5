import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ledger,
  NOW,
  runReport,
  runResult,
  streamReport,
  verification,
  ZONE,
} from "../../../test/support/cli-results.ts";
import type { RunEvent } from "../../model/events.ts";
import type { RecordKey } from "../../model/record.ts";
import { verifyLines } from "./compare.ts";
import { createLook, type Look } from "./look.ts";
import { advance, progressLines, type RunProgress } from "./run-progress.ts";
import { runSummary } from "./run-summary.ts";

const LOOK: Look = createLook({ isColoured: false, timeZone: ZONE, now: NOW, columns: 100 });
const KEY = "1611952" as RecordKey;

function assertLines(actual: readonly string[], expected: string): void {
  assert.equal(`\n${actual.join("\n")}\n`, expected);
}

test("progress: one line a stream, with bar, counts, speed, time left and waits", () => {
  const at = (seconds: number): number => NOW - 10_000 + seconds * 1000;
  const empty = { ledger: ledger({}) };
  const events: readonly RunEvent[] = [
    {
      kind: "run-started",
      at: at(0),
      runId: "r",
      sync: "mls",
      mode: "full",
      streams: ["Property", "Member", "Office", "OpenHouse", "Media"],
    },
    { kind: "phase", at: at(0), stream: "Property", phase: "reading" },
    { kind: "progress", at: at(0), stream: "Property", ...empty, walked: 200, total: 12_000 },
    { kind: "progress", at: at(2), stream: "Property", ...empty, walked: 6_812, total: 12_000 },
    { kind: "phase", at: at(0), stream: "Member", phase: "reading" },
    {
      kind: "wait",
      at: at(9),
      stream: "Member",
      reason: 'a page of "Member" failed with CONNECTOR_RATE_LIMITED; it is tried again',
      untilMs: NOW + 11_200,
      attempt: 2,
    },
    { kind: "phase", at: at(0), stream: "OpenHouse", phase: "reading" },
    { kind: "progress", at: at(1), stream: "OpenHouse", ...empty, walked: 40 },
    {
      kind: "stream-finished",
      at: at(9),
      report: streamReport("Office", { ledger: ledger({ read: 83, created: 80, parked: 3 }) }),
    },
  ];
  const progress = events.reduce<RunProgress | undefined>(advance, undefined);
  assert.ok(progress);
  assertLines(
    progressLines(progress, LOOK),
    `
Property   reading    ███████████░░░░░░░░░  56%  6,812 of 12,000  3,306/s  1.6 s left
Member     waiting 12 s, until 14:03:31: a page of "Member" failed with CONNECTOR_RATE_LIMITED; it…
Office     done  83 read: 80 new, 3 parked
OpenHouse  reading    40
Media      queued
`,
  );
});

test("a run that is done says what changed, where every record went, and what to do next", () => {
  const result = runResult({
    outcome: "partial",
    parkedWaiting: 3,
    runs: [
      runReport({
        outcome: "partial",
        streams: [
          streamReport("Property", {
            ledger: ledger({ read: 12_000, created: 11_990, unchanged: 7, parked: 3 }),
            traffic: { requests: 61, bytes: 23_400_000, retries: 1, waitedMs: 4_000 },
          }),
          streamReport("Media", {
            notes: ["The source has 1 new field: LongDescription (text). A column was added."],
            orphans: { count: 2, sample: ["a", "b"] },
          }),
        ],
      }),
      runReport({
        mode: "deletions",
        streams: [
          streamReport("Property", { ledger: ledger({ found: 5, deleted: 4, alreadyGone: 1 }) }),
        ],
      }),
    ],
    changes: [
      {
        stream: "Property",
        new: 11_990,
        updated: 30,
        status: 12,
        price: 9,
        deleted: 4,
        transitions: [{ field: "StandardStatus", before: "Active", after: "Pending", count: 5 }],
      },
    ],
  });
  assertLines(
    runSummary(result, LOOK),
    `
Done, with parked records: mls is up to date but for those (full, then deletions; 8 s).
  11,990 new · 30 updated (9 price, 12 status) · 4 deleted
  Active → Pending 5

stream    run                 read     new  updated  unchanged  parked  deleted  already gone  orphans  time    speed
Property  full + deletions  12,000  11,990        0          7       3        4             1        0  16 s  1,500/s
Media     full                   0       0        0          0       0        0             0        2   8 s

67 requests, 23.6 MB, 1 retry, 4 s waiting; peak memory 105 MB
Note: Media: The source has 1 new field: LongDescription (text). A column was added.
Note: Media: 2 records without a parent in the replica, such as a, b.

Next:
  lockstep parked list  shows the 3 parked records and why
  lockstep changes      shows what changed, field by field
`,
  );
});

test("a run to which nothing was due says so and draws no table", () => {
  const lines = runSummary(runResult({ runs: [], changes: [], parkedWaiting: 0 }), LOOK);
  assert.deepEqual(lines, ["Done: mls is up to date.", "  Nothing was due."]);
});

test("a run that halted says for what and how to go on", () => {
  const result = runResult({
    outcome: "halted",
    runs: [
      runReport({
        mode: "sweep",
        outcome: "halted",
        streams: [
          streamReport("Property", {
            phase: "halted",
            haltId: 7,
            error: {
              code: "GUARD_MASS_DELETE",
              message: 'Stream "Property" would lose 900 of 1,000 rows (90%), more than "10%".',
              hint: "Look at the sample; if it is right, run `lockstep release ID`.",
            },
          }),
          streamReport("Member"),
        ],
      }),
    ],
  });
  assertLines(
    runSummary(result, LOOK),
    `
Halted: mls needs a person (sweep; 8 s); 1 of 2 streams did not end well.
  Nothing changed.

Property halted: Stream "Property" would lose 900 of 1,000 rows (90%), more than "10%".
  What to do: Look at the sample; if it is right, run \`lockstep release 7 --by YOUR-NAME\`.
  Code: GUARD_MASS_DELETE

stream    read  new  updated  unchanged  deleted  time  speed
Property     0    0        0          0        0   8 s         halted
Member       0    0        0          0        0   8 s

6 requests, 240 kB; peak memory 105 MB

Next:
  lockstep halts  shows what waits for a decision
`,
  );
});

test("a verification that finds a difference names it and the way to repair it", () => {
  const result = {
    sync: "mls",
    equal: false,
    startedAt: NOW - 4_000,
    finishedAt: NOW,
    streams: [
      verification("Member", { compared: 60, sourceCount: 60, replicaCount: 60 }),
      verification("Property", {
        equal: false,
        compared: 12_000,
        replicaCount: 11_999,
        missing: {
          count: 1,
          sample: [{ key: KEY, state: "local-missing", action: "create", fields: [] } as const],
        },
      }),
      verification("Office", { equal: false, compared: 5, sourceCount: 8, replicaCount: 9 }),
    ],
  };
  assertLines(
    verifyLines(result, { fields: true }, LOOK),
    `
Not equal: mls differs from its source (compared every field; 3 streams, 4 s).

stream    compared  source  replica  missing  extra  stale  different  parked
Member          60      60       60        0      0      0          0       0  equal
Property    12,000       ?   11,999        1      0      0          0       0  differs
Office           5       8        9        0      0      0          0       0  differs

Property: 1 missing here, such as 1611952

Office: the source counts 8 and the replica holds 9; without --sample it is shown which records differ.

What to do: lockstep verify --repair puts right what differs, and nothing else.
`,
  );
});
