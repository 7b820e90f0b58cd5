import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { FilesCheck, FilesPlan, FilesStatus } from "../../src/engine/files-results.ts";
import { createMediaPlace, listingWith, type MediaPlace } from "./media-place.ts";

const planOf = (place: MediaPlace, again = false): Promise<FilesPlan> =>
  place.with((each) => each.planFiles("mls", { again }, { signal: place.signal }));

async function statusOf(place: MediaPlace): Promise<FilesStatus> {
  const { syncs } = await place.with((each) => each.status());
  const files = syncs[0]?.files;
  assert.ok(files);
  return files;
}

async function checkOf(
  place: MediaPlace,
): Promise<{ readonly ok: boolean; readonly files: FilesCheck }> {
  const { ok, syncs } = await place.with((each) => each.check({ signal: place.signal }));
  const files = syncs[0]?.files;
  assert.ok(files);
  return { ok, files };
}

test("a plan of files says what a run then does, and fetches nothing", async (t) => {
  const place = await createMediaPlace(t);
  place.configure({ budget: { perHour: 20 } });
  await place.copy();
  const { mls } = place;
  const listings = [...mls.truth("Property")].length;
  mls.control.resetStats();
  const first = await planOf(place);
  assert.equal(mls.control.stats().byPath["/photos/"], undefined);
  assert.deepEqual(
    [first.due, first.action, first.records, first.listings, first.held.files, first.bytes],
    [true, "walk", listings, Math.ceil(listings / 20), 0, undefined],
  );
  const perHour = first.fileQuota?.windows.find(({ window }) => window === "hour");
  assert.deepEqual([perHour?.limit, perHour?.needed], [20, first.files]);
  assert.ok((first.files ?? 0) > 40);
  assert.ok(first.endsAt > first.at + 60 * 60_000 - 60_000, "two hours' files need a new hour");
  assert.equal(place.stored().length, 0);

  place.configure({});
  const run = await place.media();
  // A page of ten of thirty listings lets expect what thirty have, give or take.
  const { fetched } = run.files;
  assert.ok(Math.abs((first.files ?? 0) - fetched) <= fetched / 2, `${first.files}, ${fetched}`);

  const quiet = await planOf(place);
  assert.deepEqual(
    [quiet.due, quiet.action, quiet.records, quiet.files, quiet.bytes],
    [false, "read", 0, 0, 0],
  );
  assert.equal(quiet.held.files, fetched);
  const { key } = listingWith(mls, 2);
  mls.control.changePhotos({ listing: key, action: "replace" });
  const news = await planOf(place);
  assert.deepEqual([news.due, news.action, news.records, news.listings], [true, "read", 1, 1]);
  assert.ok((news.bytes ?? 0) > 0);
  const whole = await planOf(place, true);
  assert.deepEqual([whole.action, whole.records], ["walk", listings]);
});

test("status tells the files held, parked and last fetched", async (t) => {
  const place = await createMediaPlace(t);
  await place.copy();
  const never = await statusOf(place);
  assert.deepEqual(
    [never.stream, never.held.files, never.parked, never.walked, never.lastRun],
    ["Property/Media", 0, 0, false, undefined],
  );
  const [photo = ""] = listingWith(place.mls, 2).photos;
  place.mls.control.fail({ kind: "status", status: 404, match: photo, times: 1000 });
  await place.media();
  const held = place.held();
  const after = await statusOf(place);
  assert.deepEqual(after.held, {
    records: new Set(held.map(({ parent }) => parent)).size,
    files: held.length,
    bytes: held.reduce((sum, { size }) => sum + size, 0),
  });
  assert.deepEqual([after.parked, after.walked, after.lastRun?.phase], [1, true, "done"]);
  assert.equal(after.location, join(place.folder, "photos"));
});

test("check says whether files can be listed and kept", async (t) => {
  const place = await createMediaPlace(t);
  assert.deepEqual(await checkOf(place), {
    ok: true,
    files: {
      stream: "Property/Media",
      location: join(place.folder, "photos"),
      changedBy: "PhotosChangeTimestamp",
    },
  });
  writeFileSync(join(place.folder, "photos"), "a file is in the way");
  const blocked = await checkOf(place);
  assert.deepEqual([blocked.ok, blocked.files.error?.code], [false, "FILE_STORE_REFUSED"]);
  rmSync(join(place.folder, "photos"));
  mkdirSync(join(place.folder, "photos"));
  assert.equal((await checkOf(place)).ok, true);
  place.configure({ changedBy: "ListPrice" });
  const unfit = await checkOf(place);
  assert.deepEqual([unfit.ok, unfit.files.error?.code], [false, "FIELD_UNKNOWN"]);
});
