import { bookUse, judgeQuota, QUOTA_NOTE, type QuotaLimits, type QuotaUse } from "../core/quota.ts";
import {
  hearQuotas,
  judgeTold,
  readToldQuotas,
  spendTold,
  TOLD_NOTE,
  type ToldQuotas,
  tightened,
  toldPause,
} from "../core/told-quota.ts";
import type { RateHeaderNames } from "../model/rate-headers.ts";
import { retryAfterMs } from "../model/retry-after.ts";
import type { HttpResponse, HttpTransport } from "../ports/http.ts";
import type { Clock, Memory } from "../ports/runtime.ts";

export interface LimitOptions {
  readonly limits: QuotaLimits;
  readonly clock: Clock;
  /** Keeps what was used across restarts. */
  readonly memory: Memory;
  /** Headers in which the vendor tells of its limits, beside the usual ones. */
  readonly rateHeaders?: readonly RateHeaderNames[];
  /** A wait always says for what and until when. */
  readonly onWait: (wait: { readonly reason: string; readonly untilMs: number }) => void;
}

/** So many requests are booked in the home before they are sent; a crash can only overcount. */
const RESERVED = 10;

/**
 * Keeps a transport under a vendor's quotas. Own requests and bytes are counted, since most vendors
 * tell nothing, and the counters outlive the process. Where the answers do tell, in headers or by
 * 429, what they say makes the limits tighter, never looser.
 */
export function limitHttp(
  transport: HttpTransport,
  { limits, clock, memory, rateHeaders = [], onWait }: LimitOptions,
): HttpTransport {
  let use: QuotaUse | undefined;
  let told: ToldQuotas = {};
  let unsaved = RESERVED;
  let underWay = 0;
  let turn: Promise<unknown> = Promise.resolve();

  async function recall(): Promise<QuotaUse> {
    const recalled = JSON.parse((await memory.recall(QUOTA_NOTE)) ?? "{}") as QuotaUse;
    told = JSON.parse((await memory.recall(TOLD_NOTE)) ?? "{}") as ToldQuotas;
    return recalled;
  }

  async function save(held: QuotaUse, reserved: number): Promise<void> {
    unsaved = 0;
    await memory.remember(QUOTA_NOTE, JSON.stringify(bookUse(held, clock.now(), reserved, 0)));
    if (Object.keys(told).length === 0) return;
    await memory.remember(TOLD_NOTE, JSON.stringify(spendTold(told, reserved)));
  }

  async function reserve(signal: AbortSignal): Promise<void> {
    use ??= await recall();
    for (;;) {
      const now = clock.now();
      const own = judgeQuota(use, tightened(limits, told, now), now);
      const vendor = judgeTold(told, now);
      const { sendAt, because } = vendor.sendAt > own.sendAt ? vendor : own;
      if (sendAt <= now) break;
      onWait({ reason: because ?? "the request budget", untilMs: sendAt });
      await clock.sleep(sendAt - now, signal);
    }
    use = bookUse(use, clock.now(), 1, 0);
    told = spendTold(told, 1);
    unsaved += 1;
    if (unsaved >= RESERVED) await save(use, RESERVED);
  }

  /** A window used up is noted at once: a restarted process must not try it again. */
  async function hear({ status, headers, bytes }: HttpResponse): Promise<void> {
    const now = clock.now();
    use = bookUse(use ?? {}, now, 0, bytes);
    const heard = [...readToldQuotas(headers, rateHeaders, now)];
    const wait = status === 429 ? retryAfterMs(headers, now) : undefined;
    if (wait !== undefined) heard.push(toldPause(wait, now));
    const wasHeld = judgeTold(told, now).sendAt > now;
    told = hearQuotas(told, heard, use, underWay);
    if (!wasHeld && judgeTold(told, now).sendAt > now) await save(use, 0);
  }

  return {
    async send(request, signal) {
      // One at a time through the gate: two requests must not take the same last place.
      const gate = turn.then(() => reserve(signal));
      turn = gate.catch(() => undefined);
      await gate;
      underWay += 1;
      const response = await transport.send(request, signal).finally(() => {
        underWay -= 1;
      });
      await hear(response);
      return response;
    },
    async close() {
      if (use !== undefined) await save(use, 0);
      await transport.close();
    },
  };
}
