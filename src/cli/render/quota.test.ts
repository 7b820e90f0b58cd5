import assert from "node:assert/strict";
import { test } from "node:test";
import type { QuotaReport } from "../../engine/upkeep-results.ts";
import { createLook } from "./look.ts";
import { quotaLines } from "./quota.ts";

const NOW = Date.parse("2026-11-21T14:03:20Z");
const HOUR_END = Date.parse("2026-11-21T15:00:00Z");

test("quota shows what is left, window by window, and a system that is left alone", () => {
  const report: QuotaReport = {
    at: NOW,
    systems: [
      {
        system: "mls",
        closedUntil: NOW + 60_000,
        concurrency: { limit: 2, max: 4, since: NOW - 60_000 },
        told: [
          { name: "a", window: "hour", limit: 7200, left: 12, resetsAt: HOUR_END, at: NOW },
          { name: "b", window: "minute", limit: 180, at: NOW },
          { name: "c", left: 3, resetsAt: NOW + 5000, at: NOW },
        ],
        windows: [
          { window: "second", of: "requests", limit: 1, used: 1, left: 0, endsAt: NOW + 1000 },
          { window: "hour", of: "requests", limit: 7000, used: 588, left: 6412, endsAt: HOUR_END },
          {
            window: "hour",
            of: "bytes",
            limit: 3.9e9,
            used: 2.3e8,
            left: 3.67e9,
            endsAt: HOUR_END,
          },
        ],
      },
      { system: "crm", windows: [], told: [] },
    ],
  };
  const look = createLook({ isColoured: false, timeZone: "UTC", now: NOW, columns: 120 });
  assert.deepEqual(quotaLines(report, look), [
    "mls",
    "  It answered 429 again and again; nothing is sent until 14:04:20.",
    "  It was overloaded: 2 of 4 requests at a time since 14:02:20.",
    "window  of          left    used   limit  ends",
    "second  requests       0       1       1  14:03:21",
    "hour    requests   6,412     588   7,000  15:00:00",
    "hour    bytes     3.7 GB  230 MB  3.9 GB  15:00:00",
    "  the system said at 14:03:20: 12 left of 7,200 an hour until 15:00:00",
    "  the system said at 14:03:20: a limit of 180 a minute",
    "  the system said at 14:03:20: 3 left until 14:03:25",
    "",
    "crm",
    "  no limit is known or configured",
  ]);
});
