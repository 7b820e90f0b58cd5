import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { costOf } from "./plan-cost.ts";
import { bookUse, judgeQuota, type QuotaLimits, type QuotaUse, WINDOW_MS } from "./quota.ts";

/** 2026-01-05T12:00:00Z. */
const NOON = 1_767_614_400_000;
const HOUR = WINDOW_MS.hour;

const limit = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined });
const windows = fc
  .record({ second: limit, minute: limit, hour: limit, day: limit })
  .map((given) =>
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  );
const offset = fc
  .constantFrom(0, 1, 59_999, 3_599_000, 86_399_999)
  .chain((late) => fc.nat(1000).map((more) => late + more));

/** Sends as the transport's limiter does, and gives when the last one went. */
function sendAll(amount: number, limits: QuotaLimits, use: QuotaUse, from: number): number {
  let now = from;
  let state = use;
  for (let sent = 0; sent < amount; sent += 1) {
    for (;;) {
      const { sendAt } = judgeQuota(state, limits, now);
      if (sendAt <= now) break;
      now = sendAt;
    }
    state = bookUse(state, now, 1, 0);
  }
  return now;
}

test("the end is when the limiter itself would send the last request", () => {
  const before = fc.nat(15);
  fc.assert(
    fc.property(windows, fc.nat(60), before, offset, (requests, amount, spent, late) => {
      const now = NOON + late;
      const limits = { requests, bytes: {} };
      const use = spent === 0 ? {} : bookUse({}, now, spent, 0);
      const { endsAt } = costOf({ requests: amount }, limits, use, now);
      assert.equal(endsAt, sendAll(amount, limits, use, now));
    }),
    { numRuns: 500 },
  );
});

test("more to send never ends earlier, nor earlier than any limit alone lets it", () => {
  fc.assert(
    fc.property(
      windows,
      windows,
      fc.nat(500),
      fc.nat(500),
      offset,
      (requests, bytes, a, b, late) => {
        const now = NOON + late;
        const limits = { requests, bytes };
        const less = costOf({ requests: Math.min(a, b), bytes: a }, limits, {}, now);
        const more = costOf({ requests: Math.max(a, b), bytes: a + b }, limits, {}, now);
        assert.ok(less.endsAt <= more.endsAt);
        for (const window of more.windows) assert.ok(window.endsAt <= more.endsAt);
        assert.equal(
          more.bottleneck === undefined,
          more.windows.every(({ endsAt }) => endsAt === now),
        );
      },
    ),
  );
});

test("a full copy of WFRMLS against its profile's budget", () => {
  const limits = { requests: { second: 5, minute: 90, hour: 5000, day: 45_000 }, bytes: {} };
  const use = bookUse({}, NOON, 20, 0);
  const cost = costOf({ requests: 8660, bytes: 2e9 }, limits, use, NOON);
  assert.deepEqual(
    cost.windows.map(({ window, left, endsAt }) => [window, left, endsAt - NOON]),
    [
      ["second", 0, 1732 * 1000],
      ["minute", 70, 96 * 60_000],
      ["hour", 4980, HOUR],
      ["day", 44_980, 0],
    ],
  );
  assert.deepEqual(cost.bottleneck, { window: "minute", of: "requests" });
  assert.ok(cost.fitsToday);
  const tooMuch = costOf({ requests: 46_000 }, limits, use, NOON);
  assert.ok(!tooMuch.fitsToday);
});

test("bytes bind by themselves, and nothing binds where nothing is limited", () => {
  const limits = { requests: {}, bytes: { hour: 1000 } };
  const cost = costOf({ requests: 5, bytes: 2500 }, limits, {}, NOON);
  assert.deepEqual(cost.bottleneck, { window: "hour", of: "bytes" });
  assert.equal(cost.endsAt, NOON + 2 * HOUR);
  assert.deepEqual(costOf({ requests: 5 }, limits, {}, NOON), {
    windows: [],
    endsAt: NOON,
    fitsToday: true,
  });
});
