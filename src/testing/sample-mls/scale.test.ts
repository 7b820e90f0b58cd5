import assert from "node:assert/strict";
import { test } from "node:test";
import { startSampleMls } from "./index.ts";
import { getPage } from "./test-client.ts";

test("a million listings are walked without being held", async () => {
  const cacheBytes = 8 * 1024 * 1024;
  const heapBefore = process.memoryUsage().heapUsed;
  const mls = await startSampleMls({ listings: 1_000_000, cacheBytes });
  try {
    const order = "$orderby=ModificationTimestamp,ListingKeyNumeric";
    let filter = "";
    const seen = new Set<unknown>();
    for (let page = 0; page < 50; page += 1) {
      const { rows } = await getPage(
        mls,
        `/Property?$select=ListingKeyNumeric,ModificationTimestamp&${order}${filter}`,
      );
      for (const row of rows) {
        seen.add(row["ListingKeyNumeric"]);
      }
      const { ModificationTimestamp: time, ListingKeyNumeric: key } = rows.at(-1) ?? {};
      filter = `&$filter=(ModificationTimestamp gt ${time} or (ModificationTimestamp eq ${time} and ListingKeyNumeric gt ${key}))`;
    }
    assert.equal(seen.size, 10_000);
    const deep = await getPage(mls, "/Property?$skip=999900&$count=true");
    assert.deepEqual([deep.rows.length, deep.count], [100, 1_000_000]);
    const byKey = await getPage(mls, "/Property?$orderby=ListingKeyNumeric desc&$top=1");
    const last = Number(byKey.rows[0]?.["ListingKeyNumeric"]);
    assert.ok(mls.control.add() > last);
    assert.equal(mls.count("Property"), 1_000_001);
    const grown = process.memoryUsage().heapUsed - heapBefore;
    assert.ok(grown < 400 * 1024 * 1024, `the heap grew by ${grown} bytes`);
  } finally {
    await mls.close();
  }
});
