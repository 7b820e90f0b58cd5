import { createUndiciTransport } from "../connectors/http/undici-transport.ts";
import type { OdataClient } from "../connectors/odata/client.ts";
import type { BudgetConfig } from "../connectors/odata/config.ts";
import { limitHttp } from "../decorators/limit-http.ts";
import { type RetryOptions, retried, retryPolicy } from "../decorators/retry-effort.ts";
import { createSystemClock, createSystemRandom } from "../drivers/system-runtime.ts";
import type { HttpTransport } from "../ports/http.ts";
import type { Clock, Memory } from "../ports/runtime.ts";
import type { ResoClientOptions } from "./options.ts";

/** Everything beneath the client's requests. */
export interface Wire {
  readonly http: HttpTransport;
  readonly clock: Clock;
  readonly retry: RetryOptions;
}

export function createWire(options: ResoClientOptions, budget: BudgetConfig): Wire {
  const { timeoutMs, onWait } = options;
  const clock = options.clock ?? createSystemClock();
  const tell = (reason: string, waitMs: number, untilMs: number): void =>
    onWait?.({ reason, waitMs, untilMs });
  const transport =
    options.http ?? createUndiciTransport(timeoutMs === undefined ? {} : { timeoutMs });
  return {
    http: limitHttp(transport, {
      limits: limitsOf(budget),
      clock,
      memory: createMemory(),
      onWait: ({ reason, untilMs }) => tell(reason, untilMs - clock.now(), untilMs),
    }),
    clock,
    retry: {
      clock,
      random: options.random ?? createSystemRandom(),
      policy: retryPolicy(options.retry),
      onWait: ({ reason, waitMs, untilMs }) => tell(reason, waitMs, untilMs),
    },
  };
}

/** The same client, each request of which is tried again after trouble that may pass. */
export function retryingClient(client: OdataClient, retry: RetryOptions): OdataClient {
  return {
    ...client,
    json: (url, purpose, signal) =>
      retried(retry, purpose, signal, () => client.json(url, purpose, signal)),
    text: (url, accept, purpose, signal) =>
      retried(retry, purpose, signal, () => client.text(url, accept, purpose, signal)),
  };
}

/** Notes that live as long as the client. */
export function createMemory(): Memory {
  const notes = new Map<string, string>();
  return {
    recall: async (key) => notes.get(key),
    remember: async (key, value) => void notes.set(key, value),
  };
}

type Limits = Parameters<typeof limitHttp>[1]["limits"];

function limitsOf(budget: BudgetConfig): Limits {
  const { perSecond, perMinute, perHour, perDay } = budget;
  const { bytesPerMinute, bytesPerHour, bytesPerDay } = budget;
  return {
    requests: given({ second: perSecond, minute: perMinute, hour: perHour, day: perDay }),
    bytes: given({ minute: bytesPerMinute, hour: bytesPerHour, day: bytesPerDay }),
  };
}

function given(limits: Readonly<Record<string, number | undefined>>): Limits["requests"] {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}
