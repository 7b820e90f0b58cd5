import { CIRCUIT_NOTE, type CircuitState } from "../core/quota.ts";
import { retryAfterMs } from "../model/retry-after.ts";
import { SyncError } from "../model/sync-error.ts";
import type { HttpResponse, HttpTransport } from "../ports/http.ts";
import type { Clock, Memory } from "../ports/runtime.ts";

export interface CircuitOptions {
  readonly clock: Clock;
  /** Keeps the count and an open circuit across restarts. */
  readonly memory: Memory;
}

/** So many refusals in a row, each in the knowledge of the one before, open the circuit. */
const REFUSALS_MAX = 3;
const PAUSE_MS = 60_000;
const PAUSE_MAX_MS = 3_600_000;

const CLOSED: CircuitState = { openUntil: 0, openings: 0, refusals: 0 };

/**
 * Stops sending to a system that answers 429 again and again, since some suspend whoever goes on.
 * While the circuit is open, a request throws CONNECTOR_RATE_LIMITED, which says when it closes and
 * is sent to nobody. Then one refusal opens it again, for twice as long, up to an hour; the system's
 * own Retry-After, in seconds or as a date, wins when it is longer. Any other answer closes it for good.
 */
export function circuitHttp(
  transport: HttpTransport,
  { clock, memory }: CircuitOptions,
): HttpTransport {
  let state: CircuitState | undefined;

  async function change(next: CircuitState): Promise<void> {
    state = next;
    await memory.remember(CIRCUIT_NOTE, JSON.stringify(next));
  }

  function afterRefusal(headers: HttpResponse["headers"], before: CircuitState): CircuitState {
    const { openings } = before;
    const refusals = before.refusals + 1;
    if (openings === 0 && refusals < REFUSALS_MAX) return { ...before, refusals };
    const pause = Math.min(PAUSE_MS * 2 ** openings, PAUSE_MAX_MS);
    const now = clock.now();
    const asked = retryAfterMs(headers, now) ?? 0;
    return { openUntil: now + Math.max(pause, asked), openings: openings + 1, refusals };
  }

  return {
    async send(request, signal) {
      state ??= readState(await memory.recall(CIRCUIT_NOTE));
      const now = clock.now();
      if (now < state.openUntil) throw isOpen(state.openUntil, now);
      const before = state;
      const response = await transport.send(request, signal);
      // Requests of one moment count once: what came meanwhile is known only now.
      if (state !== before) return response;
      if (response.status === 429) {
        await change(afterRefusal(response.headers, before));
      } else if (before.refusals > 0) {
        await change(CLOSED);
      }
      return response;
    },
    close: () => transport.close(),
  };
}

function readState(text: string | undefined): CircuitState {
  return text === undefined ? CLOSED : (JSON.parse(text) as CircuitState);
}

function isOpen(openUntil: number, now: number): SyncError {
  const until = new Date(openUntil).toISOString().replace(/\.\d+Z$/, "Z");
  return new SyncError(
    "CONNECTOR_RATE_LIMITED",
    `The system answered 429 again and again, so nothing is sent to it until ${until}.`,
    {
      retryAfterMs: openUntil - now,
      hint: "Wait until then, and lower `budget`; `lockstep quota` shows what is left of it.",
    },
  );
}
