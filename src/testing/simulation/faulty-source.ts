import type { RecordKey, StreamRecord } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Connector, Page, ReadRequest } from "../../ports/connector.ts";
import type { Fate } from "./fate.ts";
import type { WorldState } from "./world-state.ts";

type World = Pick<WorldState, "tallies" | "trace" | "lastSeen" | "people">;

/** A source that is slow, refuses, limits, and repeats itself, as the fate's plan says. */
export function createFaultySource(connector: Connector, world: World, fate: Fate): Connector {
  const ask = <T>(what: string, act: () => Promise<T>): Promise<T> =>
    fate.look(async () => {
      mayFail(world, fate, what);
      return act();
    });
  return {
    capabilities: connector.capabilities,
    check: (signal) => ask("check", () => connector.check(signal)),
    discover: (signal) => ask("discover", () => connector.discover(signal)),
    head: (query, signal) => ask("head", () => connector.head(query, signal)),
    partition: (query, count, signal) =>
      ask("partition", async () => {
        const ranges = (await connector.partition?.(query, count, signal)) ?? [];
        if (ranges.length > 1) world.tallies.count("walk in parts");
        return ranges;
      }),
    async *read(request, signal) {
      let previous: Page | undefined;
      for await (const page of connector.read(request, signal)) {
        const what = `page of ${request.query.schema.name} (${request.kind})`;
        const told = await fate.effect("page", what, async () => {
          signal.throwIfAborted();
          mayFail(world, fate, what);
          return repeatedly(world, fate, { request, page, previous });
        });
        previous = page;
        yield told;
        if (isCutShort(world, fate, request, page)) return;
      }
    },
    close: () => connector.close(),
  };
}

function mayFail({ tallies, trace }: World, fate: Fate, what: string): void {
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

/** More than any guard tolerates for the edits that are made during a walk. */
const MISSING_MIN = 10;

/**
 * True when the walk ends here although a good part of the records is still to come. A stream that
 * cannot count itself gives nobody a chance to notice, and does not do so.
 */
function isCutShort(
  { people, tallies, trace }: World,
  { name, plan, random }: Fate,
  request: ReadRequest,
  page: Page,
): boolean {
  const { query } = request;
  if (request.kind !== "walk" || !query.schema.traits.count || !random.chance(plan.cutShort)) {
    return false;
  }
  const all = people.shown(query.schema.name);
  const place = (key: RecordKey | null | undefined): number =>
    all.findIndex((row) => row.id === key) + 1;
  const upTo = request.range?.upTo ?? null;
  const end = upTo === null ? all.length : place(upTo);
  const rows = all.slice(place(request.range?.after), Math.max(end, 0));
  const last = page.records.at(-1)?.key ?? page.marks.at(-1)?.key;
  const passed = rows.findIndex((row) => row.id === last) + 1;
  if (rows.length - passed < MISSING_MIN) return false;
  tallies.count("walk cut short");
  trace.add(
    `${name} source ends the walk of ${query.schema.name} after ${passed} of ${rows.length}`,
  );
  return true;
}

interface Delivery {
  readonly request: ReadRequest;
  readonly page: Page;
  readonly previous: Page | undefined;
}

/** The page with repeats of its own records and of the page before, now and then. */
function repeatedly(
  { tallies, lastSeen }: World,
  { random, plan }: Fate,
  { request, page, previous }: Delivery,
): Page {
  const stream = request.query.schema.name;
  const id = (record: StreamRecord): string => `${stream} ${record.key}`;
  let { records, marks, tombstones } = page;
  const [first] = records;
  if (first !== undefined && random.chance(plan.duplicates)) {
    const changed = page.records.find((record) => isOlder(lastSeen.get(id(record)), record));
    const older = changed === undefined ? undefined : lastSeen.get(id(changed));
    tallies.count(older === undefined ? "duplicate in a page" : "older duplicate in a page");
    records = [older ?? first, ...records];
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
  for (const record of page.records) lastSeen.set(id(record), record);
  return { ...page, records, marks, tombstones };
}

/** True when the seen image is an earlier one of the record, under the same schema. */
function isOlder(seen: StreamRecord | undefined, record: StreamRecord): boolean {
  if (seen === undefined || seen.values.length !== record.values.length) return false;
  if ((seen.modifiedAt ?? "") > (record.modifiedAt ?? "")) return false;
  return JSON.stringify(seen.values) !== JSON.stringify(record.values);
}
