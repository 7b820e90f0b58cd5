import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createScene, type Scene } from "./scene.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");

/** A command line of a process of its own, whose reader goes away before a word was said. */
async function unread(scene: Scene, ...args: readonly string[]): Promise<unknown> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: scene.directory,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  child.stderr.destroy();
  const [exit, signal] = await once(child, "exit");
  return signal ?? exit;
}

const FULL = "/dev/full";
const noFull = existsSync(FULL) ? false : `there is no ${FULL} here, on which every write fails`;

/** A command line of a process of its own, whose results go to a full disk. */
async function toFullDisk(scene: Scene, ...args: readonly string[]): Promise<readonly unknown[]> {
  const full = openSync(FULL, "w");
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: scene.directory,
    stdio: ["ignore", full, "pipe"],
  });
  closeSync(full);
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += String(chunk);
  });
  const [exit] = await once(child, "close");
  return [exit, said];
}

function createTwoSides(t: TestContext): Scene {
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY, price INTEGER);
    INSERT INTO product VALUES ('A', 1), ('B', 2)`);
  scene.csv("warehouse.csv", "sku,price", "A,3");
  scene.configure({
    sync: {
      sides: {
        shop: { system: "shop", stream: "product" },
        warehouse: { system: "warehouse", stream: "warehouse" },
      },
      match: "sku",
    },
  });
  return scene;
}

test("results on a full disk: the run goes on to its end, says so and is no success", {
  skip: noFull,
}, async (t) => {
  const scene = createTwoSides(t);
  const [exit, said] = await toFullDisk(scene, "run", "--verbose");
  assert.equal(exit, 4, "a price waits for a person");
  assert.deepEqual(Object.keys(scene.cells("warehouse.csv")), ["A", "B"]);
  assert.match(
    String(said),
    /^Failed: What this command says cannot be written \(.*ENOSPC.*\); what it does goes on\.$/m,
  );
  const [ended] = await toFullDisk(scene, "status", "--json");
  assert.equal(ended, 1, "what should be read is not there");
});

test("`lockstep run | head`: the run goes on to its end, and ends with its own exit code", async (t) => {
  const scene = createTwoSides(t);
  assert.equal(await unread(scene, "plan", "--verbose"), 5);
  assert.equal(await unread(scene, "run", "--verbose"), 4, "a price waits for a person");
  assert.deepEqual(Object.keys(scene.cells("warehouse.csv")), ["A", "B"]);
  const { exit, err } = await scene.cli("run");
  assert.equal(exit, 4, `nothing of the other run is left in the way: ${err}`);
  assert.equal(await unread(scene, "run", "nothing"), 2);
  assert.equal(await unread(scene, "changes", "--json"), 0);
});
