import assert from "node:assert/strict";
import { test } from "node:test";
import type { SidesVerifyJson } from "../json.ts";
import { createLook } from "./look.ts";
import { sidesVerifyLines } from "./sides-verify.ts";

const look = createLook({ isColoured: false, timeZone: "UTC", now: 0, columns: 120 });

const verified = (read: number): SidesVerifyJson => ({
  sync: "items",
  records: 1_000_000,
  compared: 1_000_000,
  isEqual: true,
  halts: [],
  sides: ["shop", "stock"].map((side) => ({
    side,
    compared: 1_000_000,
    read,
    missing: 0,
    unreadable: 0,
    fields: {},
    lossy: {},
    samples: [],
  })),
});

test("verify says how many records it compared by digest, and how many by reading", () => {
  const [first, , titles, row] = sidesVerifyLines(verified(6), look);
  assert.equal(
    first,
    "Equal: every side of items has what is agreed (every record, 2 sides, 1,999,988 by digest and 12 by reading).",
  );
  assert.match(String(titles), /compared +of them read +missing/);
  assert.match(String(row), /shop +1,000,000 +6 +0/);
});

test("where every record was read nothing is said of digests", () => {
  const lines = sidesVerifyLines(verified(1_000_000), look).join("\n");
  assert.doesNotMatch(lines, /digest|of them read/);
});
