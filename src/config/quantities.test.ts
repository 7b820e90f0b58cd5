import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration, parseShare } from "./quantities.ts";

test("durations", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["250ms", 250],
    ["30s", 30_000],
    ["10m", 600_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["7d", 604_800_000],
    ["2w", 1_209_600_000],
    ["0s", 0],
    ["", undefined],
    ["10", undefined],
    ["10 m", undefined],
    ["-1s", undefined],
    ["1y", undefined],
  ];
  for (const [text, expected] of cases) assert.equal(parseDuration(text), expected, text);
});

test("shares", () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ["10%", 0.1],
    ["0.1%", 0.001],
    ["100%", 1],
    ["0%", 0],
    ["101%", undefined],
    ["10", undefined],
    ["-1%", undefined],
  ];
  for (const [text, expected] of cases) assert.equal(parseShare(text), expected, text);
});
