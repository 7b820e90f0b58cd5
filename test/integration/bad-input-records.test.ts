import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ParkedJson } from "../../src/cli/json.ts";
import type { SampleMls, TruthRecord } from "../../src/testing/sample-mls/index.ts";
import { createPlace, type Ended, type Place, startSmallMls } from "./support.ts";

interface Case {
  readonly name: string;
  readonly field: string;
  readonly raw: string;
  /** Undefined for a value that fits. */
  readonly code?: string;
  readonly reason?: string;
}

const CASES: readonly Case[] = [
  {
    name: "a text in a number",
    field: "ListPrice",
    raw: '"call for price"',
    code: "RECORD_TYPE_MISMATCH",
    reason: 'Field "ListPrice" holds the text "call for price": expected a decimal number.',
  },
  {
    name: '"TBD" in a date',
    field: "CloseDate",
    raw: '"TBD"',
    code: "RECORD_TYPE_MISMATCH",
    reason: 'Field "CloseDate" holds the text "TBD": expected a date YYYY-MM-DD that exists.',
  },
  { name: "12.0 in an integer", field: "BedroomsTotal", raw: "12.0" },
  {
    name: "12.5 in an integer",
    field: "BedroomsTotal",
    raw: "12.5",
    code: "RECORD_TYPE_MISMATCH",
    reason: 'Field "BedroomsTotal" holds the number "12.5": expected a whole number of 32 bits.',
  },
  {
    name: "a number too large for its integer",
    field: "YearBuilt",
    raw: "99999999999",
    code: "RECORD_TYPE_MISMATCH",
    reason: 'Field "YearBuilt" holds the number "99999999999": expected a whole number of 32 bits.',
  },
  {
    name: "a timestamp without zone",
    field: "OriginalEntryTimestamp",
    raw: '"2025-05-01T10:00:00"',
    code: "RECORD_ZONE_MISSING",
    reason:
      'Field "OriginalEntryTimestamp" holds the time "2025-05-01T10:00:00" without a zone: it names no instant.',
  },
  {
    name: "a time of change without zone",
    field: "ModificationTimestamp",
    raw: '"2025-05-01T10:00:00"',
    code: "RECORD_ZONE_MISSING",
    reason:
      'Field "ModificationTimestamp" holds the time "2025-05-01T10:00:00" without a zone: it names no instant.',
  },
  {
    name: "a key that is null",
    field: "ListingKeyNumeric",
    raw: "null",
    code: "RECORD_KEY_MISSING",
    reason: 'The record has no value in its key "ListingKeyNumeric".',
  },
];

describe("values that do not fit, each in a record of one run", () => {
  let mls: SampleMls;
  let place: Place;
  /** The records of the cases, as they were before. */
  let held: readonly TruthRecord[];
  let run: Ended;
  let list: Ended;
  let parked: ParkedJson["parked"];

  before(async () => {
    mls = await startSmallMls();
    place = createPlace(mls);
    await place.heal();
    held = [...mls.truth("Property")].slice(0, CASES.length);
    // The good ones are edited too, so that they stand in the same pages.
    mls.control.editMany({ count: 60, fields: { PublicRemarks: "Edited", BedroomsTotal: 12 } });
    for (const [at, { field, raw }] of CASES.entries()) {
      mls.control.corrupt({ key: held[at]?.key ?? "", field, raw });
    }
    run = await place.lockstep(["run"]);
    list = await place.lockstep(["parked", "list"]);
    parked = (await place.json<ParkedJson>(["parked", "list"])).result.parked;
  });
  after(async () => {
    await mls.close();
    place.remove();
  });

  test("the run ends well but for them, and says so", () => {
    assert.equal(
      run.told,
      "Done, with parked records: listings is up to date but for those (incremental, then deletions; N s).",
    );
    assert.match(run.out, /lockstep parked list {2}shows the 7 parked records and why/);
    assert.equal(run.exit, 4);
    assert.equal(list.exit, 0);
  });

  for (const [at, { name, field, raw, code, reason }] of CASES.entries()) {
    test(`${name} ${reason === undefined ? "fits" : "parks the record"}`, () => {
      const key = String(held[at]?.key);
      const own = parked.filter((record) => record.key === (raw === "null" ? null : key));
      if (reason === undefined) {
        assert.deepEqual(own, []);
        return;
      }
      const [record] = own;
      assert.equal(own.length, 1);
      assert.deepEqual(
        record?.problems.map((problem) => [problem.code, problem.message]),
        [[code, reason]],
      );
      assert.equal(JSON.stringify(JSON.parse(record?.image ?? "")[field]), raw);
      assert.ok(list.out.includes(` 1  ${reason}\n`), list.out);
    });
  }

  test("none of them blocked a good record, and each kept its last good state", async () => {
    await place.prove({ held: held.filter((_record, at) => CASES[at]?.reason !== undefined) });
  });

  test("a full copy does not take the record without a key for deleted", async () => {
    const { exit } = await place.lockstep(["run", "--full"]);
    assert.equal(exit, 4);
    await place.prove({ held: held.filter((_record, at) => CASES[at]?.reason !== undefined) });
  });

  test("once they are good again they settle", async () => {
    for (const [at, { field }] of CASES.entries()) {
      const key = held[at]?.key ?? "";
      mls.control.corrupt({ key, field });
      mls.control.edit({ key, fields: { PublicRemarks: "Good again" } });
    }
    await place.heal();
    const left = await place.json<ParkedJson>(["parked", "list"]);
    assert.deepEqual(
      left.result.parked.map(({ key }) => key),
      [null],
    );
  });
});

test("a key repeated in a page counts once, by its newest record", async () => {
  const mls = await startSmallMls();
  const place = createPlace(mls);
  try {
    await place.heal();
    const [first, second] = [...mls.truth("Property")];
    assert.ok(first !== undefined && second !== undefined);
    mls.control.edit({ key: second.key, fields: { PublicRemarks: "Shown under another's key" } });
    mls.control.advance({ ms: 1000 });
    mls.control.edit({ key: first.key, fields: { PublicRemarks: "The newest" } });
    const field = "ListingKeyNumeric";
    mls.control.corrupt({ key: second.key, field, raw: String(first.key) });
    const ended = await place.lockstep(["run", "--incremental"]);
    assert.equal(ended.told, "Done: listings is up to date (incremental; N s).");
    assert.match(
      ended.out,
      new RegExp(
        `^Note: Property: Key "${first.key}" came more than once in one page; of such records the newest is kept\\.$`,
        "m",
      ),
    );
    assert.equal(ended.exit, 0);
    await place.prove({ held: [second] });
    mls.control.corrupt({ key: second.key, field });
    await place.heal();
  } finally {
    await mls.close();
    place.remove();
  }
});
