import assert from "node:assert/strict";
import { test } from "node:test";
import { inPlaces, nextPlaces, placesOf } from "./field-places.ts";

const field = (name: string) => ({ name, type: { kind: "decimal" as const }, compare: {} });

test("fields keep their places in any order, new ones come last, and a place is given once", () => {
  const first = nextPlaces([], ["sku", "price", "qty"]);
  assert.deepEqual(first, ["sku", "price", "qty"]);
  assert.deepEqual(nextPlaces(first, ["qty", "sku", "price"]), first);
  assert.deepEqual(nextPlaces(first, ["sku", "name", "price", "qty"]), [...first, "name"]);
  const without = nextPlaces(first, ["sku", "qty"]);
  assert.deepEqual(without, ["sku", null, "qty"]);
  assert.deepEqual(nextPlaces(without, ["sku", "price", "qty"]), ["sku", null, "qty", "price"]);
});

test("a place that was left holds a field that is none", () => {
  const fields = inPlaces(["sku", null, "qty"], [field("qty"), field("sku")]);
  assert.deepEqual([fields[0], fields[2]], [field("sku"), field("qty")]);
  assert.equal(fields[1]?.isLeft, true);
  assert.deepEqual(placesOf(fields), ["sku", null, "qty"]);
});
