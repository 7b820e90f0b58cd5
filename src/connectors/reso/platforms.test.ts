import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { SyncError } from "../../model/sync-error.ts";
import type { Connector, Page, ReadRequest } from "../../ports/connector.ts";
import type { Clock } from "../../ports/runtime.ts";
import { createTestMemory, testClock } from "../../testing/connector-ports.ts";
import {
  type SampleMls,
  type SampleMlsOptions,
  type SampleVendor,
  startSampleMls,
} from "../../testing/sample-mls/index.ts";
import { createUndiciTransport } from "../http/undici-transport.ts";
import { type ResoConfig, resoConfigSchema, resoStreamDefaults } from "./config.ts";
import { createResoConnector } from "./connector.ts";

const { signal } = new AbortController();
const since = (time: string, kind = "changes"): Cursor =>
  JSON.stringify({ v: 1, kind, time, key: null }) as Cursor;
const DAWN = since("2000-01-01T00:00:00Z");

interface Scene {
  readonly mls: SampleMls;
  readonly connector: Connector;
  readonly property: StreamSchema;
}

async function scene(
  t: TestContext,
  plays: SampleVendor,
  options: SampleMlsOptions = {},
  clock: Clock = testClock,
): Promise<Scene> {
  const mls = await startSampleMls({
    listings: 60,
    photosMax: 0,
    pageSize: 10,
    plays,
    ...options,
  });
  t.after(() => mls.close());
  const config: ResoConfig = {
    profile: plays,
    url: mls.url,
    token: mls.token,
    ...(plays === "mlsgrid" ? { originatingSystem: "sample" } : {}),
  };
  const connector = createResoConnector(config, {
    http: createUndiciTransport(),
    clock,
    memory: createTestMemory(),
  });
  t.after(() => connector.close());
  const property = (await connector.discover(signal)).find(({ name }) => name === "Property");
  assert.ok(property);
  return { mls, connector, property };
}

const walk = (schema: StreamSchema, after: Cursor | null = null): ReadRequest => ({
  kind: "walk",
  query: { schema },
  after,
  projection: "record",
});

async function pagesOf(
  connector: Connector,
  request: ReadRequest,
  between: (page: number) => void = () => {},
): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for await (const page of connector.read(request, signal)) {
    pages.push(page);
    between(pages.length);
  }
  return pages;
}

const distinct = (pages: readonly Page[]): readonly RecordKey[] => [
  ...new Set(pages.flatMap(({ records }) => records.map(({ key }) => key))),
];

const truthOf = (mls: SampleMls): readonly string[] =>
  [...mls.truth("Property")].map(({ key }) => String(key)).sort();

for (const plays of ["mlsgrid", "trestle", "bridge", "spark"] as const) {
  test(`${plays}: a walk finds every record while others are edited`, async (t) => {
    const pageSize = plays === "bridge" ? 1 : 10;
    const { mls, connector, property } = await scene(t, plays, { pageSize, tieSize: 35 });
    const keys = truthOf(mls).map(Number);
    const pages = await pagesOf(connector, walk(property), (page) => {
      if (page > 12) return;
      // Rows already read move to the end, which shifts all others of a set that is not by key.
      mls.control.editMany({ keys: keys.slice(page * 2, page * 2 + 2), fields: {} });
      mls.control.advance({ ms: 1000 });
    });
    assert.deepEqual([...distinct(pages)].sort(), truthOf(mls));
  });

  test(`${plays}: a walk resumes after every one of its pages`, async (t) => {
    const pageSize = plays === "bridge" ? 1 : 10;
    const { mls, connector, property } = await scene(t, plays, { pageSize });
    const pages = await pagesOf(connector, walk(property));
    for (const [index, { cursor }] of pages.entries()) {
      const rest = await pagesOf(connector, walk(property, cursor));
      const all = distinct([...pages.slice(0, index + 1), ...rest]);
      assert.deepEqual([...all].sort(), truthOf(mls), `after page ${index + 1}`);
    }
  });

  test(`${plays}: records and counts by key list, and what is related`, async (t) => {
    const { mls, connector, property } = await scene(t, plays);
    const [first] = truthOf(mls) as readonly RecordKey[];
    assert.ok(first);
    const keys = [first, "999" as RecordKey];
    const found = await pagesOf(connector, { kind: "keys", query: { schema: property }, keys });
    assert.deepEqual(distinct(found), [first]);
    assert.equal((await connector.head({ schema: property }, signal)).count, 60);
    const related = await connector.related?.({ schema: property }, first, ["OpenHouse"], signal);
    assert.equal(String(related?.record["ListingKeyNumeric"]), first);
  });
}

test("mlsgrid: a withdrawn record is a tombstone and never a record", async (t) => {
  const { mls, connector, property } = await scene(t, "mlsgrid");
  const [gone] = truthOf(mls) as readonly RecordKey[];
  assert.ok(gone);
  mls.control.delete({ key: Number(gone) });
  const query = { schema: property };
  for (const request of [
    walk(property),
    { kind: "changes", query, since: DAWN, overlapMs: 0 } as const,
    { kind: "keys", query, keys: [gone] } as const,
  ]) {
    assert.ok(!distinct(await pagesOf(connector, request)).includes(gone), request.kind);
  }
  const from = since("2000-01-01T00:00:00Z", "deletions");
  const early: Clock = { ...testClock, now: () => Date.parse("2000-01-02T00:00:00Z") };
  const told = await scene(t, "mlsgrid", { listings: 60 }, early);
  told.mls.control.delete({ key: Number(gone) });
  const deletions = { kind: "deletions", query, since: from, overlapMs: 0 } as const;
  const pages = await pagesOf(told.connector, deletions);
  assert.deepEqual(
    pages.flatMap(({ tombstones }) => tombstones.map(({ key }) => key)),
    [gone],
  );
  await assert.rejects(pagesOf(connector, deletions), (error: SyncError) => {
    assert.equal(error.code, "CURSOR_EXPIRED");
    return true;
  });
});

test("mlsgrid: a filter of a person stands in parentheses of its own", async (t) => {
  const { mls, connector, property } = await scene(t, "mlsgrid");
  const filter = "ListingId eq '1' or ListPrice gt 0";
  const query = { schema: property, filter };
  const pages = await pagesOf(connector, { kind: "changes", query, since: DAWN, overlapMs: 0 });
  const priced = [...mls.truth("Property")].filter(({ fields }) => fields["ListPrice"] !== null);
  assert.equal(distinct(pages).length, priced.length);
});

test("trestle: an expired link and a lost page begin a new session after the last key", async (t) => {
  const { mls, connector, property } = await scene(t, "trestle", { listings: 90 });
  mls.control.fail({ kind: "empty-page", match: "replication?id", after: 3 });
  const pages = await pagesOf(connector, walk(property), (page) => {
    if (page === 2) mls.control.advance({ ms: 6 * 60_000 });
  });
  const keys = pages.flatMap(({ records }) => records.map(({ key }) => key));
  assert.deepEqual([...keys].sort(), truthOf(mls), "each record once");
  const begun = mls.control.stats().recent.filter((target) => target.includes("replication=true"));
  // The first, after the idle link, after the lost page, and the empty one that is the end.
  assert.equal(begun.length, 4);
});

test("bridge: sets come whole from the replication endpoint, with its own time", async (t) => {
  const { mls, connector, property } = await scene(t, "bridge", { pageSize: 1 });
  assert.equal(property.modifiedAt, "BridgeModificationTimestamp");
  mls.control.resetStats();
  await pagesOf(connector, walk(property));
  assert.ok(mls.control.stats().recent.every((each) => each.startsWith("/Property/replication?")));
});

test("spark: changes are a whole pass, and the place is no later than its beginning", async (t) => {
  const { mls, connector, property } = await scene(t, "spark");
  const keys = truthOf(mls).map(Number);
  const request = {
    kind: "changes",
    query: { schema: property },
    since: DAWN,
    overlapMs: 0,
  } as const;
  const begun = Date.now();
  const pages = await pagesOf(connector, request, (page) => {
    if (page !== 2) return;
    mls.control.advance({ ms: 60_000 });
    mls.control.editMany({ keys: [keys[0] ?? 0, keys[59] ?? 0], fields: { ListPrice: "1.00" } });
  });
  const places = pages.map(({ cursor }) => (JSON.parse(cursor) as { readonly time: string }).time);
  assert.ok(places.slice(0, -1).every((time) => time === "2000-01-01T00:00:00Z"));
  const last = places.at(-1) ?? "";
  assert.ok(Date.parse(last) <= begun + 30_000, last);
  const again = await pagesOf(connector, { ...request, since: since(last) });
  assert.ok(distinct(again).includes(String(keys[0]) as RecordKey));
  assert.equal(resoStreamDefaults({ profile: "spark" })["Property"]?.overlapMs, 1_200_000);
});

test("mlsgrid needs the name of its MLS, and no other profile takes one", () => {
  const problems = (config: Record<string, unknown>): string =>
    resoConfigSchema
      .safeParse(config)
      .error?.issues.map(({ message }) => message)
      .join() ?? "";
  assert.match(problems({ profile: "mlsgrid" }), /must be set/);
  assert.equal(problems({ profile: "mlsgrid", originatingSystem: "actris" }), "");
  assert.match(problems({ profile: "wfrmls", originatingSystem: "x" }), /must not be set/);
  assert.match(problems({ profile: "bridge" }), /does not know the address/);
});
