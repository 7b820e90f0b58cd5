import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type {
  FaultRequest,
  SampleFileSettings,
  SampleVendor,
} from "../../src/testing/sample-mls/index.ts";
import { createMediaPlace, listingWith, type MediaPlace } from "./media-place.ts";

/** Something small that changes every photo's row of a listing: its time moves, its key stays. */
function touchPhotos({ mls }: MediaPlace, key: number, photo: string): void {
  const at = new Date().toISOString().replace(/\.\d+/, "");
  mls.control.edit({ set: "Media", key: photo, fields: { MediaModificationTimestamp: at } });
  mls.control.edit({ key, fields: { PhotosChangeTimestamp: at } });
}

test("photos are fetched once, and again only when they change", async (t) => {
  const place = await createMediaPlace(t);
  const { mls } = place;
  await place.copy();
  const first = await place.media();
  assert.equal(first.outcome, "done");
  assert.equal(first.files.fetched, place.shown().length);
  place.prove();

  mls.control.resetStats();
  const second = await place.media();
  assert.equal(second.files.fetched + second.files.refreshed + second.files.removed, 0);
  assert.equal(mls.control.stats().byPath["/photos/"], undefined);

  const replaced = listingWith(mls, 2);
  const removed = listingWith(mls, 2, [replaced.key]);
  const edited = listingWith(mls, 2, [replaced.key, removed.key]);
  mls.control.changePhotos({ listing: replaced.key, action: "replace", touch: false });
  mls.control.changePhotos({ listing: removed.key, action: "remove", touch: false });
  touchPhotos(place, edited.key, edited.photos[0] ?? "");
  const added = mls.control.add({ photos: 2 });
  const third = await place.media();
  assert.equal(third.outcome, "done");
  assert.equal(third.files.fetched, 3);
  assert.equal(third.files.refreshed, 1);
  assert.equal(third.files.removed, 2);
  assert.ok(added > 0);
  place.prove();
});

test("a file's place in the order follows without fetching it again", async (t) => {
  const place = await createMediaPlace(t);
  const { mls } = place;
  await place.copy();
  await place.media();
  const { key, photos, record } = listingWith(mls, 2);
  const [photo = ""] = photos;
  mls.control.edit({ set: "Media", key: photo, fields: { Order: 9 } });
  mls.control.edit({ key, fields: { PhotosChangeTimestamp: new Date().toISOString() } });
  mls.control.resetStats();
  const run = await place.media();
  assert.equal(run.files.refreshed, 1);
  assert.equal(mls.control.stats().byPath["/photos/"], undefined);
  const request = { stream: "Property", key: record, related: ["Media"], changesMax: 0 };
  const shown = await place.with((each) => each.show("mls", request, { signal: place.signal }));
  assert.equal(shown.related[0]?.records.at(-1)?.key, photo);
  place.prove();
});

test("files go with their listing, and a mass of them only after a person's release", async (t) => {
  const place = await createMediaPlace(t);
  const { mls } = place;
  place.configure({}, { guard: { deleteShare: "20%", deleteFloor: 2 } });
  await place.copy();
  await place.media();
  mls.control.delete({ key: listingWith(mls, 1).key });
  await place.copy();
  const one = await place.media();
  assert.equal(one.outcome, "done");
  assert.ok(one.files.removed > 0);
  place.prove();

  const keys = [...mls.truth("Property")].map(({ key }) => key).slice(0, 20);
  for (const key of keys) mls.control.delete({ key });
  place.configure({}, { guard: { deleteShare: "100%" } });
  await place.copy();
  place.configure({}, { guard: { deleteShare: "20%", deleteFloor: 2 } });
  const held = place.held();
  const many = await place.media();
  assert.equal(many.outcome, "halted");
  assert.equal(many.error?.code, "GUARD_MASS_DELETE");
  assert.deepEqual(place.held(), held);
  await place.with(async (each) => {
    const [halt] = await each.halts({ waiting: true });
    assert.equal(halt?.stream, "Property/Media");
    await each.release(halt?.id ?? 0, "anna");
  });
  assert.equal((await place.media()).outcome, "done");
  place.prove();
});

test("a listing that is not copied yet keeps its files", async (t) => {
  const place = await createMediaPlace(t);
  await place.copy();
  place.mls.control.add({ photos: 3 });
  assert.equal((await place.media()).files.removed, 0);
  place.prove();
});

const FAULTS: readonly (readonly [string, FaultRequest, RegExp])[] = [
  ["404 with JSON", { kind: "status", status: 404 }, /answered 404/],
  ["a web page with 200", { kind: "html" }, /text\/html/],
  ["JSON announced as a picture", { kind: "error-body" }, /application\/json/],
  ["an empty file", { kind: "empty-page" }, /is empty/],
  ["a file cut short", { kind: "cut" }, /closed before the file was whole|shorter/],
  ["500 again and again", { kind: "status", status: 500 }, /answered 500/],
  ["no answer at all", { kind: "hang" }, /did not give the file within 400 ms/],
  ["a reset connection", { kind: "reset" }, /reset/],
  ["a refusal", { kind: "status", status: 403 }, /answered 403/],
];

for (const [name, fault, reason] of FAULTS) {
  test(`${name}: the file is parked, the rest goes on, a retry fetches it`, async (t) => {
    const place = await createMediaPlace(t, { listings: 8 });
    const { mls } = place;
    place.configure({ timeout: "400ms" });
    await place.copy();
    const { photos, record } = listingWith(mls, 2);
    const [photo = ""] = photos;
    mls.control.fail({ ...fault, match: photo, times: 1000 });
    const run = await place.media();
    assert.equal(run.outcome, "partial", run.error?.message);
    assert.equal(run.files.parked, 1);
    place.prove([photo]);
    const [parked] = await place.with((each) => each.parked({}));
    assert.equal(parked?.stream, "Property/Media");
    assert.match(parked?.problems[0]?.message ?? "", reason);
    const request = { stream: "Property", key: record, related: ["Media"], changesMax: 0 };
    const shown = await place.with((each) => each.show("mls", request, { signal: place.signal }));
    const states = shown.related[0]?.records.map(({ file }) => file?.state);
    assert.ok(!states?.includes("none"));

    const still = await retry(place, parked?.id ?? 0);
    assert.equal(still.stillParked.length, 1);
    mls.control.heal();
    const healed = await retry(place, parked?.id ?? 0);
    assert.equal(healed.settled, 1);
    place.prove();
  });
}

function retry(place: MediaPlace, id: number): ReturnType<Lockstepped["retryParked"]> {
  return place.with((each) => each.retryParked([id], { signal: place.signal }));
}
type Lockstepped = Parameters<Parameters<MediaPlace["with"]>[0]>[0];

test("trouble that passes costs a try and nothing else", async (t) => {
  const place = await createMediaPlace(t, { listings: 8 });
  await place.copy();
  const { photos } = listingWith(place.mls, 2);
  place.mls.control.fail({ kind: "status", status: 503, match: photos[0] ?? "" });
  place.mls.control.fail({ kind: "cut", match: photos[1] ?? "" });
  const run = await place.media();
  assert.equal(run.outcome, "done");
  assert.equal(run.result.runs[0]?.streams[0]?.traffic.retries, 2);
  place.prove();
});

test("a server that answers nothing any more fails the run, and parks nothing", async (t) => {
  const place = await createMediaPlace(t);
  await place.copy();
  place.mls.control.fail({ kind: "reset", match: "/photos/", times: 1000 });
  const run = await place.media();
  assert.equal(run.outcome, "failed");
  assert.equal(run.error?.code, "CONNECTOR_UNREACHABLE");
  place.mls.control.heal();
  assert.equal((await place.media()).outcome, "done");
  const parked = await place.with((each) => each.parked({}));
  assert.ok(parked.length < 10);
  place.prove(parked.map(({ key }) => JSON.parse(String(key))[1]));
});

test("addresses for a single use are never used twice", async (t) => {
  const place = await createMediaPlace(t, { files: { singleUse: true } });
  const { mls } = place;
  await place.copy();
  const { photos } = listingWith(mls, 2);
  // The address is used up by the failed try.
  mls.control.fail({ kind: "status", status: 500, match: photos[0] ?? "" });
  const run = await place.media();
  assert.equal(run.outcome, "done", run.error?.message);
  place.prove();
  const held = JSON.stringify(place.held()) + JSON.stringify(run.result);
  assert.ok(!held.includes("s3cret"));
});

test("an address that has grown old is asked for anew", async (t) => {
  const place = await createMediaPlace(t, { listings: 8, files: { validMs: 5 * 60_000 } });
  const { mls } = place;
  await place.copy();
  place.configure({ urlMaxAge: "0ms", concurrency: 1 });
  assert.equal((await place.media()).outcome, "done");
  place.prove();
  const { key } = listingWith(mls, 2);
  mls.control.changePhotos({ listing: key, action: "replace", touch: false });
  mls.control.configureFiles({ validMs: -1 });
  const refused = await place.media();
  assert.equal(refused.outcome, "partial");
  const [parked] = await place.with((each) => each.parked({}));
  assert.doesNotMatch(JSON.stringify(parked), /s3cret/);
  mls.control.configureFiles({});
  assert.equal((await retry(place, parked?.id ?? 0)).settled, 1);
  place.prove();
});

test("an empty expansion removes nothing: the other way is asked", async (t) => {
  const place = await createMediaPlace(t, { listings: 8 });
  const { mls } = place;
  await place.copy();
  await place.media();
  const { key } = listingWith(mls, 2);
  mls.control.configureFiles({ emptyExpansions: true });
  mls.control.changePhotos({ listing: key, action: "add", touch: false });
  assert.equal((await place.media()).files.fetched, 1);
  place.prove();

  mls.control.fail({ kind: "status", status: 504, match: "/Media", times: 1000 });
  const held = place.held();
  const kept = await place.media({ again: true });
  assert.equal(kept.outcome, "done", kept.error?.message);
  assert.equal(kept.files.removed, 0);
  assert.deepEqual(place.held(), held);
  const parked = await place.with((each) => each.parked({}));
  assert.ok(parked.length > 0);
  assert.ok(parked.every(({ problems }) => problems[0]?.code === "FILE_LIST_UNPROVEN"));
  mls.control.heal();
  mls.control.configureFiles({});
  await place.media({ again: true });
  assert.deepEqual(await place.with((each) => each.parked({})), []);
  place.prove();
});

test("a listing whose count says none loses its last photo", async (t) => {
  const place = await createMediaPlace(t, { listings: 8, photosMax: 1 });
  const { mls } = place;
  await place.copy();
  await place.media();
  const { key } = listingWith(mls, 1);
  mls.control.changePhotos({ listing: key, action: "remove", touch: false });
  assert.equal((await place.media()).files.removed, 1);
  place.prove();
});

test("lists may come from the Media stream", async (t) => {
  const place = await createMediaPlace(t);
  place.configure({ from: "stream" });
  await place.copy();
  place.mls.control.resetStats();
  assert.equal((await place.media()).outcome, "done");
  assert.ok(place.mls.control.stats().recent.some((target) => target.startsWith("/Media?")));
  place.prove();
});

test("a look at everything finds files that were taken away behind our back", async (t) => {
  const place = await createMediaPlace(t, { listings: 8 });
  await place.copy();
  await place.media();
  const [lost, cut] = place.held();
  rmSync(join(place.folder, "photos", lost?.path ?? ""));
  writeFileSync(join(place.folder, "photos", cut?.path ?? ""), "cut");
  const run = await place.media({ again: true });
  assert.equal(run.files.refreshed, 2);
  place.prove();
});

test("a file that is too large or of another kind is parked without another try", async (t) => {
  const place = await createMediaPlace(t, { listings: 4 });
  await place.copy();
  place.configure({ maxSize: "100B" });
  place.mls.control.resetStats();
  const run = await place.media();
  assert.equal(run.files.parked, place.shown().length);
  assert.equal(place.mls.control.stats().byPath["/photos/"], place.shown().length);
  place.mls.control.configureFiles({ isChunked: true });
  assert.equal((await place.media({ again: true })).files.parked, place.shown().length);
  assert.deepEqual(place.stored(), []);
  place.configure({ types: ["application/pdf"] });
  assert.equal((await place.media({ again: true })).files.parked, place.shown().length);
  place.configure({});
  assert.equal((await place.media()).outcome, "done");
  assert.deepEqual(await place.with((each) => each.parked({})), []);
  place.prove();
});

test("the token goes to the file server only as configured", async (t) => {
  const place = await createMediaPlace(t, { listings: 4, files: { tokenIn: "user-agent" } });
  await place.copy();
  assert.equal((await place.media()).outcome, "partial");
  place.configure({ sendToken: "user-agent" });
  assert.equal((await place.media({ again: true })).outcome, "done");
  place.prove();
  place.mls.control.configureFiles({ tokenIn: "authorization" });
  rmSync(join(place.folder, "photos"), { recursive: true });
  place.configure({ sendToken: "bearer" });
  assert.equal((await place.media({ again: true })).outcome, "done");
  place.prove();
});

const VENDORS: readonly (readonly [SampleVendor, SampleFileSettings, object])[] = [
  ["mlsgrid", { singleUse: true, tokenIn: "user-agent" }, { originatingSystem: "sample" }],
  ["trestle", { tokenIn: "authorization" }, {}],
  ["bridge", {}, {}],
  ["spark", { validMs: 60_000 }, {}],
];

for (const [vendor, files, more] of VENDORS) {
  test(`photos by the contract of ${vendor}, with nothing configured but the place`, async (t) => {
    const system = { profile: vendor, ...more };
    const place = await createMediaPlace(t, { plays: vendor, files }, system);
    const { mls } = place;
    await place.copy();
    const first = await place.media();
    assert.equal(first.outcome, "done", first.error?.message);
    place.prove();
    const replaced = listingWith(mls, 2);
    const removed = listingWith(mls, 2, [replaced.key]);
    mls.control.changePhotos({ listing: replaced.key, action: "replace" });
    mls.control.changePhotos({ listing: removed.key, action: "remove" });
    mls.control.add({ photos: 2 });
    const second = await place.media();
    assert.equal(second.outcome, "done", second.error?.message);
    assert.equal(second.files.fetched, 3);
    place.prove();
  });
}

test("a request that is stopped goes on with the next run", async (t: TestContext) => {
  const place = await createMediaPlace(t);
  await place.copy();
  const stop = new AbortController();
  const stopped = await place.with((each) =>
    each.run(
      "mls",
      { mode: "media" },
      {
        signal: stop.signal,
        emit: (event) => {
          if (event.kind === "progress" && (event.files?.fetched ?? 0) > 5) stop.abort();
        },
      },
    ),
  );
  assert.equal(stopped.outcome, "stopped");
  const run = await place.media();
  assert.ok(run.files.fetched < place.shown().length);
  place.prove();
  assert.ok(readFileSync(join(place.folder, "lockstep.yaml")).length > 0);
});
