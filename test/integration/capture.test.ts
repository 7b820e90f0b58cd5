import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { PlanJson, SidesRun, VerifyJson } from "../../src/cli/json.ts";
import type { CaptureChangesResult } from "../../src/engine/capture-changes.ts";
import { createSidesScene, type SidesScene } from "./sides-scene.ts";

async function planAndApply(scene: SidesScene): Promise<SidesRun> {
  await scene.lockstep(["plan", "inventory"]);
  const { result } = await scene.json<SidesRun>("apply", "inventory");
  assert.ok("sides" in result, JSON.stringify(result));
  return result;
}

test("with capture a reconcile reads what others changed, its own writes do not come back", async (t) => {
  const scene = createSidesScene(t);
  const file = join(scene.folder, "lockstep.yaml");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replaceAll(/stream: (product|item)/g, "observe: changes, stream: $1"));
  scene.stock("DELETE FROM item WHERE code = 'SKU-6'");
  for (const system of ["shopdb", "stockdb"]) {
    const { exit, result } = await scene.json<CaptureChangesResult>("install-capture", system);
    assert.equal(exit, 0);
    assert.equal(result.steps.length, 1);
    assert.ok(result.steps.every(({ statements }) => statements.length > 0));
    const again = await scene.lockstep(["install-capture", system]);
    assert.match(again.out, /^(product|item): is captured already$/m);
  }
  const first = await planAndApply(scene);
  assert.ok((first.sides["shop"]?.written ?? 0) > 0, JSON.stringify(first));
  const noted = scene.shop("SELECT count(*) FROM _lockstep_outbox WHERE origin IS NOT NULL");
  assert.ok(Number(noted[0]?.[0]) > 0, "our own writes are signed");

  const quiet = await scene.json<PlanJson>("plan", "inventory");
  const [plan] = quiet.result.plans;
  assert.ok(plan?.kind === "reconcile");
  assert.equal(plan.due, false);

  // An edit that is not noted is not seen: only the outbox is read.
  scene.stock("UPDATE item SET qty = 66 WHERE code = 'SKU-4'");
  scene.stock(
    "DELETE FROM _lockstep_outbox WHERE sequence = (SELECT max(sequence) FROM _lockstep_outbox)",
  );
  scene.shop("DELETE FROM product WHERE sku = 'SKU-3'");
  scene.stock(
    "UPDATE item SET price = 99, updated_at = '2099-01-01 00:00:00' WHERE code = 'SKU-1'",
  );
  const second = await planAndApply(scene);
  assert.equal(scene.article("SKU-3").stock, undefined, JSON.stringify(second));
  assert.deepEqual(scene.article("SKU-1").shop?.[0], 99);
  const unseen = "SELECT stock FROM product WHERE sku = 'SKU-4'";
  assert.deepEqual(scene.shop(unseen), [[50]]);
  const verified = await scene.json<VerifyJson>("verify", "inventory");
  // A verify reads the sides whole, and finds that edit and nothing else.
  const [sides] = verified.result.sides;
  assert.deepEqual(
    sides?.sides.flatMap(({ samples }) => samples.map(({ name, field }) => [name, field])),
    [["SKU-4", "qty"]],
  );
  // A run that is asked to, or one that is due, does so too.
  const full = await scene.lockstep(["run", "inventory", "--full"]);
  assert.equal(full.exit, 4, full.err);
  assert.deepEqual(scene.shop(unseen), [[66]]);
  const status = await scene.lockstep(["status"]);
  assert.match(status.out, /last run wrote +read whole\n/);
  assert.match(status.out, /^shop .* just now$/m);

  const gone = await scene.lockstep(["uninstall-capture", "shopdb"]);
  assert.match(gone.out, /DROP TABLE _lockstep_outbox/);
  scene.shop("UPDATE product SET stock = 77 WHERE sku = 'SKU-2'");
  scene.stock("UPDATE item SET qty = 78 WHERE code = 'SKU-2'");
  // The cursor of capture has expired: the side is read whole, and nothing is missed.
  await planAndApply(scene);
  assert.deepEqual(scene.shop("SELECT stock FROM product WHERE sku = 'SKU-2'"), [[78]]);
});

test("a system without triggers says so", async (t) => {
  const scene = createSidesScene(t);
  const { exit, err } = await scene.lockstep(["install-capture", "nothing"]);
  assert.equal(exit, 2);
  assert.match(err, /No sync uses a system "nothing"; used: shopdb, stockdb\./);
});
