import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { SampleVendor } from "../../src/testing/sample-mls/index.ts";
import { createScene } from "./listings-scene.ts";

/* Open houses whose times stand in local time, though a Z follows them: on every profile. */

const PROFILES: readonly (readonly [string, SampleVendor | undefined])[] = [
  ["generic", undefined],
  ["wfrmls", undefined],
  ["mlsgrid", "mlsgrid"],
  ["trestle", "trestle"],
  ["bridge", "bridge"],
  ["spark", "spark"],
];

/** What the server writes, and when that is in Utah: clocks change on 9 March and 2 November. */
const TIMES: readonly (readonly [written: string, instant: string])[] = [
  ["2025-03-08T12:00:00Z", "2025-03-08T19:00:00Z"],
  ["2025-03-09T12:00:00Z", "2025-03-09T18:00:00Z"],
  ["2025-03-09T01:59:59Z", "2025-03-09T08:59:59Z"],
  ["2025-03-09T03:00:00Z", "2025-03-09T09:00:00Z"],
  ["2025-11-01T22:30:00Z", "2025-11-02T04:30:00Z"],
  ["2025-11-02T12:00:00Z", "2025-11-02T19:00:00Z"],
];

for (const [profile, plays] of PROFILES) {
  test(`${profile}: local open house times become instants over a change of clocks`, async (t) => {
    const rule = { zone: "America/Denver", applies: "always" };
    const scene = await createScene(t, plays === undefined ? {} : { plays }, {
      system: {
        profile,
        ...(profile === "mlsgrid" ? { originatingSystem: "sample" } : {}),
        streams: { OpenHouse: { zones: { OpenHouseStartTime: rule, OpenHouseEndTime: rule } } },
      },
      streams: { OpenHouse: null },
    });
    const [listing] = scene.mls.truth("Property");
    const added = TIMES.map(([OpenHouseStartTime]) =>
      scene.mls.control.addOpenHouse({
        listing: Number(listing?.key),
        fields: { OpenHouseStartTime, OpenHouseEndTime: OpenHouseStartTime },
      }),
    );
    await scene.run("auto");
    const replica = new DatabaseSync(scene.place.home, { readOnly: true });
    t.after(() => replica.close());
    const rows = replica.prepare(
      "SELECT OpenHouseStartTime AS a, OpenHouseEndTime AS b FROM OpenHouse WHERE OpenHouseKeyNumeric = ?",
    );
    const found = added.map((key) => Object.values(rows.get(key) ?? {}));
    assert.deepEqual(
      found,
      TIMES.map(([, instant]) => [instant, instant]),
    );
    // A repeated reading of what did not change finds no change.
    const { changes } = await scene.run("full");
    assert.deepEqual(changes, []);
  });
}
