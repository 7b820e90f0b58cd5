import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatBytes,
  formatCount,
  formatRate,
  formatShare,
  groupDigits,
  plural,
} from "./numbers.ts";
import { cleanText, clip, createStyle, visibleWidth } from "./style.ts";
import { table } from "./table.ts";
import { createTimes, formatAge, formatDuration, sourceTimeMs } from "./times.ts";
import { clipApart } from "./values.ts";

test("durations for people", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0 ms"],
    [999.4, "999 ms"],
    [1_000, "1 s"],
    [4_240, "4.2 s"],
    [9_940, "9.9 s"],
    [9_951, "10 s"],
    [59_600, "1 min"],
    [123_000, "2 min 3 s"],
    [3_600_000, "1 h"],
    [3_840_000, "1 h 4 min"],
    [266_400_000, "3 d 2 h"],
  ];
  for (const [ms, expected] of cases) assert.equal(formatDuration(ms), expected, String(ms));
});

test("ages for people", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "just now"],
    [4_999, "just now"],
    [5_000, "5 s ago"],
    [179_999, "2 min ago"],
    [7_200_000, "2 h ago"],
    [86_400_000, "1 d ago"],
    [-300_000, "in 5 min"],
  ];
  for (const [ms, expected] of cases)
    assert.equal(formatAge(1e12 - ms, 1e12), expected, String(ms));
});

test("times stand in the zone of the user, daylight saving included", () => {
  const denver = createTimes("America/Denver");
  assert.equal(denver.full(Date.parse("2026-07-01T00:00:00Z")), "2026-06-30 18:00:00");
  assert.equal(denver.full(Date.parse("2026-12-01T00:00:00Z")), "2026-11-30 17:00:00");
  const now = Date.parse("2026-12-01T12:00:00Z");
  assert.equal(denver.clock(now + 60_000, now), "05:01:00");
  assert.equal(denver.clock(now + 86_400_000, now), "2026-12-02 05:00:00");
});

test("a source's timestamp with more digits than a clock has still has an age", () => {
  assert.equal(
    sourceTimeMs("2026-11-21T10:00:00.1234567Z"),
    Date.parse("2026-11-21T10:00:00.123Z"),
  );
  assert.equal(sourceTimeMs("soon"), undefined);
});

test("numbers for people", () => {
  assert.equal(formatCount(1_731_072), "1,731,072");
  assert.equal(formatCount(16.154), "16.15");
  assert.equal(groupDigits("-12345678901234567890.10"), "-12,345,678,901,234,567,890.10");
  assert.equal(groupDigits("12a"), "12a");
  assert.equal(plural(1, "retry", "retries"), "1 retry");
  assert.equal(plural(0, "retry", "retries"), "0 retries");
  assert.equal(formatShare(0.9231), "92.3%");
  assert.equal(formatRate(0.44), "0.4/s");
  assert.equal(formatRate(3_209.6), "3,210/s");
  const bytes: readonly (readonly [number, string])[] = [
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [12_345_678, "12.3 MB"],
    [999_600, "1.0 MB"],
    [123_456_789, "123 MB"],
  ];
  for (const [count, expected] of bytes) assert.equal(formatBytes(count), expected);
});

test("foreign text cannot steer the terminal, and is cut by what is seen", () => {
  assert.equal(cleanText("a\u001b[2Jb\tc\nd\u202ee"), "a�[2Jb c⏎d�e");
  const { red } = createStyle(true);
  assert.equal(visibleWidth(red("abc")), 3);
  assert.equal(clip(red("abc"), 3), red("abc"));
  assert.equal(clip(red("abcd"), 3), "ab…");
  assert.equal(createStyle(false).red("abc"), "abc");
});

test("long texts that are read beside one another show where they part", () => {
  const alike = "x".repeat(60);
  const cases: readonly (readonly [string[], string[]])[] = [
    [
      ["ab", `${alike}a`],
      ["ab", "xxxxxxxxxxxxxxxxxxx…"],
    ],
    [
      [`${alike}a`, `${alike}bc`],
      ["…xxxxxxxxxxa", "…xxxxxxxxxxbc"],
    ],
    [
      [alike, `${alike}z`],
      ["…xxxxxxxxxx", "…xxxxxxxxxxz"],
    ],
    [
      [`${alike}a`, `${alike}a`],
      ["xxxxxxxxxxxxxxxxxxx…", "xxxxxxxxxxxxxxxxxxx…"],
    ],
    [
      [`a${alike}`, `b${alike}`],
      ["axxxxxxxxxxxxxxxxxx…", "bxxxxxxxxxxxxxxxxxx…"],
    ],
  ];
  for (const [texts, shown] of cases) assert.deepEqual(clipApart(texts, 20), shown);
  assert.deepEqual(clipApart(["Plate, large", "99"], 8), ["Plate, …", "99"]);
});

test("a table without rows has no header", () => {
  assert.deepEqual(table([{ title: "a" }], [], createStyle(false)), []);
});
