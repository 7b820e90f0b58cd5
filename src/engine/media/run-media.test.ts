import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryHome } from "../../homes/memory/home.ts";
import {
  AT_ONCE,
  addPhoto,
  checkRecorded,
  checkWhole,
  copied,
  createFate,
  createWorld,
  heldIn,
  key,
  list,
  photosOf,
  run,
  stampOf,
  type World,
} from "../../testing/media-world.ts";

/** A day of edits: added, replaced, edited, removed photos, a deleted and a new listing. */
function edit(world: World): void {
  const { system } = world;
  world.second += 100;
  addPhoto(world, "1", "1-new");
  system.remove("Media", key("2-0"));
  addPhoto(world, "2", "2-new");
  system.edit("Media", key("3-1"), {});
  system.remove("Media", key("3-2"));
  for (const listing of ["1", "2", "3"]) list(world, listing);
  system.remove("Media", key("5-0"));
  system.remove("Property", key("5"));
  world.second += 1;
  addPhoto(world, "6", "6-0");
  list(world, "6");
}

test("killed before and after every effect of a run, the next run makes it whole", async () => {
  const world = createWorld();
  assert.equal((await run(world)).outcome, "done");
  await checkWhole(world, world.durable);
  edit(world);
  world.broken.add("6-0");
  let deaths = 0;
  for (let diesAt = 1; ; diesAt += 1) {
    const durable = copied(world.durable);
    const fate = createFate(diesAt);
    await run(world, durable, AT_ONCE, fate).catch(() => undefined);
    await checkRecorded(world, durable);
    const again = await run(world, durable);
    assert.ok(["done", "partial"].includes(again.outcome), `died at ${diesAt}`);
    await checkWhole(world, durable, ["6-0"]);
    const home = createMemoryHome({ clock: world.clock, state: durable.home });
    const parked = await home.parked({});
    assert.deepEqual(
      parked.map((entry) => entry.key),
      ['["6","6-0"]'],
      `died at ${diesAt}`,
    );
    if (fate.steps() < diesAt) break;
    deaths += 1;
  }
  assert.ok(deaths > 50, `only ${deaths} deaths`);
});

test("killed again and again, a first copy still comes to its end", async () => {
  const world = createWorld();
  let lives = 0;
  for (let outcome = ""; outcome !== "done"; lives += 1) {
    assert.ok(lives < 60, "no end");
    // It dies a little later each time, so that every life gets somewhere.
    const fate = createFate(14 + lives * 2);
    const report = await run(world, world.durable, AT_ONCE, fate).catch(() => undefined);
    outcome = report?.outcome ?? "";
    await checkRecorded(world, world.durable);
  }
  assert.ok(lives > 5);
  await checkWhole(world, world.durable);
});

test("the cursor is never ahead of what is stored", async () => {
  const world = createWorld();
  await run(world);
  edit(world);
  const steps = createFate(Number.POSITIVE_INFINITY);
  await run(world, copied(world.durable), AT_ONCE, steps);
  for (let diesAt = 1; diesAt <= steps.steps(); diesAt += 3) {
    const durable = copied(world.durable);
    await run(world, durable, AT_ONCE, createFate(diesAt)).catch(() => undefined);
    const checkpoint = durable.home.checkpoints.get(["mls", "Property/Media", "media"].join("\0"));
    const { time = "" } = JSON.parse(checkpoint?.cursor ?? "{}") as { readonly time?: string };
    const held = new Set((await heldIn(world, durable)).map(({ media }) => String(media)));
    for (const { id, values } of world.system.rows("Property")) {
      if (String(values["PhotosChangeTimestamp"]) >= time) continue;
      for (const photo of photosOf(world.system, id)) {
        assert.ok(held.has(photo.id), `${photo.id} is missing behind the cursor ${time}`);
      }
    }
  }
});

test("an empty list is believed only where the record says so, or both ways agree", async () => {
  const world = createWorld();
  await run(world);
  const before = await heldIn(world, world.durable);
  // The photos are out of sight in both ways; the count still says that there are some.
  for (const { id } of photosOf(world.system, "3")) world.system.hide("Media", id);
  world.second += 100;
  const { PhotosCount } = world.system.row("Property", key("3"))?.values ?? {};
  world.system.put("Property", {
    ListingKey: "3",
    PhotosCount: PhotosCount ?? null,
    PhotosChangeTimestamp: stampOf(world),
  });
  const kept = await run(world);
  assert.equal(kept.streams[0]?.files?.kept, 3);
  assert.deepEqual(await heldIn(world, world.durable), before);
  world.system.edit("Property", key("3"), {
    PhotosCount: null,
    PhotosChangeTimestamp: stampOf(world),
  });
  assert.equal((await run(world)).streams[0]?.files?.removed, 3);
});

test("other settings begin anew, and the same ones do not", async () => {
  const world = createWorld();
  await run(world);
  const second = await run(world);
  assert.ok((second.streams[0]?.files?.records ?? 0) < 5);
  const all = await run(world, world.durable, { again: true });
  assert.equal(all.streams[0]?.files?.records, 5);
});
