import assert from "node:assert/strict";
import { test } from "node:test";
import { hash32 } from "./hash.ts";
import { SlotIndex } from "./slot-index.ts";

test("inserting and removing keeps the order, as sorting does", () => {
  const values = Array.from({ length: 300 }, (_, slot) => hash32(1, slot, 0) % 40);
  const compare = (a: number, b: number): number =>
    (values[a] as number) - (values[b] as number) || a - b;
  const index = new SlotIndex(new Uint32Array(), compare);
  const present = new Set<number>();
  for (let step = 0; step < 2_000; step += 1) {
    const slot = hash32(2, step, 0) % 300;
    if (present.delete(slot)) {
      index.remove(slot);
    } else {
      present.add(slot);
      index.insert(slot);
    }
  }
  const slots = Array.from({ length: index.length }, (_, position) => index.at(position));
  assert.deepEqual(slots, [...present].sort(compare));
  assert.equal(
    index.partition((slot) => (values[slot] as number) < 20),
    slots.filter((slot) => (values[slot] as number) < 20).length,
  );
});

test("a row that was changed before it was taken out is noticed", () => {
  const values = [1, 2, 3];
  const compare = (a: number, b: number): number => (values[a] as number) - (values[b] as number);
  const index = new SlotIndex(Uint32Array.of(0, 1, 2), compare);
  values[0] = 9;
  assert.throws(() => index.remove(0), /not in the index/);
});
