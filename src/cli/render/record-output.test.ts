import assert from "node:assert/strict";
import { test } from "node:test";
import { change, MONITOR, NOW, ZONE } from "../../../test/support/cli-results.ts";
import type { RecordKey } from "../../model/record.ts";
import { changeLines, historyInWords } from "./changes.ts";
import { compareLines } from "./compare.ts";
import { createLook, type Look } from "./look.ts";
import { parkedLines, parkedRecordLines } from "./parked.ts";
import { recordLines } from "./record.ts";

const LOOK: Look = createLook({ isColoured: false, timeZone: ZONE, now: NOW, columns: 100 });
const KEY = "1611952" as RecordKey;

function assertLines(actual: readonly string[], expected: string): void {
  assert.equal(`\n${actual.join("\n")}\n`, expected);
}

test("changes are told by their most telling word, monitored fields first", () => {
  const changes = [
    change(
      ["updated", "status", "price"],
      [
        { field: "Remarks", before: "Line one\nLine two \u001b[31m", after: null },
        { field: "ListPrice", before: "450000", after: "440000.5" },
        { field: "StandardStatus", before: "Active", after: "Pending" },
        { field: "Appliances", before: ["Oven", "Range"], after: ["Dishwasher", "Oven"] },
        { field: "Pool", before: null, after: true },
      ],
    ),
    change(["new"], [], {
      kind: "create",
      after: {
        ListingKeyNumeric: 1611952,
        ListPrice: "450000",
        StandardStatus: "Active",
        City: "Provo",
      },
    }),
    change(["deleted"], [], { kind: "delete", key: "9" as RecordKey }),
    change(["deleted"], [], {
      kind: "delete",
      key: "10" as RecordKey,
      before: { ListPrice: "450000", StandardStatus: "Closed" },
    }),
  ];
  assertLines(
    changes.flatMap((entry) => changeLines(entry, MONITOR, { stream: 8, key: 7 }, LOOK)),
    `
2026-11-21 14:00:20  Property  1611952  status   StandardStatus Active → Pending
                                                 ListPrice 450,000 → 440,000.5 (−2.2%)
                                                 Remarks Line one⏎Line two �[31m → (empty)
                                                 Appliances +Dishwasher −Range
                                                 and 1 more field
2026-11-21 14:00:20  Property  1611952  new      StandardStatus Active, ListPrice 450,000
2026-11-21 14:00:20  Property  9        deleted
2026-11-21 14:00:20  Property  10       deleted  was StandardStatus Closed, ListPrice 450,000
`,
  );
});

test("one record: values, what belongs to it, its history in a sentence", () => {
  const price = (before: string, after: string, minutes: number): ReturnType<typeof change> =>
    change(["updated", "price"], [{ field: "ListPrice", before, after }], {
      at: NOW - minutes * 60_000,
    });
  const lines = recordLines(
    {
      sync: "mls",
      stream: "Property",
      key: KEY,
      from: "replica",
      record: {
        key: KEY,
        values: {
          ListingKeyNumeric: 1611952,
          ListPrice: "440000",
          City: "Provo",
          Pool: null,
          Views: [],
        },
        changedAt: NOW - 60_000,
      },
      fields: ["ListingKeyNumeric", "ListPrice", "City", "Pool", "Views"].map((name) => ({
        name,
        type: { kind: "text" },
        nullable: true,
      })),
      related: [
        {
          stream: "OpenHouse",
          field: "ListingKeyNumeric",
          records: [
            {
              key: "337211" as RecordKey,
              values: { ListingKeyNumeric: 1611952, OpenHouseStatus: "Active" },
            },
          ],
          truncated: false,
        },
      ],
      changes: [price("445000", "440000", 1), price("450000", "445000", 120)],
    },
    { monitor: MONITOR, isWhole: false, hasChanges: true },
    LOOK,
  );
  assertLines(
    lines,
    `
Property 1611952  from the replica, written 1 min ago
  ListingKeyNumeric  1611952
  ListPrice          440,000
  City               Provo
  and 2 empty fields (--all shows them)

OpenHouse  1 record by ListingKeyNumeric
  337211  OpenHouseStatus Active

2 changes since 2026-11-21 12:03:20: ListPrice 450,000 → 445,000 → 440,000.
  2026-11-21 14:02:20  Property  1611952  price    ListPrice 445,000 → 440,000 (−1.1%)
  2026-11-21 12:03:20  Property  1611952  price    ListPrice 450,000 → 445,000 (−1.1%)
`,
  );
  assert.equal(historyInWords([], MONITOR, LOOK), "No change is recorded.");
});

test("records compared, each with what brings it in step", () => {
  const times = {
    localModifiedAt: "2026-11-20T10:00:00Z",
    remoteModifiedAt: "2026-11-21T10:00:00Z",
  };
  assertLines(
    compareLines(
      {
        sync: "mls",
        stream: "Property",
        inStep: false,
        records: [
          { key: KEY, state: "in-step", action: "none", fields: [] },
          {
            key: "2" as RecordKey,
            state: "remote-newer",
            action: "update",
            ...times,
            fields: [{ field: "ListPrice", before: "1", after: "2" }],
          },
          { key: "3" as RecordKey, state: "remote-missing", action: "delete", fields: [] },
        ],
      },
      LOOK,
    ),
    `
key      state           replica's time        source's time         action
1611952  in step                                                     nothing to do
2        remote newer    2026-11-20T10:00:00Z  2026-11-21T10:00:00Z  copy it again
3        remote missing                                              delete it here
2: replica → source
  ListPrice 1 → 2

Out of step: 2 of 3 records of Property.
What to do: run it again with --repair.
`,
  );
});

test("parked records: the reason in the list, the image in the single view", () => {
  const record = {
    id: 3,
    sync: "mls",
    stream: "Property",
    key: KEY,
    image: '{"ListPrice":"TBD"}',
    problems: [
      {
        code: "RECORD_TYPE_MISMATCH",
        field: "ListPrice",
        message: 'Field "ListPrice" holds "TBD"; expected a decimal.',
      },
    ],
    runId: "run1",
    firstAt: NOW - 7_200_000,
    lastAt: NOW - 60_000,
    attempts: 2,
  };
  assertLines(
    parkedLines([record], LOOK),
    `
id  stream    key      since    came  reason
 3  Property  1611952  2 h ago     2  Field "ListPrice" holds "TBD"; expected a decimal.

lockstep parked show ID shows it whole; lockstep parked retry ID tries it again.
`,
  );
  assertLines(
    parkedRecordLines(record, LOOK),
    `
Parked record 3  Property 1611952 of mls
  first 2026-11-21 12:03:20, last 2026-11-21 14:02:20, came 2 times, last in run run1
  RECORD_TYPE_MISMATCH ListPrice: Field "ListPrice" holds "TBD"; expected a decimal.

{
  "ListPrice": "TBD"
}

lockstep parked retry 3  tries it again
lockstep parked drop 3   takes it off the list until it comes again
`,
  );
});
