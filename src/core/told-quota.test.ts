import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { RateHeaderNames } from "../model/rate-headers.ts";
import {
  asTold,
  hearQuotas,
  judgeTold,
  readToldQuotas,
  spendTold,
  standingTold,
  type ToldQuota,
  type ToldQuotas,
  tightened,
  toldPause,
} from "./told-quota.ts";

/** 2026-01-05T12:00:20Z. */
const NOW = 1_767_614_420_000;
const HOUR_END = NOW - 20_000 + 3_600_000;

const TRESTLE: readonly RateHeaderNames[] = [
  { window: "minute", limit: "minute-quota-limit" },
  { window: "hour", limit: "hour-quota-limit", reset: "hour-quota-resettime" },
];

const READ: readonly (readonly [Record<string, string>, readonly object[]])[] = [
  [{}, []],
  [{ "x-ratelimit-reset": "30" }, []],
  [
    { "x-ratelimit-limit": "100", "x-ratelimit-remaining": "7", "x-ratelimit-reset": "30" },
    [{ name: "x-ratelimit-remaining", at: NOW, limit: 100, left: 7, resetsAt: NOW + 30_000 }],
  ],
  [
    { "x-ratelimit-remaining": "7", "x-ratelimit-reset": String((NOW + 30_000) / 1000) },
    [{ name: "x-ratelimit-remaining", at: NOW, left: 7, resetsAt: NOW + 30_000 }],
  ],
  [
    { "x-ratelimit-remaining": "7", "x-ratelimit-reset": String(NOW + 30_500) },
    [{ name: "x-ratelimit-remaining", at: NOW, left: 7, resetsAt: NOW + 30_500 }],
  ],
  [
    { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-01-05T12:01:00Z" },
    [{ name: "x-ratelimit-remaining", at: NOW, left: 0, resetsAt: NOW + 40_000 }],
  ],
  [
    // The server's clock is an hour ahead of ours.
    {
      date: "Mon, 05 Jan 2026 13:00:20 GMT",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(NOW / 1000 + 3630),
    },
    [{ name: "x-ratelimit-remaining", at: NOW, left: 0, resetsAt: NOW + 30_000 }],
  ],
  [
    // A reset in three days, in a year, or in words is none.
    { "x-ratelimit-remaining": "3", "x-ratelimit-reset": "259200" },
    [{ name: "x-ratelimit-remaining", at: NOW, left: 3 }],
  ],
  [
    { "x-ratelimit-remaining": "3", "x-ratelimit-reset": "soon" },
    [{ name: "x-ratelimit-remaining", at: NOW, left: 3 }],
  ],
  [{ "x-ratelimit-limit": "unlimited", "x-ratelimit-remaining": "-1" }, []],
  [
    {
      "minute-quota-limit": "180",
      "hour-quota-limit": "7200",
      "hour-quota-resettime": String(NOW + 5000),
    },
    [
      { name: "minute-quota-limit", at: NOW, window: "minute", limit: 180 },
      { name: "hour-quota-limit", at: NOW, window: "hour", limit: 7200, resetsAt: NOW + 5000 },
    ],
  ],
  [
    { "x-ratelimit-limit-hour": "5000", "x-ratelimit-remaining-hour": "12" },
    [{ name: "x-ratelimit-remaining-hour", at: NOW, window: "hour", limit: 5000, left: 12 }],
  ],
  [
    { ratelimit: "limit=100, remaining=50, reset=30" },
    [{ name: "ratelimit", at: NOW, limit: 100, left: 50, resetsAt: NOW + 30_000 }],
  ],
  [
    {
      ratelimit: '"day";r=50;t=30, "burst";r=2',
      "ratelimit-policy": '"day";q=100;w=86400,"burst";q=5;w=7',
    },
    [
      {
        name: "ratelimit day",
        at: NOW,
        window: "day",
        limit: 100,
        left: 50,
        resetsAt: NOW + 30_000,
      },
      { name: "ratelimit burst", at: NOW, limit: 5, left: 2 },
    ],
  ],
];

for (const [headers, expected] of READ) {
  test(`headers ${JSON.stringify(headers)}`, () => {
    assert.deepEqual(readToldQuotas(headers, TRESTLE, NOW), expected);
  });
}

const left = (told: ToldQuotas, name = "a"): number | undefined => told[name]?.left;

test("within a window what is left only falls, whatever order the answers come in", () => {
  const said = (one: number, resetsAt = HOUR_END): ToldQuota => ({
    name: "a",
    at: NOW,
    left: one,
    resetsAt,
  });
  let told = hearQuotas({}, [said(10)], {}, 3);
  assert.equal(left(told), 7, "three requests are under way that the system has not counted");
  told = spendTold(told, 2);
  assert.equal(left(hearQuotas(told, [said(9)], {}, 0)), 5, "an answer that was overtaken");
  assert.equal(left(hearQuotas(told, [said(4)], {}, 0)), 4, "others use the account too");
  assert.equal(left(hearQuotas(told, [said(100, HOUR_END + 60_000)], {}, 0)), 100, "a new window");
  assert.equal(left(hearQuotas(told, [said(100, HOUR_END - 60_000)], {}, 0)), 5, "an old window");
});

test("nothing left holds requests until the reset, and no longer", () => {
  const told = hearQuotas(
    {},
    [{ name: "a", at: NOW, left: 0, limit: 100, resetsAt: NOW + 500 }],
    {},
    0,
  );
  assert.deepEqual(judgeTold(told, NOW), {
    sendAt: NOW + 500,
    because: "the system says that its 100 requests are used up",
  });
  assert.deepEqual(judgeTold(told, NOW + 500), { sendAt: NOW + 500 });
  assert.deepEqual(standingTold(told, NOW + 500), []);
});

test("without a reset a window ends as ours do; an unknown one is taken for a minute", () => {
  const heard = [
    { name: "hourly", at: NOW, window: "hour", left: 0 },
    { name: "some", at: NOW, left: 0 },
  ] as const;
  const told = hearQuotas({}, heard, {}, 0);
  assert.deepEqual([told["hourly"]?.resetsAt, told["some"]?.resetsAt], [HOUR_END, NOW + 40_000]);
});

test("a limit and a reset without what is left are counted down from here", () => {
  const heard = { name: "a", at: NOW, window: "hour", limit: 10, resetsAt: NOW + 600_000 } as const;
  const use = { hour: { start: NOW - 20_000, requests: 4, bytes: 0 } };
  let told = hearQuotas({}, [heard], use, 0);
  assert.equal(left(told), 6);
  told = hearQuotas(spendTold(told, 6), [heard], use, 0);
  assert.equal(judgeTold(told, NOW).sendAt, NOW + 600_000, "held until the vendor's own reset");
});

test("what a system says lowers a limit and never raises one", () => {
  const limits = { requests: { hour: 5000, second: 2 }, bytes: { day: 9 } };
  const said = (limit: number): ToldQuotas => ({
    a: { name: "a", at: NOW, window: "hour", limit },
  });
  assert.deepEqual(tightened(limits, said(100), NOW).requests, { hour: 100, second: 2 });
  assert.deepEqual(tightened(limits, said(9999), NOW), limits);
  assert.deepEqual(tightened(limits, said(100), NOW + 2 * 86_400_000), limits, "long ago");
});

test("what is left by the system's word counts as used here, never less than what was used", () => {
  const limits = { requests: { hour: 100 }, bytes: {} };
  const use = { hour: { start: NOW - 20_000, requests: 30, bytes: 5 } };
  const said = (rest: number): ToldQuotas => ({
    a: { name: "a", at: NOW, window: "hour", left: rest, resetsAt: HOUR_END },
  });
  assert.equal(asTold(use, said(10), limits, NOW).hour?.requests, 90);
  assert.equal(asTold(use, said(95), limits, NOW).hour?.requests, 30);
  assert.deepEqual(asTold(use, said(10), limits, HOUR_END), use, "long reset");
});

test("a wish to wait holds for a minute at most", () => {
  const told = hearQuotas({}, [toldPause(3_600_000, NOW)], {}, 0);
  assert.deepEqual(judgeTold(told, NOW), {
    sendAt: NOW + 60_000,
    because: "the system asked to wait",
  });
});

test("no answer ever lets more through than one of the answers before it, in one window", () => {
  const step = fc.record({ left: fc.nat(50), underWay: fc.nat(5), spent: fc.nat(5) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1 }), (steps) => {
      let told: ToldQuotas = {};
      let least = Number.POSITIVE_INFINITY;
      for (const { left: said, underWay, spent } of steps) {
        told = hearQuotas(
          told,
          [{ name: "a", at: NOW, left: said, resetsAt: HOUR_END }],
          {},
          underWay,
        );
        least = Math.max(0, Math.min(least, said - underWay));
        assert.equal(left(told), least);
        told = spendTold(told, spent);
        least = Math.max(0, least - spent);
      }
    }),
  );
});
