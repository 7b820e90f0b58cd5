import type { SystemConfig } from "./config/resolve-config.ts";
import type { Budget, ConnectorEntry } from "./connectors/registry.ts";
import type { Concurrency } from "./core/concurrency.ts";
import { type QuotaLimits, type QuotaWindow, quotaMemory } from "./core/quota.ts";
import { adaptHttp } from "./decorators/adapt-http.ts";
import { circuitHttp } from "./decorators/circuit-http.ts";
import { limitHttp } from "./decorators/limit-http.ts";
import type { Meter } from "./decorators/meter.ts";
import type { AskedHttp } from "./executors/worker-threads/asked-http.ts";
import { createLentHttp } from "./executors/worker-threads/lent-http.ts";
import type { PassRequest } from "./executors/worker-threads/tickets.ts";
import type { EmitEvent } from "./model/events.ts";
import type { ConcurrencyUse } from "./model/run.ts";
import type { Home } from "./ports/home.ts";
import type { HttpTransport } from "./ports/http.ts";
import type { Clock } from "./ports/runtime.ts";

export interface TransportParts {
  readonly meter: Meter;
  readonly tell: EmitEvent;
  readonly clock: Clock;
  readonly home: Home;
  /** In a worker: the limits stand in the main thread, and it is asked before each request. */
  readonly asked?: AskedHttp | undefined;
}

/** A system's transport, and how many requests at a time it has come to. */
export interface SystemTransport {
  readonly http: HttpTransport;
  readonly concurrency: () => ConcurrencyUse | undefined;
  /** Passes the request of a worker through the same limits. */
  readonly pass: PassRequest;
}

/** Requests at a time to a system whose connector does not say. */
const CONCURRENCY = 4;

/**
 * The HTTP of one system, which all its streams share: as many requests at a time as it bears, none
 * while the circuit is open, none beyond its quotas, all of them counted. Part of the composition
 * root. The HTTP library is large: commands that need only the home do not load it.
 */
export async function createTransport(
  system: SystemConfig,
  entry: ConnectorEntry,
  { meter, tell, clock, home, asked }: TransportParts,
): Promise<SystemTransport> {
  const { createUndiciTransport } = await import("./connectors/http/undici-transport.ts");
  const needs = entry.http?.(system.settings) ?? {};
  const { budget = {}, concurrency: max = CONCURRENCY, rateHeaders = [], timeoutMs } = needs;
  const memory = home.memory(quotaMemory(system.name));
  const undici = createUndiciTransport(timeoutMs === undefined ? {} : { timeoutMs });
  const lent = createLentHttp();
  const metered = meter.transport(undici);
  if (asked !== undefined) {
    const http = asked.transport(system.name, metered, meter.currentStream);
    const pass = async (): Promise<void> => {};
    return { http, concurrency: () => undefined, pass };
  }
  const limited = limitHttp(lent.innermost(metered), {
    limits: limitsOf(budget),
    clock,
    memory,
    rateHeaders,
    onWait: ({ reason, untilMs }) => {
      const at = clock.now();
      meter.waited(untilMs - at, false);
      tell({ kind: "wait", at, stream: meter.currentStream(), reason, untilMs, attempt: 1 });
    },
  });
  let state: Concurrency | undefined;
  const http = adaptHttp(circuitHttp(limited, { clock, memory }), {
    max,
    clock,
    memory,
    onChange: (next) => {
      const isHalved = next.halvings > (state?.halvings ?? 0);
      state = next;
      if (!isHalved) return;
      const message = `The system "${system.name}" is overloaded: it is sent ${next.limit} of ${next.max} requests at a time until it answers well again.`;
      tell({ kind: "note", at: clock.now(), stream: meter.currentStream(), message });
    },
  });
  return {
    http,
    concurrency: () => useOf(state),
    pass: (request, send, signal) =>
      meter.as(request.stream, () => lent.pass(http, request, send, signal)),
  };
}

function useOf(state: Concurrency | undefined): ConcurrencyUse | undefined {
  if (state === undefined) return undefined;
  const { limit, max, halvings } = state;
  return { limit, max, halvings };
}

/** A budget of the configuration as limits by window. */
export function limitsOf(budget: Budget): QuotaLimits {
  return {
    requests: windowsOf({
      second: budget.perSecond,
      minute: budget.perMinute,
      hour: budget.perHour,
      day: budget.perDay,
    }),
    bytes: windowsOf({
      second: budget.bytesPerSecond,
      minute: budget.bytesPerMinute,
      hour: budget.bytesPerHour,
      day: budget.bytesPerDay,
    }),
  };
}

function windowsOf(
  limits: Readonly<Partial<Record<QuotaWindow, number | undefined>>>,
): QuotaLimits["requests"] {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}
