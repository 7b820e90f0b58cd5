import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ErrorJson, ParkedJson } from "../../src/cli/json.ts";
import { openSqlite } from "../../src/drivers/sqlite/database.ts";
import type { ParkedRetryResult } from "../../src/engine/upkeep-results.ts";
import type { ParkedRecord } from "../../src/model/parked.ts";
import type { SampleMls, TruthRecord } from "../../src/testing/sample-mls/index.ts";
import { compared, createPlace, type Ended, type Place, startSmallMls } from "./support.ts";

let mls: SampleMls;
let place: Place;
/** A record as it was before it went bad. */
let good: TruthRecord;
let edits = 0;

before(async () => {
  mls = await startSmallMls();
  place = createPlace(mls);
  await place.heal();
  const [, second] = mls.truth("Property");
  assert.ok(second !== undefined);
  good = second;
});
after(async () => {
  await mls.close();
  place.remove();
});

const REASON = 'Field "ListPrice" holds the text "call": expected a decimal number.';

function spoil(key: TruthRecord["key"]): void {
  mls.control.corrupt({ key, field: "ListPrice", raw: '"call"' });
}

function mend(key: TruthRecord["key"]): void {
  mls.control.corrupt({ key, field: "ListPrice" });
}

/** A run that has good records beside the bad one in every page. */
async function runWithEdits(): Promise<Ended> {
  edits += 1;
  mls.control.editMany({ count: 40, fields: { PublicRemarks: `Edit ${edits}` } });
  return place.lockstep(["run"]);
}

async function parked(): Promise<readonly ParkedRecord[]> {
  return (await place.json<ParkedJson>(["parked", "list"])).result.parked;
}

test("a record that goes bad is parked and blocks no other; the replica keeps its last state", async () => {
  spoil(good.key);
  const { exit, told } = await runWithEdits();
  assert.equal(
    told,
    "Done, with parked records: listings is up to date but for those (incremental, then deletions; N s).",
  );
  assert.equal(exit, 4);
  await place.prove({ held: [good] });
});

test("it comes again, and stays one entry", async () => {
  assert.equal((await runWithEdits()).exit, 4);
  await place.prove({ held: [good] });
  const { exit, out } = await place.lockstep(["parked", "list"]);
  const line = new RegExp(`^ 1  Property  ${good.key}  .* 2  ${REASON}$`, "m");
  assert.match(out, line);
  assert.match(out, /lockstep parked show ID shows it whole/);
  assert.equal(exit, 0);
});

test("its reason and what the source sent are shown", async () => {
  const { exit, out } = await place.lockstep(["parked", "show", "1"]);
  const [head, image, foot] = compared(out, place).split("\n\n");
  assert.equal(
    head?.replace(/run [\w-]+$/m, "run ID"),
    `Parked record 1  Property ${good.key} of listings
  first TIME, last TIME, came 2 times, last in run ID
  RECORD_TYPE_MISMATCH ListPrice: ${REASON}`,
  );
  assert.equal(JSON.parse(image ?? "").ListPrice, "call");
  assert.equal(JSON.parse(image ?? "").PublicRemarks, `Edit ${edits}`);
  assert.equal(
    foot,
    `lockstep parked retry 1  tries it again
lockstep parked drop 1   takes it off the list until it comes again`,
  );
  assert.equal(exit, 0);
});

test("a retry while it is still bad leaves it parked, and says so", async () => {
  const { exit, out } = await place.lockstep(["parked", "retry", "1"]);
  assert.equal(
    out,
    `1 parked record tried again: 0 settled, 1 still parked.
  1  Property ${good.key}: ${REASON}
`,
  );
  assert.equal(exit, 4);
});

test("dropped, it is off the list, in the audit, and back when it is read again", async () => {
  const { exit, out } = await place.lockstep(["parked", "drop", "1", "--by", "ann"]);
  assert.equal(out, "Dropped: 1 of 1.\n");
  assert.equal(exit, 0);
  assert.deepEqual(await parked(), []);
  const home = openSqlite(place.home, { readOnly: true });
  const audit = home.prepare("SELECT actor, action, details FROM _lockstep_audit").all();
  home.close();
  assert.deepEqual(audit, [["ann", "parked-drop", '{"ids":[1],"dropped":1}']]);
  assert.equal((await runWithEdits()).exit, 4);
  assert.equal((await parked()).length, 1);
});

test("put right at the source without a new time, a retry settles it", async () => {
  mend(good.key);
  const { exit, result } = await place.json<ParkedRetryResult>(["parked", "retry", "--all"]);
  assert.deepEqual([result.tried, result.settled, result.stillParked], [1, 1, []]);
  assert.equal(exit, 0);
  await place.prove();
});

test("put right at the source with a new time, the next run settles it", async () => {
  spoil(good.key);
  assert.equal((await runWithEdits()).exit, 4);
  mend(good.key);
  assert.equal((await runWithEdits()).exit, 0);
  assert.deepEqual(await parked(), []);
  await place.prove();
});

test("a record that was never good is not in the replica; gone at the source, it settles", async () => {
  const key = mls.control.add();
  spoil(key);
  assert.equal((await runWithEdits()).exit, 4);
  await place.prove({ without: [key] });
  mls.control.delete({ key });
  assert.equal((await place.lockstep(["run"])).exit, 0);
  assert.deepEqual(await parked(), []);
  await place.prove();
});

test("an entry that is not there", async () => {
  const { exit, result } = await place.json<ErrorJson>(["parked", "show", "77"]);
  assert.equal(result.error.message, "There is no parked record 77; it may have been settled.");
  assert.equal(exit, 2);
});
