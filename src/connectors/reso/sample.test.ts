import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { Cursor } from "../../model/cursor.ts";
import { type RecordKey, type StreamRecord, valuesByName } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { SyncError } from "../../model/sync-error.ts";
import type { Connector, Page, ReadRequest } from "../../ports/connector.ts";
import { createTestMemory, testClock } from "../../testing/connector-ports.ts";
import {
  type FaultRequest,
  type SampleMls,
  type SampleMlsOptions,
  startSampleMls,
} from "../../testing/sample-mls/index.ts";
import { createUndiciTransport } from "../http/undici-transport.ts";
import type { ResoConfig } from "./config.ts";
import { createResoConnector } from "./connector.ts";

const never = new AbortController().signal;
const DAWN = '{"v":1,"kind":"changes","time":"2000-01-01T00:00:00Z","key":null}' as Cursor;

interface Scene {
  readonly mls: SampleMls;
  readonly connector: Connector;
  readonly property: StreamSchema;
  connect(config?: Partial<ResoConfig>): Connector;
}

async function scene(
  t: TestContext,
  options: SampleMlsOptions = {},
  config: Partial<ResoConfig> = {},
): Promise<Scene> {
  const mls = await startSampleMls({ listings: 60, photosMax: 1, pageSize: 10, ...options });
  t.after(() => mls.close());
  const memory = createTestMemory();
  const connect = (own: Partial<ResoConfig> = {}): Connector => {
    const connector = createResoConnector(
      { profile: "wfrmls", url: mls.url, token: mls.token, ...config, ...own },
      { http: createUndiciTransport({ timeoutMs: 5000 }), clock: testClock, memory },
    );
    t.after(() => connector.close());
    return connector;
  };
  const connector = connect();
  const schemas = await connector.discover(never);
  const property = schemas.find((schema) => schema.name === "Property");
  assert.ok(property);
  return { mls, connector, property, connect };
}

const walk = (schema: StreamSchema, after: Cursor | null = null): ReadRequest => ({
  kind: "walk",
  query: { schema },
  after,
  projection: "record",
});
const changes = (schema: StreamSchema, since: Cursor = DAWN, overlapMs = 0): ReadRequest => ({
  kind: "changes",
  query: { schema },
  since,
  overlapMs,
});

async function pagesOf(connector: Connector, request: ReadRequest): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for await (const page of connector.read(request, never)) pages.push(page);
  return pages;
}

const keysOf = (pages: readonly Page[]): readonly RecordKey[] =>
  pages.flatMap((page) => page.records.map((record) => record.key)).sort();

const truthOf = (mls: SampleMls, set = "Property"): readonly string[] =>
  [...mls.truth(set)].map(({ key }) => String(key)).sort();

const isCode =
  (code: string, message = /./) =>
  (error: SyncError): boolean => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };

test("every value of every set is read as the store holds it", async (t) => {
  const { mls, connector } = await scene(t, { listings: 150, pageSize: 200, propertyFields: 327 });
  let compared = 0;
  for (const schema of await connector.discover(never)) {
    const records = new Map<string, StreamRecord>();
    for (const page of await pagesOf(connector, walk(schema))) {
      assert.deepEqual(page.bad, []);
      for (const record of page.records) records.set(record.key, record);
    }
    for (const { key, fields } of mls.truth(schema.name)) {
      const record = records.get(String(key));
      assert.ok(record, `${schema.name} ${key}`);
      const named = valuesByName(schema, record.values);
      for (const { name, type } of schema.fields) {
        const expected = fields[name] ?? null;
        const actual = named[name] ?? null;
        compared += 1;
        if (expected === null || actual === null) assert.equal(actual, expected, name);
        else if (type.kind === "list") {
          const items = String(expected).split(",");
          assert.deepEqual(actual, [...new Set(items)].sort(), name);
        } else if (type.kind === "json") assert.deepEqual(JSON.parse(String(actual)), expected);
        else if (type.kind === "decimal") assert.equal(Number(actual), Number(expected), name);
        else assert.equal(actual, expected, name);
      }
    }
  }
  assert.ok(compared > 40_000);
});

const FAULTS: readonly (readonly [string, FaultRequest, string])[] = [
  ["a web page", { kind: "html" }, "CONNECTOR_BAD_RESPONSE"],
  ["truncated JSON", { kind: "truncate" }, "CONNECTOR_BAD_RESPONSE"],
  ["an error with status 200", { kind: "error-body" }, "CONNECTOR_ERROR_BODY"],
  ["a cut connection", { kind: "cut" }, "CONNECTOR_UNREACHABLE"],
  ["a reset connection", { kind: "reset" }, "CONNECTOR_UNREACHABLE"],
  ["a server error", { kind: "status", status: 503, retryAfter: 7 }, "CONNECTOR_UNAVAILABLE"],
  ["a throttle", { kind: "status", status: 429, retryAfter: 7 }, "CONNECTOR_RATE_LIMITED"],
  ["a body without value", { kind: "status", status: 200, body: "{}" }, "CONNECTOR_BAD_RESPONSE"],
  ["a list", { kind: "status", status: 200, body: "[]" }, "CONNECTOR_BAD_RESPONSE"],
  ["a token refused with 403", { kind: "status", status: 403 }, "CONNECTOR_UNAUTHORIZED"],
];

for (const [what, fault, code] of FAULTS) {
  test(`${what} on the third page stops the walk, which resumes without loss`, async (t) => {
    const { mls, connector, property } = await scene(t);
    mls.control.fail({ match: "/Property", after: 2, ...fault });
    const pages: Page[] = [];
    await assert.rejects(async () => {
      for await (const page of connector.read(walk(property), never)) pages.push(page);
    }, isCode(code));
    assert.equal(pages.length, 2);
    const rest = await pagesOf(connector, walk(property, pages.at(-1)?.cursor));
    assert.deepEqual(keysOf([...pages, ...rest]), truthOf(mls));
  });
}

test("Retry-After is handed on", async (t) => {
  const { mls, connector, property } = await scene(t);
  mls.control.fail({ kind: "status", status: 429, retryAfter: 7, match: "/Property" });
  await assert.rejects(pagesOf(connector, walk(property)), { retryAfterMs: 7000 });
});

test("a token that expires during a walk halts it; a new one goes on from the cursor", async (t) => {
  const { mls, connector, property, connect } = await scene(t);
  const pages: Page[] = [];
  await assert.rejects(async () => {
    for await (const page of connector.read(walk(property), never)) {
      pages.push(page);
      if (pages.length === 3) mls.control.expireToken({ replacement: "fresh-token" });
    }
  }, isCode("CONNECTOR_UNAUTHORIZED"));
  const renewed = connect({ token: "fresh-token" });
  const rest = await pagesOf(renewed, walk(property, pages.at(-1)?.cursor));
  assert.deepEqual(keysOf([...pages, ...rest]), truthOf(mls));
});

test("wrong addresses and tokens are told apart by check", async (t) => {
  const { mls, connect } = await scene(t, { authFailureStatus: 403 });
  const check = (config: Partial<ResoConfig>) => connect(config).check(never);
  await assert.rejects(check({ url: `${mls.url}/nope` }), isCode("CONNECTOR_NOT_FOUND"));
  await assert.rejects(check({ url: "http://127.0.0.1:1/odata" }), isCode("CONNECTOR_UNREACHABLE"));
  await assert.rejects(check({ token: "wrong-token" }), isCode("CONNECTOR_UNAUTHORIZED"));
  mls.control.fail({ kind: "html", match: "$metadata" });
  await assert.rejects(check({}), isCode("CONNECTOR_NOT_ODATA"));
  mls.control.fail({ kind: "status", status: 200, body: '{"hello":1}', match: "$metadata" });
  await assert.rejects(check({}), isCode("CONNECTOR_NOT_ODATA"));
  mls.control.fail({ kind: "truncate", match: "$metadata" });
  await assert.rejects(check({}), isCode("METADATA_INVALID", /line \d+/));
});

for (const paging of ["auto", "next-link"] as const) {
  test(`an empty page with a next link is followed (${paging})`, async (t) => {
    const { mls, connector, property } = await scene(t, {}, { paging });
    mls.control.fail({ kind: "empty-page", match: "/Property", after: 1 });
    assert.deepEqual(keysOf(await pagesOf(connector, walk(property))), truthOf(mls));
  });
}

test("a next link that goes round is refused, one to another origin too", async (t) => {
  const { mls, connector, property } = await scene(t, {}, { paging: "next-link" });
  mls.control.fail({ kind: "next-loop", match: "/Property", after: 1, times: 9 });
  await assert.rejects(pagesOf(connector, walk(property)), isCode("PAGING_LOOP"));
  mls.control.heal();
  mls.control.fail({
    kind: "next-elsewhere",
    match: "/Property",
    nextLink: "https://evil.example/x",
  });
  await assert.rejects(
    pagesOf(connector, walk(property)),
    isCode("PAGING_FOREIGN_ORIGIN", /"https:\/\/evil\.example"/),
  );
  mls.control.heal();
  assert.deepEqual(keysOf(await pagesOf(connector, walk(property))), truthOf(mls));
});

const WAYS: readonly (readonly [string, SampleMlsOptions, Partial<ResoConfig>])[] = [
  ["the pair keyset", {}, {}],
  ["ties by key", { compositeOrderBy: false }, {}],
  ["ties by key, unprobed", { orAcrossFields: false }, { probe: "never" }],
  ["next links", {}, { paging: "next-link" }],
];

for (const [what, options, config] of WAYS) {
  test(`a tie larger than a page is read whole by ${what}`, async (t) => {
    const { mls, connector, property } = await scene(t, { ...options, tieSize: 45 }, config);
    const head = await connector.head({ schema: property }, never);
    assert.ok(head.changes);
    mls.control.editMany({ count: 35 });
    const found = new Set(keysOf(await pagesOf(connector, changes(property, head.changes))));
    for (const key of truthOf(mls).slice(0, 35)) assert.ok(found.has(key as RecordKey), key);
    assert.deepEqual(
      [...new Set(keysOf(await pagesOf(connector, changes(property))))],
      truthOf(mls),
    );
  });
}

for (const [what, options, config] of WAYS.slice(0, 3)) {
  test(`edits during a read of changes lose nothing by ${what}`, async (t) => {
    // The clock moves on with every edit, as it does for people.
    let now = Date.UTC(2025, 5, 2);
    const { mls, connector, property } = await scene(t, { now: () => now, ...options }, config);
    const seen = new Map<string, string | undefined>();
    for await (const page of connector.read(changes(property), never)) {
      for (const record of page.records) seen.set(record.key, record.modifiedAt);
      if (now < Date.UTC(2025, 5, 2) + 4000) {
        now += 1000;
        mls.control.editMany({ keys: [...seen.keys()].slice(0, 7).map(Number) });
        const key = mls.control.add();
        assert.ok(!seen.has(String(key)));
      }
    }
    const field = property.fields.findIndex(({ name }) => name === "ModificationTimestamp");
    assert.ok(field >= 0);
    for (const { key, fields } of mls.truth("Property")) {
      assert.equal(seen.get(String(key)), fields["ModificationTimestamp"], String(key));
    }
  });
}

test("edits during a walk move nothing out of it", async (t) => {
  const { mls, connector, property } = await scene(t);
  const before = truthOf(mls);
  const seen = new Set<string>();
  for await (const page of connector.read(walk(property), never)) {
    for (const { key } of page.records) seen.add(key);
    mls.control.editMany({ keys: [...seen].slice(-10).map(Number) });
  }
  assert.deepEqual(
    before.filter((key) => !seen.has(key)),
    [],
  );
});

test("next links that lose the order are found out, not trusted", async (t) => {
  const options = { compositeOrderBy: false, nextLinkKeepsOrder: false, tieSize: 3 };
  const forced = await scene(t, options, { paging: "next-link" });
  await assert.rejects(
    pagesOf(forced.connector, changes(forced.property)),
    isCode("CONNECTOR_BAD_RESPONSE", /order of "ModificationTimestamp"/),
  );
  const free = await scene(t, options);
  assert.deepEqual(
    [...new Set(keysOf(await pagesOf(free.connector, changes(free.property))))],
    truthOf(free.mls),
  );
});

test("what works is remembered: a second connector does not try again", async (t) => {
  const { mls, connector, property, connect } = await scene(
    t,
    { orAcrossFields: false },
    { probe: "never" },
  );
  await pagesOf(connector, changes(property));
  const next = connect();
  await next.discover(never);
  mls.control.resetStats();
  await pagesOf(next, changes(property));
  assert.equal(mls.control.stats().byStatus["400"], undefined);
});

test("a record without a key, or with a wrong value, is bad and stops nothing", async (t) => {
  const { mls, connector, property } = await scene(t);
  const [nameless, wrong] = truthOf(mls).map(Number);
  assert.ok(nameless && wrong);
  mls.control.corrupt({ key: nameless, field: "ListingKeyNumeric", raw: "null" });
  mls.control.corrupt({ key: wrong, field: "ListPrice", raw: '"TBD"' });
  const pages = await pagesOf(connector, walk(property));
  const bad = pages.flatMap((page) => page.bad);
  assert.deepEqual(
    bad.map(({ key, problems }) => [key, problems[0]?.code]),
    [
      [undefined, "RECORD_KEY_MISSING"],
      [String(wrong), "RECORD_TYPE_MISMATCH"],
    ],
  );
  assert.equal(JSON.parse(bad[1]?.image ?? "").ListPrice, "TBD");
  assert.equal(keysOf(pages).length, 58);
  const marks = await pagesOf(connector, {
    kind: "walk",
    query: { schema: property },
    after: null,
    projection: "key",
  });
  assert.ok(marks.flatMap((page) => page.marks).some(({ key }) => key === String(wrong)));
});

test("deletions come with keys as the stream writes them", async (t) => {
  const { mls, connector, property } = await scene(t, { deletedHistory: 0 });
  const head = await connector.head({ schema: property }, never);
  assert.ok(head.deletions);
  const gone = truthOf(mls).slice(0, 12);
  for (const key of gone) mls.control.delete({ key: Number(key) });
  const read = (since: Cursor, overlapMs: number) =>
    pagesOf(connector, { kind: "deletions", query: { schema: property }, since, overlapMs });
  const pages = await read(head.deletions, 0);
  assert.deepEqual(pages.flatMap((page) => page.tombstones.map(({ key }) => key)).sort(), gone);
  const last = pages.at(-1)?.cursor;
  assert.ok(last);
  assert.deepEqual(await read(last, 0), []);
  assert.equal((await read(last, 3_600_000)).flatMap((page) => page.tombstones).length, 12);
});

test("a deletion feed that is known not to reach back is refused", async (t) => {
  const { property, connect } = await scene(t);
  const connector = connect({ deletions: { retentionDays: 30 } });
  const since = '{"v":1,"kind":"deletions","time":"2025-01-01T00:00:00Z","key":null}' as Cursor;
  const request = { kind: "deletions", query: { schema: property }, since, overlapMs: 0 } as const;
  await assert.rejects(pagesOf(connector, request), isCode("CURSOR_EXPIRED"));
});

test("key lists stay within the bound on URLs and find every record", async (t) => {
  const { mls, connector, property, connect } = await scene(t, {}, { urlLengthMax: 300 });
  for (const each of [connector, connect({ membership: "or" })]) {
    mls.control.resetStats();
    const keys = truthOf(mls).slice(0, 50) as unknown as readonly RecordKey[];
    const pages = await pagesOf(each, { kind: "keys", query: { schema: property }, keys });
    assert.deepEqual(keysOf(pages), keys);
    const targets = mls.control.stats().recent.filter((target) => target.includes("$filter"));
    assert.ok(targets.length > 1);
    for (const target of targets) assert.ok(mls.url.length + target.length <= 300, target);
  }
});

test("a live record comes with what it is related to", async (t) => {
  const { mls, connector, property } = await scene(t, { listings: 30, photosMax: 4 });
  const [media] = [...mls.truth("Media")];
  const key = String(media?.fields["ResourceRecordKeyNumeric"]) as RecordKey;
  const related = (names: readonly string[], of = key) =>
    connector.related?.({ schema: property }, of, names, never);
  const found = await related(["Media", "OpenHouse"]);
  assert.equal(String(found?.record["ListingKeyNumeric"]), key);
  const expected = [...mls.truth("Media")].filter(
    ({ fields }) => String(fields["ResourceRecordKeyNumeric"]) === key,
  );
  assert.deepEqual(
    found?.related["Media"]?.map((row) => row["MediaKey"]).sort(),
    expected.map((row) => row.key).sort(),
  );
  assert.equal(await related([], "999" as RecordKey), undefined);
  await assert.rejects(async () => related(["Medai"]), isCode("FIELD_UNKNOWN", /near it: "Media"/));
});

test("fields and streams that do not exist are refused before anything is read", async (t) => {
  const { mls, connector, property, connect } = await scene(t);
  mls.control.resetStats();
  const extra = { name: "ListPrise", type: { kind: "text" }, nullable: true } as const;
  const wrong = { ...property, fields: [...property.fields, extra] };
  await assert.rejects(
    pagesOf(connector, walk(wrong)),
    isCode("FIELD_UNKNOWN", /"ListPrise".*near it: "ListPrice"/),
  );
  assert.equal(mls.control.stats().requests, 0);
  const misnamed = connect({ streams: { Property: { modifiedAt: "ModificationTimestmp" } } });
  await assert.rejects(
    misnamed.discover(never),
    isCode("FIELD_UNKNOWN", /"ModificationTimestamp"/),
  );
});

test("check tells what the probe found and what was never confirmed", async (t) => {
  const { connector } = await scene(t, { compositeOrderBy: false, inOperator: false });
  const { summary, facts } = await connector.check(never);
  assert.match(
    summary,
    /^OData service at 127\.0\.0\.1:\d+, 10 streams, read with a token, profile wfrmls$/,
  );
  for (const fact of ["order by time and key: no", "`in` lists: no", "page cap: 10"]) {
    assert.ok(facts.includes(fact), facts.join("\n"));
  }
  assert.ok(facts.some((fact) => fact.startsWith("not confirmed for wfrmls: ")));
});
