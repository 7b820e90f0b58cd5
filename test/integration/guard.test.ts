import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { HaltsJson } from "../../src/cli/json.ts";
import { openSqlite } from "../../src/drivers/sqlite/database.ts";
import type { ReleaseResult } from "../../src/engine/upkeep-results.ts";
import type { SampleMls } from "../../src/testing/sample-mls/index.ts";
import { compared, createPlace, type Place, startSmallMls } from "./support.ts";

let mls: SampleMls;
let place: Place;
let keys: readonly number[];

before(async () => {
  mls = await startSmallMls({ listings: 100 });
  place = createPlace(mls);
  await place.heal();
  keys = [...mls.truth("Property")].map(({ key }) => Number(key));
});
after(async () => {
  await mls.close();
  place.remove();
});
/** Each test ends with a replica that is equal to what the server shows. */
afterEach(() => place.prove());

function hide(some: readonly number[]): void {
  for (const key of some) mls.control.hide({ key });
}

function unhide(some: readonly number[]): void {
  for (const key of some) mls.control.unhide({ key });
}

function livingKeys(path: string): readonly number[] {
  const database = openSqlite(path, { readOnly: true });
  try {
    return database
      .prepare('SELECT "ListingKeyNumeric" FROM "Property" ORDER BY 1')
      .all()
      .map(([key]) => Number(key));
  } finally {
    database.close();
  }
}

test("a mass deletion halts with its figures; released, exactly what was shown is deleted", async () => {
  const gone = keys.slice(0, 60);
  hide(gone);
  const halted = await place.lockstep(["run", "--sweep"]);
  assert.equal(
    halted.told,
    `Halted: listings needs a person (sweep; N s); 1 of 1 stream did not end well.

Property halted: 60 of 100 records (60.0%) would be deleted; the guard allows 20. Nothing was deleted.
  What to do: Look at the sample; if it is right, run \`lockstep release 1 --by YOUR-NAME\`.
  Code: GUARD_MASS_DELETE`,
  );
  assert.equal(halted.exit, 3);
  assert.deepEqual(livingKeys(place.home), keys);

  const halts = await place.lockstep(["halts"]);
  assert.equal(
    compared(halts.out, place),
    `Halt 1  listings Property, TIME
  60 of 100 records (60.0%) would be deleted; the guard allows 20. Nothing was deleted.
  candidates: 60
  rows: 100
  allowed: 20
  sample: ${gone.slice(0, 8).join(", ")} and 2 more
  If that is right: lockstep release 1 --by YOUR-NAME, then lockstep run listings --sweep --stream Property`,
  );

  const unnamed = await place.lockstep(["release", "1"]);
  assert.equal(
    unnamed.told,
    `Failed: A release needs the name of who decides.
What to do: Run \`lockstep release 1 --by YOUR-NAME\`.
Code: USAGE`,
  );
  assert.equal(unnamed.exit, 2);

  const released = await place.json<ReleaseResult>(["release", "1", "--by", "ann"]);
  assert.equal(released.exit, 0);
  assert.equal(released.result.halt.releasedBy, "ann");
  const backup = openSqlite(released.result.backup.home, { readOnly: true });
  assert.deepEqual(backup.prepare("PRAGMA integrity_check").all(), [["ok"]]);
  backup.close();
  assert.deepEqual(livingKeys(released.result.backup.home), keys);

  const again = await place.lockstep(["release", "1", "--by", "bob"]);
  assert.equal(
    again.told,
    `Failed: Halt 1 was released already, by "ann".
What to do: Repeat the run that halted; it goes on from there.
Code: USAGE`,
  );

  // What comes back meanwhile is kept, and what goes meanwhile was not part of the decision.
  const [back, ...stillGone] = gone;
  const [late] = keys.slice(60);
  assert.ok(back !== undefined && late !== undefined);
  unhide([back]);
  hide([late]);
  const swept = await place.lockstep(["run", "--sweep"]);
  assert.equal(swept.told, "Done: listings is up to date (sweep; N s).");
  assert.equal(swept.exit, 0);
  assert.deepEqual(
    livingKeys(place.home),
    keys.filter((key) => !stillGone.includes(key)),
  );
  const left = await place.json<HaltsJson>(["halts", "--all"]);
  assert.deepEqual(left.result.halts, []);
  await place.heal("sweep");
});

test("a walk that ends early halts as incomplete, and a whole one settles it", async () => {
  const rows = livingKeys(place.home).length;
  const body = JSON.stringify({ "@odata.context": "$metadata#Property", value: [] });
  const match = "?$filter=ListingKeyNumeric gt";
  mls.control.fail({ kind: "status", status: 200, body, match });
  const halted = await place.lockstep(["run", "--sweep"]);
  assert.equal(
    halted.told,
    `Halted: listings needs a person (sweep; N s); 1 of 1 stream did not end well.

Property halted: The walk saw 20 records where the source counts ${rows}, so what it did not see may still exist.
  What to do: Run the sweep again; if the source is right, run \`lockstep release 2 --by YOUR-NAME\`.
  Code: GUARD_INCOMPLETE_WALK`,
  );
  assert.equal(halted.exit, 3);
  assert.equal(livingKeys(place.home).length, rows);
  await place.heal("sweep");
  assert.equal((await place.lockstep(["halts"])).out, "Nothing waits for a decision.\n");
});

test("a source that shows nothing halts, and nothing is deleted", async () => {
  const rows = livingKeys(place.home);
  hide(rows);
  const halted = await place.lockstep(["run", "--full"]);
  assert.equal(
    halted.told.replace(/release \d+/, "release ID"),
    `Halted: listings needs a person (full; N s); 1 of 1 stream did not end well.

Property halted: The source shows no record at all where the replica has ${rows.length}; nothing was deleted.
  What to do: Check access at the source; if it is right, run \`lockstep release ID --by YOUR-NAME\`.
  Code: GUARD_EMPTY_SOURCE`,
  );
  assert.equal(halted.exit, 3);
  assert.deepEqual(livingKeys(place.home), rows);
  unhide(rows);
  await place.heal("full");
  assert.deepEqual((await place.json<HaltsJson>(["halts"])).result.halts, []);
});
