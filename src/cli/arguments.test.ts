import assert from "node:assert/strict";
import { test } from "node:test";
import { runReport, streamReport } from "../../test/support/cli-results.ts";
import { collectNames, pointInTime, transition, wholeNumber } from "./arguments.ts";
import { exitOfRuns, worstExit } from "./exit-codes.ts";

const NOW = Date.parse("2026-11-21T21:03:20Z");

test("a point in time is a duration back, a local date, or a timestamp", () => {
  assert.equal(pointInTime("--since", "1d", NOW), NOW - 86_400_000);
  assert.equal(pointInTime("--since", "2026-11-01", NOW), new Date(2026, 10, 1).getTime());
  assert.equal(
    pointInTime("--since", "2026-11-01T08:30", NOW),
    new Date(2026, 10, 1, 8, 30).getTime(),
  );
  assert.equal(
    pointInTime("--since", "2026-11-01T08:30:00Z", NOW),
    Date.parse("2026-11-01T08:30:00Z"),
  );
  for (const text of ["", "1", "2026-13-01", "01.11.2026", "-1d", "2026"]) {
    assert.throws(() => pointInTime("--since", text, NOW), { code: "USAGE" }, text);
  }
});

test("either side of a transition may be left open, not both", () => {
  assert.deepEqual(transition("Active: Pending"), { before: "Active", after: "Pending" });
  assert.deepEqual(transition(":Closed"), { after: "Closed" });
  assert.deepEqual(transition("Active:"), { before: "Active" });
  for (const text of [":", "Active", "a:b:c"])
    assert.throws(() => transition(text), { code: "USAGE" });
});

test("names may be repeated or parted by commas", () => {
  assert.deepEqual(collectNames("Media, OpenHouse,", ["Property"]), [
    "Property",
    "Media",
    "OpenHouse",
  ]);
});

test("whole numbers are whole", () => {
  assert.equal(wholeNumber("--limit", 0)("0"), 0);
  for (const text of ["-1", "1.5", "1e3", "", "0x1", "99999999999999999999"]) {
    assert.throws(() => wholeNumber("--limit", 0)(text), { code: "USAGE" }, text);
  }
});

test("exit codes: a failure that is all configuration is 2, any other is 1, a halt is 3", () => {
  const failing = (...codes: readonly string[]): Parameters<typeof exitOfRuns>[1] => [
    runReport({
      outcome: "failed",
      streams: codes.map((code) =>
        streamReport("Property", { phase: "failed", error: { code, message: "x" } }),
      ),
    }),
  ];
  assert.equal(exitOfRuns("failed", failing("FIELD_UNKNOWN", "STREAM_UNKNOWN")), 2);
  assert.equal(exitOfRuns("failed", failing("FIELD_UNKNOWN", "CONNECTOR_TIMEOUT")), 1);
  assert.equal(exitOfRuns("failed", failing("CONNECTOR_UNAUTHORIZED")), 3);
  assert.equal(exitOfRuns("failed", []), 1);
  assert.deepEqual(
    (["done", "partial", "halted", "stopped"] as const).map((outcome) => exitOfRuns(outcome, [])),
    [0, 4, 3, 130],
  );
  assert.equal(worstExit([0, 4, 3]), 3);
  assert.equal(worstExit([3, 1, 2]), 1);
  assert.equal(worstExit([]), 0);
});
