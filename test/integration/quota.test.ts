import assert from "node:assert/strict";
import { test } from "node:test";
import type { QuotaReport } from "../../src/engine/upkeep-results.ts";
import { createPlace, startSmallMls } from "./support.ts";

const BUDGET = { perHour: 1000, perDay: 5000, bytesPerHour: 1_000_000_000 };

test("quota tells what is left without network, and when a system is asked again", async (t) => {
  const mls = await startSmallMls();
  t.after(() => mls.close());
  const place = createPlace(mls);
  t.after(() => place.remove());
  place.configure({ system: { budget: BUDGET } });

  const fresh = await place.json<QuotaReport>(["quota"]);
  assert.deepEqual(
    fresh.result.systems.map(({ system, windows }) => [system, windows.length]),
    [["mls", 3]],
  );
  await place.heal();
  const { requests, bytes } = mls.control.stats();
  const { exit, result } = await place.json<QuotaReport>(["quota"]);
  assert.equal(exit, 0);
  const [system] = result.systems;
  assert.deepEqual(
    system?.windows.map(({ window, of, limit, used, left }) => [window, of, limit, used, left]),
    [
      ["hour", "requests", 1000, requests, 1000 - requests],
      ["hour", "bytes", BUDGET.bytesPerHour, bytes, BUDGET.bytesPerHour - bytes],
      ["day", "requests", 5000, requests, 5000 - requests],
    ],
  );
  assert.equal(mls.control.stats().requests, requests, "quota asks no system");

  mls.control.fail({ kind: "status", status: 429, times: 1000 });
  for (let run = 0; run < 3; run += 1) await place.lockstep(["run"]);
  const sent = mls.control.stats().requests;
  const held = await place.lockstep(["run"]);
  assert.notEqual(held.exit, 0);
  assert.match(held.told, /nothing is sent to it until/);
  assert.equal(mls.control.stats().requests, sent);
  const { out } = await place.lockstep(["quota"]);
  assert.match(out, /answered 429 again and again; nothing is sent until/);
});
