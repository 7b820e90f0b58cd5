import assert from "node:assert/strict";
import { test } from "node:test";
import { isWholeReadingDue } from "./whole-reading.ts";

const DAY = 86_400_000;

for (const [name, lastAt, refreshMs, now, due] of [
  ["never read whole", undefined, DAY, 10 * DAY, true],
  ["just read", 10 * DAY, DAY, 10 * DAY, false],
  ["a moment too young", 9 * DAY + 1, DAY, 10 * DAY, false],
  ["exactly as old as it may be", 9 * DAY, DAY, 10 * DAY, true],
  ["older", 2 * DAY, DAY, 10 * DAY, true],
  ["a clock that was put back", 11 * DAY, DAY, 10 * DAY, true],
  ["no limit", 0, undefined, 10 * DAY, false],
  ["no limit, never read whole", undefined, undefined, 10 * DAY, false],
  ["at every run", 10 * DAY, 0, 10 * DAY, true],
] as const) {
  test(`a whole reading: ${name}`, () => {
    assert.equal(isWholeReadingDue(lastAt, refreshMs, now), due);
  });
}
