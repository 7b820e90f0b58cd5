import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createSeededRandom } from "../../src/testing/simulation/seeded-random.ts";
import { createMediaPlace, listingWith, type MediaPlace } from "./media-place.ts";

const KILLS = 12;

function start({ folder, mls }: MediaPlace, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [resolve("src/cli/main.ts"), "run", "--media", ...args], {
    cwd: folder,
    env: { ...process.env, MLS_TOKEN: mls.token },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Kills the process so long after its run began; true when it was still alive. */
async function killWithin(child: ChildProcess, delayMs: number): Promise<boolean> {
  const ended = once(child, "exit");
  child.stdout?.resume();
  if (child.stderr !== null) await Promise.race([once(child.stderr, "data"), ended]);
  await Promise.race([delay(delayMs), ended]);
  child.kill("SIGKILL");
  const [, signal] = await ended;
  return signal === "SIGKILL";
}

test(`kill -9 at ${KILLS} random moments of a media run loses nothing and leaves nothing`, async (t) => {
  const place = await createMediaPlace(t, { listings: 60, photosMax: 4 });
  const { mls } = place;
  place.configure({ concurrency: 3 });
  await place.copy();
  const random = createSeededRandom(11);
  let killed = 0;
  for (let step = 0; killed < KILLS; step += 1) {
    assert.ok(step < KILLS * 4, `only ${killed} of ${step} processes were alive when killed`);
    for (const action of ["replace", "remove", "add"] as const) {
      const { key } = listingWith(mls, 1 + (step % 3));
      mls.control.changePhotos({ listing: key, action, touch: false });
    }
    mls.control.add({ photos: 4 });
    if (await killWithin(start(place, step % 3 === 2 ? ["--full"] : []), random.next() * 500)) {
      killed += 1;
    }
    for (const { path } of place.held()) {
      assert.ok(existsSync(join(place.folder, "photos", path)), `${path} is recorded, not stored`);
    }
  }
  const last = start(place, []);
  last.stdout?.resume();
  const [code] = await once(last, "exit");
  assert.equal(code, 0);
  place.prove();
});
