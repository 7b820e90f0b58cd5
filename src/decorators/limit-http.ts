import { bookUse, judgeQuota, QUOTA_NOTE, type QuotaLimits, type QuotaUse } from "../core/quota.ts";
import type { HttpTransport } from "../ports/http.ts";
import type { Clock, Memory } from "../ports/runtime.ts";

export interface LimitOptions {
  readonly limits: QuotaLimits;
  readonly clock: Clock;
  /** Keeps what was used across restarts. */
  readonly memory: Memory;
  /** A wait always says for what and until when. */
  readonly onWait: (wait: { readonly reason: string; readonly untilMs: number }) => void;
}

/** So many requests are booked in the home before they are sent; a crash can only overcount. */
const RESERVED = 10;

/**
 * Keeps a transport under a vendor's quotas. Own requests and bytes are counted, since most vendors
 * tell nothing, and the counters outlive the process.
 */
export function limitHttp(
  transport: HttpTransport,
  { limits, clock, memory, onWait }: LimitOptions,
): HttpTransport {
  let use: QuotaUse | undefined;
  let unsaved = RESERVED;
  let turn: Promise<unknown> = Promise.resolve();

  async function reserve(signal: AbortSignal): Promise<void> {
    use ??= JSON.parse((await memory.recall(QUOTA_NOTE)) ?? "{}") as QuotaUse;
    for (;;) {
      const now = clock.now();
      const { sendAt, because } = judgeQuota(use, limits, now);
      if (sendAt <= now) break;
      onWait({ reason: because ?? "the request budget", untilMs: sendAt });
      await clock.sleep(sendAt - now, signal);
    }
    use = bookUse(use, clock.now(), 1, 0);
    unsaved += 1;
    if (unsaved < RESERVED) return;
    unsaved = 0;
    await memory.remember(QUOTA_NOTE, JSON.stringify(bookUse(use, clock.now(), RESERVED, 0)));
  }

  return {
    async send(request, signal) {
      // One at a time through the gate: two requests must not take the same last place.
      const gate = turn.then(() => reserve(signal));
      turn = gate.catch(() => undefined);
      await gate;
      const response = await transport.send(request, signal);
      use = bookUse(use ?? {}, clock.now(), 0, response.bytes);
      return response;
    },
    async close() {
      if (use !== undefined) await memory.remember(QUOTA_NOTE, JSON.stringify(use));
      await transport.close();
    },
  };
}
