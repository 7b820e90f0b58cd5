import assert from "node:assert/strict";
import test from "node:test";
import { nearMatches } from "./near-match.ts";

test("near names are found, the nearest first, and none where none is near", () => {
  const known = ["ListPrice", "ListingId", "OriginalListPrice", "City"];
  assert.deepEqual(nearMatches("ListPrise", known)[0], "ListPrice");
  assert.deepEqual(nearMatches("listprice", known)[0], "ListPrice");
  assert.deepEqual(nearMatches("PropertyCity", known), ["City"]);
  assert.deepEqual(nearMatches("Zebra", known), []);
});
