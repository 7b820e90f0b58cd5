import assert from "node:assert/strict";
import { test } from "node:test";
import { ledger, NOW, ZONE } from "../../../test/support/cli-results.ts";
import { activityLines } from "./activity.ts";
import { checkLines } from "./check.ts";
import { haltLines } from "./halts.ts";
import { createLook, type Look } from "./look.ts";
import { statusLines } from "./status.ts";

const LOOK: Look = createLook({ isColoured: false, timeZone: ZONE, now: NOW, columns: 100 });

function assertLines(actual: readonly string[], expected: string): void {
  assert.equal(`\n${actual.join("\n")}\n`, expected);
}

test("status: freshness of each stream, what runs, what waits for a person", () => {
  const lines = statusLines(
    {
      at: NOW,
      home: "sqlite:/data/lockstep.db",
      reconciles: [],
      syncs: [
        {
          sync: "mls",
          source: "wfrmls",
          destination: "sqlite:/data/lockstep.db",
          lastRun: {
            runId: "r",
            mode: "incremental",
            startedAt: NOW - 200_000,
            finishedAt: NOW - 180_000,
            outcome: "partial",
          },
          parked: 2,
          streams: [
            {
              stream: "Property",
              table: "Property",
              rows: 1_731_072,
              copied: true,
              resumable: false,
              freshAt: NOW - 200_000,
              newestSourceTime: "2026-11-21T20:58:01.1234567Z",
              deletionsAt: NOW - 3_700_000,
              overlap: {
                nowMs: 2_048_000,
                configuredMs: 600_000,
                maxMs: 86_400_000,
                lateRecords: 38,
                latestMs: 1_024_000,
              },
              parked: 2,
            },
            {
              stream: "Media",
              table: "Media",
              rows: 400,
              copied: false,
              resumable: true,
              overlap: {
                nowMs: 600_000,
                configuredMs: 600_000,
                maxMs: 86_400_000,
                lateRecords: 0,
              },
              parked: 0,
            },
          ],
          halts: [
            {
              id: 7,
              sync: "mls",
              stream: "Property",
              code: "GUARD_MASS_DELETE",
              message: "900 of 1,000 rows would be deleted.",
              details: { deletions: 900, sample: ["1", "2"], walkId: "w", lane: "sweep" },
              runId: "r",
              at: NOW - 60_000,
            },
          ],
        },
      ],
    },
    LOOK,
  );
  assertLines(
    lines,
    `
mls  wfrmls → sqlite:/data/lockstep.db
  last run done, but for what waits, 3 min ago (incremental)

stream         rows  fresh as of  newest change at source          deletions  swept  reads again                             parked
Property  1,731,072  3 min ago    2026-11-21 13:58:01 (5 min ago)  1 h ago    never  34 min 8 s (38 late, up to 17 min 4 s)       2  halted
Media           400  never                                         never      never  10 min                                       0  full copy half done

Halt 7  mls Property, 2026-11-21 14:02:20
  900 of 1,000 rows would be deleted.
  deletions: 900
  sample: 1, 2
  If that is right: lockstep release 7 --by YOUR-NAME, then lockstep run mls --sweep --stream Property

home sqlite:/data/lockstep.db
`,
  );
});

test("a halt that a release does not mend says what does", () => {
  const halt = {
    id: 8,
    sync: "mls",
    stream: "Property",
    code: "DRIFT_HALTED",
    message: 'Table "Property": the source has a new field "Elevation".',
    details: {},
    runId: "r",
    at: NOW - 60_000,
  };
  assertLines(
    haltLines([halt], LOOK).slice(1),
    `
Halt 8  mls Property, 2026-11-21 14:02:20
  Table "Property": the source has a new field "Elevation".
  Look at the change; set \`drift: evolve\` or \`drift: ignore\`, or migrate by hand. Then lockstep run mls --stream Property
`,
  );
});

test("check: what is reached, what a run would create, what is wrong", () => {
  const traits = { changes: true, deletions: true, sweep: true, count: true };
  const lines = checkLines(
    {
      ok: false,
      home: { location: "sqlite:/data/lockstep.db" },
      reconciles: [],
      systems: [
        {
          system: "wfrmls",
          connector: "reso",
          summary: "Reached https://example.com/odata.",
          facts: ["Composite order works."],
          streams: [{ stream: "Property", fields: [], key: ["ListingKeyNumeric"], traits }],
        },
        {
          system: "other",
          connector: "reso",
          facts: [],
          streams: [],
          error: {
            code: "CONNECTOR_UNAUTHORIZED",
            message: "The system refused the token (401).",
            hint: "Renew the token.",
          },
        },
      ],
      syncs: [
        {
          sync: "mls",
          source: "wfrmls",
          destination: "home",
          streams: [
            {
              stream: "Property",
              table: "Property",
              sourceCount: 1_731_072,
              traits,
              planned: [
                {
                  kind: "create-table",
                  table: "Property",
                  description: 'create table "Property" with 327 columns',
                },
              ],
            },
            {
              stream: "Propertys",
              table: "Propertys",
              planned: [],
              error: {
                code: "STREAM_UNKNOWN",
                message: 'There is no stream "Propertys".',
                hint: "Correct it.",
              },
            },
          ],
        },
      ],
    },
    LOOK,
  );
  assertLines(
    lines,
    `
✔ home sqlite:/data/lockstep.db

✔ wfrmls (reso)  Reached https://example.com/odata.
  Composite order works.
  1 stream: Property (0 fields)

✘ other (reso)
  The system refused the token (401).
  What to do: Renew the token.
  Code: CONNECTOR_UNAUTHORIZED

mls  wfrmls → home

  stream       records  table      changes  deletions           a run would first
  Property   1,731,072  Property   by time  told, and by sweep  create table "Property" with 327 columns
  Propertys          ?  Propertys  ?        ?                   see below

  ✘ Propertys: There is no stream "Propertys".
    What to do: Correct it.

Not ready yet. Correct what is marked above, then run lockstep check again.
`,
  );
});

test("the report of a day", () => {
  const lines = activityLines(
    {
      since: NOW - 86_400_000,
      until: NOW,
      executions: 26,
      outcomes: { done: 24, partial: 0, halted: 0, failed: 1, stopped: 0 },
      interrupted: 1,
      running: 0,
      successRate: 24 / 26,
      ledger: ledger({ read: 40_000, updated: 400, unchanged: 39_600, found: 3, deleted: 3 }),
      traffic: { requests: 420, bytes: 81_000_000, retries: 3, waitedMs: 61_000 },
      averages: { durationMs: 14_200, recordsPerSecond: 2_816.4, requests: 16.15 },
      peakMemoryBytes: 120_000_000,
      changes: [
        {
          stream: "Property",
          new: 0,
          updated: 400,
          status: 20,
          price: 55,
          deleted: 3,
          transitions: [],
        },
      ],
      errors: [
        {
          code: "CONNECTOR_UNAVAILABLE",
          count: 1,
          lastAt: NOW - 7_200_000,
          stream: "Property",
          message: "The system answered 504.",
        },
      ],
      byMode: [
        {
          sync: "mls",
          mode: "incremental",
          executions: 26,
          succeeded: 24,
          durationMs: 369_000,
          read: 40_000,
        },
        {
          sync: "inventory",
          mode: "reconcile",
          executions: 2,
          succeeded: 2,
          durationMs: 640,
          read: 0,
        },
      ],
      sides: [
        {
          sync: "inventory",
          side: "shop",
          written: 1200,
          conflict: 2,
          rejected: 1,
          unknown: 0,
          unsent: 0,
        },
      ],
    },
    LOOK,
  );
  assertLines(
    lines,
    `
26 runs from 2026-11-20 14:03:20 to 2026-11-21 14:03:20, 92.3% of those that ended went well.
  24 done, 1 failed, 1 interrupted
  400 updated (55 price, 20 status) · 3 deleted

records   40,000 read: 400 updated, 39,600 unchanged; 3 deleted
traffic   420 requests, 81.0 MB, 3 retries, 1 min 1 s waiting
average   14 s a run, 2,816 records/s, 16 requests
memory    120 MB at most

sync       run          times  went well  records       time
mls        incremental     26         24   40,000  6 min 9 s
inventory  reconcile        2          2        —     640 ms

sync       side  written  changed meanwhile  refused  answer lost  not written
inventory  shop    1,200                  2        1            0            0

Errors:
  CONNECTOR_UNAVAILABLE once, last 2 h ago in Property: The system answered 504.
`,
  );
});
