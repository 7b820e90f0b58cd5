import assert from "node:assert/strict";
import { test } from "node:test";
import type { SyncRunResult } from "../../src/engine/results.ts";
import { createScene, prove } from "./listings-scene.ts";

/*
 * Resources and values that are not as the others: a history that `$metadata` does not know, lookup
 * values that only a list makes readable, a resource without times.
 */

const HISTORY = {
  stream: "HistoryTransactional",
  keyField: "HistoryTransactionalKey",
  lists: [],
} as const;

test("a granted history that $metadata does not know is replicated and read on by its time", async (t) => {
  const scene = await createScene(
    t,
    { grants: ["HistoryTransactional"] },
    {
      system: { streams: { HistoryTransactional: {} } },
      streams: { Property: null, HistoryTransactional: null },
    },
  );
  scene.mls.control.live({ step: 1, edits: 30 });
  await scene.run("auto");
  const copied = prove(scene, HISTORY);
  assert.ok(copied > 20, `${copied} entries`);
  for (let step = 2; step < 6; step += 1) {
    scene.mls.control.advance({ ms: 60_000 });
    scene.mls.control.live({ step, edits: 20 });
    const result = await scene.run("auto");
    assert.deepEqual(
      result.runs.map(({ mode }) => mode),
      ["incremental", "deletions"],
    );
    prove(scene, HISTORY);
  }
  assert.ok(prove(scene, HISTORY) > copied);
  const { runs } = await scene.run("full");
  const ledger = runs[0]?.streams.find(({ stream }) => stream === HISTORY.stream)?.ledger;
  assert.deepEqual([ledger?.created, ledger?.updated, ledger?.deleted], [0, 0, 0]);
});

test("a history that is not granted fails its own stream and no other", async (t) => {
  const scene = await createScene(
    t,
    {},
    {
      system: { streams: { HistoryTransactional: {} }, retry: { attempts: 1 } },
      streams: { Property: null, HistoryTransactional: null },
    },
  );
  const { exit, result } = await scene.place.json<{ results: readonly SyncRunResult[] }>(["run"]);
  assert.equal(exit, 1);
  const phases = result.results[0]?.runs[0]?.streams.map(({ stream, phase }) => [stream, phase]);
  assert.deepEqual(phases, [
    ["Property", "done"],
    ["HistoryTransactional", "failed"],
  ]);
});

const PROPERTY = {
  stream: "Property",
  keyField: "ListingKeyNumeric",
  lists: ["InteriorFeatures", "Appliances", "BusinessType"],
} as const;

for (const lookupStyle of ["text", "enum"] as const) {
  test(`names in ${lookupStyle} fields become readable by the list of lookup values`, async (t) => {
    const scene = await createScene(
      t,
      { lookupStyle, lookups: "member" },
      { system: { lookupSet: "Lookup" }, streams: { Property: null } },
    );
    await scene.run("auto");
    // What the server would write if it wrote display names.
    scene.mls.control.configure({ lookups: "display" });
    prove(scene, PROPERTY);
    const pages = scene.mls.control.stats().byPath["/Lookup"] ?? 0;
    assert.ok(pages >= scene.mls.count("Lookup") / 20, "every page of the list is read");
  });
}

test("without a list, text fields keep what the server writes", async (t) => {
  const scene = await createScene(
    t,
    { lookupStyle: "text", lookups: "member" },
    { streams: { Property: null } },
  );
  await scene.run("auto");
  prove(scene, PROPERTY);
});

test("units without times are copied again and follow every change", async (t) => {
  const scene = await createScene(
    t,
    { listings: 400 },
    { streams: { Property: null, PropertyUnitTypes: { refresh: "0s" }, Adu: null } },
  );
  await scene.run("auto");
  const units = [...scene.mls.truth("PropertyUnitTypes")];
  const adus = [...scene.mls.truth("Adu")];
  assert.ok(units.length > 3 && adus.length > 3, `${units.length} units, ${adus.length} adus`);
  for (const [index, { key }] of units.slice(0, 3).entries()) {
    const fields = { UnitTypeDescription: `changed ${index}` };
    scene.mls.control.edit({ set: "PropertyUnitTypes", key, fields });
  }
  scene.mls.control.delete({ set: "PropertyUnitTypes", key: units.at(-1)?.key ?? "" });
  scene.mls.control.edit({ set: "Adu", key: adus[0]?.key ?? 0, fields: { Remarks: "changed" } });
  scene.mls.control.delete({ set: "Adu", key: adus.at(-1)?.key ?? 0 });
  await scene.run("auto");
  prove(scene, { stream: "PropertyUnitTypes", keyField: "UnitTypeKey", lists: [] });
  prove(scene, { stream: "Adu", keyField: "AduKeyNumeric", lists: [] });
});
