import assert from "node:assert/strict";
import test from "node:test";
import { createMemoryConnector } from "../connectors/memory/connector.ts";
import { createMemorySystem } from "../connectors/memory/system.ts";
import type { Cursor } from "../model/cursor.ts";
import type { ErrorCode } from "../model/error-codes.ts";
import type { RecordKey } from "../model/record.ts";
import type { StreamSchema } from "../model/schema.ts";
import { SyncError } from "../model/sync-error.ts";
import type { Connector, Page, ReadRequest } from "../ports/connector.ts";
import { createTimeline, type Timeline } from "../testing/simulation/timeline.ts";
import { withRetry } from "./retry.ts";
import { type RetryPolicy, type RetryWait, retryPolicy } from "./retry-effort.ts";

const POLICY: RetryPolicy = {
  attemptsMax: 3,
  backoffBaseMs: 1_000,
  backoffCapMs: 1_500,
  retryAfterMaxMs: 60_000,
  waitTotalMaxMs: 100_000,
};
const START = Date.UTC(2026, 0, 1);
const never = new AbortController().signal;

const THING: StreamSchema = {
  name: "Thing",
  key: ["Id"],
  modifiedAt: "ModifiedAt",
  traits: { changes: true, deletions: true, sweep: true, count: true },
  fields: [
    { name: "Id", type: { kind: "integer", bits: 32 }, nullable: false },
    { name: "ModifiedAt", type: { kind: "timestamp" }, nullable: false },
  ],
};
const ORIGIN = (kind: string): Cursor => JSON.stringify({ kind, time: "", key: null }) as Cursor;
const query = { schema: THING };

/** What befalls the n-th call or page, counted from 0; undefined lets it through. */
type Trouble = (nth: number) => SyncError | Error | undefined;

interface Bench {
  readonly connector: Connector;
  readonly timeline: Timeline;
  readonly waits: RetryWait[];
  /** Requests as the inner connector got them. */
  readonly requests: ReadRequest[];
}

/** Six things, three deletions, pages of two, and trouble before pages and calls. */
function createBench(trouble: Trouble, policy: Partial<RetryPolicy> = {}): Bench {
  let second = START / 1000;
  const system = createMemorySystem({ streams: [THING], now: () => second * 1000 });
  for (let id = 1; id <= 9; id += 1) {
    second += 1;
    system.put("Thing", { Id: id });
  }
  for (const key of ["7", "8", "9"]) system.remove("Thing", key as RecordKey);
  const inner = createMemoryConnector(system, { pageSize: () => 2 });
  const requests: ReadRequest[] = [];
  let nth = 0;
  const meet = (): void => {
    const error = trouble(nth);
    nth += 1;
    if (error) throw error;
  };
  const timeline = createTimeline(START);
  const waits: RetryWait[] = [];
  const connector = withRetry(
    {
      ...inner,
      async check(signal) {
        meet();
        return inner.check(signal);
      },
      async *read(request, signal) {
        requests.push(request);
        for await (const page of inner.read(request, signal)) {
          meet();
          yield page;
        }
      },
    },
    {
      clock: timeline,
      random: { next: () => 0.5, id: () => "id" },
      policy: { ...POLICY, ...policy },
      onWait: (wait) => waits.push(wait),
    },
  );
  return { connector, timeline, waits, requests };
}

const failing =
  (
    places: readonly number[],
    code: ErrorCode = "CONNECTOR_UNAVAILABLE",
    retryAfterMs?: number,
  ): Trouble =>
  (nth) =>
    places.includes(nth)
      ? new SyncError(code, "The system is in trouble.", {
          ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        })
      : undefined;

async function pagesOf(connector: Connector, request: ReadRequest): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for await (const page of connector.read(request, never)) pages.push(page);
  return pages;
}

const keysOf = (pages: readonly Page[]): readonly string[] =>
  pages.flatMap((page) => [
    ...page.records.map(({ key }) => key),
    ...page.marks.map(({ key }) => key),
    ...page.tombstones.map(({ key }) => key),
  ]);

const WALK: ReadRequest = { kind: "walk", query, after: null, projection: "record" };
const KEYS = ["1", "2", "3", "4", "5", "6"] as readonly string[] as readonly RecordKey[];

const READS: readonly { readonly request: ReadRequest; readonly keys: readonly string[] }[] = [
  { request: WALK, keys: KEYS },
  { request: { ...WALK, projection: "key" }, keys: KEYS },
  { request: { kind: "changes", query, since: ORIGIN("changes"), overlapMs: 0 }, keys: KEYS },
  {
    request: { kind: "deletions", query, since: ORIGIN("deletions"), overlapMs: 0 },
    keys: ["7", "8", "9"],
  },
  { request: { kind: "keys", query, keys: KEYS }, keys: KEYS },
];

for (const { request, keys } of READS) {
  const name = request.kind === "walk" ? `walk of ${request.projection}s` : request.kind;
  for (const places of [[0], [1], [0, 2, 4], [1, 2]]) {
    test(`${name}: failures at ${places.join(", ")} cost waits, not pages`, async () => {
      const { connector, waits } = createBench(failing(places));
      assert.deepEqual(keysOf(await pagesOf(connector, request)), keys);
      assert.ok(waits.length > 0);
    });
  }
}

test("a failed page is asked for again from the page before it", async () => {
  const { connector, requests } = createBench(failing([1]));
  const pages = await pagesOf(connector, WALK);
  assert.deepEqual(
    requests.map((request) => (request.kind === "walk" ? request.after : "")),
    [null, pages[0]?.cursor],
  );
});

test("a failed page of changes is asked for again strictly after the page before it", async () => {
  const since = JSON.stringify({ kind: "changes", time: "2026-01-01T00:00:06Z", key: "6" });
  const { connector, requests } = createBench(failing([1]));
  const pages = await pagesOf(connector, {
    kind: "changes",
    query,
    since: since as Cursor,
    overlapMs: 3_000,
  });
  assert.deepEqual(keysOf(pages), ["3", "4", "5", "6"]);
  const again = requests[1];
  assert.ok(again?.kind === "changes");
  assert.equal(again.overlapMs, 0);
  assert.equal(again.since, pages[0]?.cursor);
});

test("each page has tries of its own", async () => {
  const { connector, waits } = createBench(failing([0, 1, 3, 4, 6, 7]));
  assert.deepEqual(keysOf(await pagesOf(connector, WALK)), KEYS);
  assert.deepEqual(
    waits.map((wait) => wait.attempt),
    [1, 2, 1, 2, 1, 2],
  );
});

test("the tries of one page are bounded, and the last error tells of them", async () => {
  const { connector, waits } = createBench(failing([1, 2, 3]));
  await assert.rejects(pagesOf(connector, WALK), {
    code: "CONNECTOR_UNAVAILABLE",
    message:
      'The system is in trouble. Gave up on a page of "Thing" (walk) after 3 tries and 1 s of waiting.',
  });
  assert.equal(waits.length, 2);
});

test("a list of keys whose second page always fails is given up", async () => {
  const { connector, waits } = createBench((nth) =>
    nth % 2 === 1 ? new SyncError("CONNECTOR_TIMEOUT", "No answer.") : undefined,
  );
  const found: string[] = [];
  const read = async (): Promise<void> => {
    for await (const page of connector.read({ kind: "keys", query, keys: KEYS }, never)) {
      found.push(...keysOf([page]));
    }
  };
  await assert.rejects(read(), /^SyncError: No answer. Gave up .* after 3 tries/);
  assert.deepEqual(found, ["1", "2"]);
  assert.equal(waits.length, 2);
});

test("waits double up to the cap, and each says for what and until when", async () => {
  const { connector, waits } = createBench(failing([0, 1, 2]), { attemptsMax: 4 });
  await connector.check(never);
  assert.deepEqual(
    waits.map((wait) => wait.waitMs),
    [500, 750, 750],
  );
  assert.deepEqual(waits[1], {
    stream: undefined,
    reason: "The system is in trouble. The check is tried again.",
    waitMs: 750,
    untilMs: START + 500 + 750,
    attempt: 2,
    code: "CONNECTOR_UNAVAILABLE",
  });
});

test("a longer Retry-After wins over the backoff", async () => {
  const { connector, waits, timeline } = createBench(
    failing([0], "CONNECTOR_RATE_LIMITED", 40_000),
  );
  await connector.check(never);
  assert.equal(waits[0]?.waitMs, 40_000);
  assert.equal(timeline.now(), START + 40_000);
});

test("a shorter Retry-After does not shorten the backoff", async () => {
  const { connector, waits } = createBench(failing([0], "CONNECTOR_RATE_LIMITED", 10));
  await connector.check(never);
  assert.equal(waits[0]?.waitMs, 500);
});

test("a Retry-After beyond the bound fails at once and says when to come back", async () => {
  const { connector, waits } = createBench(failing([0], "CONNECTOR_RATE_LIMITED", 3_600_000));
  await assert.rejects(connector.check(never), {
    code: "CONNECTOR_RATE_LIMITED",
    message:
      'The system is in trouble. The system asks to come back at "2026-01-01T01:00:00.000Z", which is longer than the 60 s that a run waits.',
    hint: "Run again after 2026-01-01T01:00:00.000Z.",
    retryAfterMs: 3_600_000,
  });
  assert.deepEqual(waits, []);
});

test("the waits of one effort together are bounded", async () => {
  const { connector, waits } = createBench(failing([0, 1, 2], "CONNECTOR_RATE_LIMITED", 40_000), {
    attemptsMax: 10,
  });
  await assert.rejects(connector.check(never), /Gave up on the check after 3 tries and 80 s of/);
  assert.equal(waits.length, 2);
});

for (const error of [
  new SyncError("CONNECTOR_UNAUTHORIZED", "The token was refused."),
  new SyncError("RECORD_REFUSED", "A record was refused."),
  new SyncError("INTERNAL", "Something must hold."),
  new TypeError("x is not a function"),
]) {
  test(`${error.message} is not tried again`, async () => {
    const { connector, waits } = createBench((nth) => (nth === 1 ? error : undefined));
    await assert.rejects(pagesOf(connector, WALK), (thrown) => thrown === error);
    assert.deepEqual(waits, []);
  });
}

test("a policy takes fewer tries and shorter waits from a person", () => {
  const policy = retryPolicy({ attempts: 2, maxWaitMs: 10_000 });
  assert.equal(policy.attemptsMax, 2);
  assert.equal(policy.retryAfterMaxMs, 10_000);
  assert.ok(policy.backoffCapMs <= 10_000);
  assert.deepEqual(retryPolicy({ attempts: retryPolicy().attemptsMax }), retryPolicy());
});

test("an abort ends the wait with its reason", async () => {
  const controller = new AbortController();
  const reason = new Error("stopped by the test");
  const { connector, waits } = createBench(failing([0, 1]));
  const check = connector.check(controller.signal);
  await Promise.resolve();
  controller.abort(reason);
  await assert.rejects(check, (error) => error === reason);
  assert.equal(waits.length, 1);
});

test("a read left early ends the inner read", async () => {
  let ended = false;
  const { connector: inner, timeline } = createBench(() => undefined);
  const connector = withRetry(
    {
      ...inner,
      async *read(request, signal) {
        try {
          yield* inner.read(request, signal);
        } finally {
          ended = true;
        }
      },
    },
    {
      clock: timeline,
      random: { next: () => 0, id: () => "" },
      policy: POLICY,
      onWait: () => assert.fail("nothing is waited for"),
    },
  );
  for await (const page of connector.read(WALK, never)) {
    assert.ok(page.cursor);
    break;
  }
  assert.ok(ended);
});

test("a failure inside the overlap reads the overlap again, so that no late record is passed over", async () => {
  const since = "10" as Cursor;
  const keysFor = (request: ReadRequest): readonly string[] =>
    request.kind === "changes" && request.overlapMs > 0 ? ["a", "b", "c", "d"] : ["d"];
  const asked: ReadRequest[] = [];
  let failures = 1;
  const inner: Connector = {
    ...createBench(() => undefined).connector,
    async *read(request) {
      asked.push(request);
      for (const [index, key] of keysFor(request).entries()) {
        if (index === 1 && failures-- > 0) throw new SyncError("CONNECTOR_TIMEOUT", "No answer.");
        // The first three pages are the overlap: a cursor that never moves back stays at `since`.
        const cursor = (key === "d" ? "11" : since) as Cursor;
        const record = { key: key as RecordKey, values: [] };
        yield { records: [record], marks: [], tombstones: [], bad: [], cursor };
      }
    },
  };
  const timeline = createTimeline(START);
  const options = { clock: timeline, random: { next: () => 0, id: () => "id" }, policy: POLICY };
  const source = withRetry(inner, { ...options, onWait: () => undefined });
  const seen: string[] = [];
  const request: ReadRequest = { kind: "changes", query, since, overlapMs: 60_000 };
  for await (const page of source.read(request, never)) seen.push(page.records[0]?.key ?? "");
  assert.deepEqual(seen, ["a", "a", "b", "c", "d"]);
  assert.deepEqual(asked, [request, request]);
});
