import type { RecordKey, StreamRecord } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Connector, Page, ReadRequest } from "../../ports/connector.ts";
import type { Fate } from "./fate.ts";
import type { Tallies } from "./tallies.ts";
import type { Trace } from "./trace.ts";

export interface FaultySourceOptions {
  readonly fate: Fate;
  readonly tallies: Tallies;
  readonly trace: Trace;
}

/** A source that is slow, refuses, limits, and repeats itself, as the fate's plan says. */
export function createFaultySource(connector: Connector, options: FaultySourceOptions): Connector {
  const { fate } = options;
  const lastSeen = new Map<RecordKey, StreamRecord>();
  const ask = <T>(what: string, act: () => Promise<T>): Promise<T> =>
    fate.look(async () => {
      mayFail(options, what);
      return act();
    });
  return {
    capabilities: connector.capabilities,
    check: (signal) => ask("check", () => connector.check(signal)),
    discover: (signal) => ask("discover", () => connector.discover(signal)),
    head: (query, signal) => ask("head", () => connector.head(query, signal)),
    async *read(request, signal) {
      let previous: Page | undefined;
      for await (const page of connector.read(request, signal)) {
        const what = `page of ${request.query.schema.name} (${request.kind})`;
        const told = await fate.effect("page", what, async () => {
          signal.throwIfAborted();
          mayFail(options, what);
          return repeatedly(options, request, page, previous, lastSeen);
        });
        previous = page;
        yield told;
      }
    },
    close: () => connector.close(),
  };
}

function mayFail({ fate, tallies, trace }: FaultySourceOptions, what: string): void {
  const { random, plan } = fate;
  if (!random.chance(plan.sourceErrors)) return;
  const kind = random.weighted({ error: 10, limit: 5, "long limit": 1, refused: 1 });
  trace.add(`${fate.name} source fails at ${what}: ${kind}`);
  switch (kind) {
    case "error":
      tallies.count("retryable error");
      throw new SyncError(
        random.pick([
          "CONNECTOR_UNREACHABLE",
          "CONNECTOR_TIMEOUT",
          "CONNECTOR_UNAVAILABLE",
          "CONNECTOR_BAD_RESPONSE",
          "CONNECTOR_ERROR_BODY",
        ] as const),
        "The source is in trouble.",
      );
    case "limit":
      tallies.count("rate limit");
      throw new SyncError("CONNECTOR_RATE_LIMITED", "Slow down.", {
        retryAfterMs: random.int(1_000, 90_000),
      });
    case "long limit":
      tallies.count("rate limit too long to wait for");
      throw new SyncError("CONNECTOR_RATE_LIMITED", "Come back tomorrow.", {
        retryAfterMs: 86_400_000,
      });
    case "refused":
      tallies.count("refused credentials");
      throw new SyncError("CONNECTOR_UNAUTHORIZED", "The source refused the token.");
  }
}

/** The page with repeats of its own records and of the page before, now and then. */
function repeatedly(
  { fate, tallies }: FaultySourceOptions,
  request: ReadRequest,
  page: Page,
  previous: Page | undefined,
  lastSeen: Map<RecordKey, StreamRecord>,
): Page {
  const { random, plan } = fate;
  let { records, marks, tombstones } = page;
  const [first] = records;
  if (first !== undefined && random.chance(plan.duplicates)) {
    const older = lastSeen.get(first.key);
    const fits = older?.values.length === first.values.length && older !== first;
    tallies.count(fits ? "older duplicate in a page" : "duplicate in a page");
    records = [fits && older !== undefined ? older : first, ...records];
  }
  if (random.chance(plan.duplicates) && request.kind !== "keys") {
    const repeated = previous?.records.at(-1);
    const still = repeated !== undefined && !records.some((record) => record.key === repeated.key);
    if (still) {
      tallies.count("duplicate across pages");
      records = [repeated, ...records];
    }
    marks = [...(previous?.marks.slice(-1) ?? []), ...marks, ...marks.slice(0, 1)];
    tombstones = [...(previous?.tombstones.slice(-1) ?? []), ...tombstones];
  }
  for (const record of page.records) lastSeen.set(record.key, record);
  return { ...page, records, marks, tombstones };
}
