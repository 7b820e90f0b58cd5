import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bookUse, judgeQuota, type QuotaUse } from "./quota.ts";

const limits = { requests: { second: 2, minute: 5 }, bytes: { hour: 1000 } };

test("a request is let through while every window has room", () => {
  assert.deepEqual(judgeQuota({}, limits, 0), { sendAt: 0 });
});

test("the window that ends last decides, and says why", () => {
  let use: QuotaUse = {};
  for (const at of [0, 0, 1000, 1000, 2000]) use = bookUse(use, at, 1, 1);
  assert.deepEqual(judgeQuota(use, limits, 2100), {
    sendAt: 60_000,
    because: "5 requests a minute are used up",
  });
});

test("bytes close a window as requests do", () => {
  const use = bookUse({}, 10, 1, 1000);
  assert.deepEqual(judgeQuota(use, limits, 20), {
    sendAt: 3_600_000,
    because: "1000 bytes an hour are used up",
  });
});

test("a clock set back does not open a used window again", () => {
  const use = bookUse({}, 120_000, 5, 0);
  assert.equal(judgeQuota(use, limits, 30_000).sendAt, 180_000);
});

test("whoever waits as told never overruns a limit", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(700), { minLength: 1, maxLength: 200 }), (gaps) => {
      let now = 0;
      let use: QuotaUse = {};
      const sent: number[] = [];
      for (const gap of gaps) {
        now += gap;
        now = judgeQuota(use, limits, now).sendAt;
        use = bookUse(use, now, 1, 0);
        sent.push(now);
      }
      for (const at of sent) {
        const within = (ms: number): number =>
          sent.filter((other) => Math.floor(other / ms) === Math.floor(at / ms)).length;
        assert.ok(within(1000) <= 2);
        assert.ok(within(60_000) <= 5);
      }
    }),
  );
});
