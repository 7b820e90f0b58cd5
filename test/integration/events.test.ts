import assert from "node:assert/strict";
import { test } from "node:test";
import { createScene, prove, type Scene } from "./listings-scene.ts";

/* Changes read by EntityEvent: what it tells, and what becomes of children and of holes in it. */

const ofListing = { stream: "Property", parentField: "ListingKeyNumeric" };
const STREAMS = {
  Property: null,
  Media: { parent: { ...ofListing, field: "ResourceRecordKeyNumeric" } },
  OpenHouse: { parent: { ...ofListing, field: "ListingKeyNumeric" } },
  PropertyUnitTypes: { parent: { ...ofListing, field: "ListingKeyNumeric" } },
};
const PROPERTY = {
  stream: "Property",
  keyField: "ListingKeyNumeric",
  lists: ["InteriorFeatures", "Appliances", "BusinessType"],
} as const;
const PROVEN = [
  PROPERTY,
  { stream: "Media", keyField: "MediaKey", lists: ["Permission"] },
  { stream: "OpenHouse", keyField: "OpenHouseKeyNumeric", lists: [] },
  { stream: "PropertyUnitTypes", keyField: "UnitTypeKey", lists: [] },
] as const;

const GENERIC = { profile: "generic", keysPerRead: 5 };
const GRANTS = { grants: ["EntityEvent"] } as const;

function proveAll(scene: Scene): void {
  for (const stream of PROVEN) prove(scene, stream);
}

/** Keys of listings with photos. */
function pictured({ mls }: Scene, count: number): readonly number[] {
  const listings = new Set(
    [...mls.truth("Media")].map(({ fields }) => Number(fields["ResourceRecordKeyNumeric"])),
  );
  return [...listings].slice(0, count);
}

test("events tell of edits, deletions and loss of visibility, without a time and without a sweep", async (t) => {
  const scene = await createScene(
    t,
    { ...GRANTS, listings: 120 },
    { system: GENERIC, streams: STREAMS },
  );
  const { mls } = scene;
  await scene.run("auto");
  proveAll(scene);
  const [hidden = 0, deleted = 0, silent = 0] = pictured(scene, 3);
  const [unit] = mls.truth("PropertyUnitTypes");
  mls.control.hide({ key: hidden });
  mls.control.delete({ key: deleted });
  mls.control.edit({ key: silent, fields: { ListPrice: "12345" }, touch: false });
  mls.control.edit({
    set: "PropertyUnitTypes",
    key: unit?.key ?? "",
    fields: { UnitTypeDescription: "changed" },
  });
  const { runs } = await scene.run("auto");
  assert.deepEqual(
    runs.map(({ mode }) => mode),
    ["incremental"],
  );
  proveAll(scene);
  mls.control.unhide({ key: hidden });
  await scene.run("auto");
  proveAll(scene);
  mls.control.resetStats();
  await scene.run("auto");
  const { byPath } = mls.control.stats();
  // One question a stream, and one for each set of which no event was seen.
  assert.ok((byPath["/EntityEvent"] ?? 0) <= 8, JSON.stringify(byPath));
  assert.equal(byPath["/Property"], undefined);
});

test("an empty answer that is none loses no event", async (t) => {
  const system = { ...GENERIC, retry: { attempts: 5, maxWaitSeconds: 0.02 } };
  const scene = await createScene(t, { ...GRANTS, listings: 120 }, { system, streams: STREAMS });
  const { mls } = scene;
  await scene.run("auto");
  const [key = 0, other = 0] = pictured(scene, 2);
  mls.control.edit({ key, fields: { ListPrice: "12345" } });
  mls.control.hide({ key: other });
  mls.control.fail({ kind: "empty-page", match: "EntityEventSequence gt" });
  await scene.run("auto");
  proveAll(scene);
});

test("children go with their listing, though only the listing's event tells", async (t) => {
  const system = { ...GENERIC, events: ["Property"] };
  const scene = await createScene(t, GRANTS, { system, streams: STREAMS });
  await scene.run("auto");
  for (const key of pictured(scene, 3)) scene.mls.control.delete({ key });
  const { runs } = await scene.run("auto");
  proveAll(scene);
  const media = runs[0]?.streams.find(({ stream }) => stream === "Media");
  assert.ok((media?.ledger.deleted ?? 0) >= 3, JSON.stringify(media));
  assert.equal(media?.orphans, undefined);
});

test("a child that the source still serves stays", async (t) => {
  const system = { ...GENERIC, events: ["Property"] };
  const scene = await createScene(t, GRANTS, { system, streams: STREAMS });
  await scene.run("auto");
  const [key = 0] = pictured(scene, 1);
  const before = scene.mls.count("Media");
  // Told as gone, its photos still served: each is asked for before anything is deleted.
  const photos = [...scene.mls.truth("Media")]
    .filter(({ fields }) => fields["ResourceRecordKeyNumeric"] === key)
    .map((photo) => photo.key);
  scene.mls.control.hide({ key });
  for (const photo of photos) scene.mls.control.unhide({ set: "Media", key: photo });
  await scene.run("auto");
  proveAll(scene);
  assert.equal(scene.mls.count("Media"), before);
});

test("a disaster told by events halts before anything is deleted, until a person releases it", async (t) => {
  const scene = await createScene(t, GRANTS, {
    system: GENERIC,
    streams: { Property: null },
    guard: { deleteFloor: 5 },
  });
  await scene.run("auto");
  const keys = [...scene.mls.truth("Property")].map(({ key }) => key);
  for (const key of keys.slice(0, 40)) scene.mls.control.hide({ key });
  scene.mls.control.edit({ key: keys[50] ?? 0, fields: { PublicRemarks: "kept up" } });
  const { outcome, runs } = await scene.attempt("auto");
  assert.equal(outcome, "halted");
  const [report] = runs[0]?.streams ?? [];
  assert.equal(report?.error?.code, "GUARD_MASS_DELETE");
  assert.deepEqual([report?.ledger.deleted, report?.ledger.updated], [0, 1]);
  // The keys that wait are in the checkpoint: their events are not read again.
  const again = await scene.attempt("auto");
  assert.equal(again.outcome, "halted");
  const released = await scene.place.lockstep(["release", "1", "--by", "ann"]);
  assert.equal(released.exit, 0, released.err);
  const { runs: after } = await scene.run("auto");
  assert.equal(after[0]?.streams[0]?.ledger.deleted, 40);
  prove(scene, PROPERTY);
});

test("events that were thrown away unread are made up for by a whole copy, and it is said", async (t) => {
  const scene = await createScene(t, GRANTS, { system: GENERIC, streams: { Property: null } });
  await scene.run("auto");
  for (const keep of [2, 0]) {
    scene.mls.control.live({ step: 3 + keep, edits: 12 });
    scene.mls.control.forgetEvents({ keep });
    const { runs } = await scene.attempt("auto");
    assert.deepEqual(
      runs.map(({ mode }) => mode),
      ["incremental", "full"],
    );
    const [expired] = runs[0]?.streams ?? [];
    assert.equal(expired?.error?.code, "CURSOR_EXPIRED");
    assert.match(expired?.error?.message ?? "", keep === 0 ? /holds none any more/ : /begins with/);
    prove(scene, PROPERTY);
  }
});

test("a stream goes over from times to events, and back, by one whole copy", async (t) => {
  const streams = { Property: null };
  const scene = await createScene(t, GRANTS, { system: { ...GENERIC, events: "never" }, streams });
  await scene.run("auto");
  for (const events of ["auto", "never"]) {
    scene.configure({ ...GENERIC, events });
    scene.mls.control.live({ step: 7, edits: 9 });
    const { runs } = await scene.attempt("auto");
    assert.deepEqual(
      runs.map(({ mode }) => mode),
      ["incremental", "full"],
    );
    assert.match(runs[0]?.streams[0]?.error?.message ?? "", /the place that was reached/);
    prove(scene, PROPERTY);
    scene.mls.control.live({ step: 8, edits: 9 });
    const next = await scene.run("auto");
    assert.deepEqual(
      next.runs.map(({ mode }) => mode),
      ["incremental"],
    );
  }
});
