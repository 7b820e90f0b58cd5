import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { StreamSchema } from "../../model/schema.ts";
import { isSyncError } from "../../model/sync-error.ts";
import type { Connector, StreamQuery, WalkRange } from "../../ports/connector.ts";
import { createTestMemory, testClock } from "../../testing/connector-ports.ts";
import { type SampleMls, startSampleMls } from "../../testing/sample-mls/index.ts";
import type { SampleMlsOptions } from "../../testing/sample-mls/options.ts";
import { createUndiciTransport } from "../http/undici-transport.ts";
import type { ResoConfig } from "./config.ts";
import { createResoConnector } from "./connector.ts";

const never = new AbortController().signal;

interface Scene {
  readonly mls: SampleMls;
  readonly connector: Connector;
  schema(name: string): Promise<StreamSchema>;
  /** As a walk begins: the head first, then the division. */
  divide(query: StreamQuery, count: number): Promise<readonly WalkRange[]>;
  sizes(query: StreamQuery, ranges: readonly WalkRange[]): Promise<readonly number[]>;
}

async function createScene(
  t: TestContext,
  options: SampleMlsOptions,
  config: Partial<ResoConfig> = {},
): Promise<Scene> {
  const mls = await startSampleMls({ listings: 600, pageSize: 20, photosMax: 1, ...options });
  const connector = createResoConnector(
    { profile: "wfrmls", url: mls.url, token: mls.token, ...config },
    { http: createUndiciTransport(), clock: testClock, memory: createTestMemory() },
  );
  t.after(async () => {
    await connector.close();
    await mls.close();
  });
  return {
    mls,
    connector,
    async schema(name) {
      const found = (await connector.discover(never)).find((schema) => schema.name === name);
      return found ?? assert.fail(`no stream ${name}`);
    },
    async divide(query, count) {
      await connector.head(query, never);
      return (await connector.partition?.(query, count, never)) ?? assert.fail("no partitions");
    },
    async sizes(query, ranges) {
      const keys = new Set<string>();
      const sizes: number[] = [];
      for (const range of ranges) {
        const before = keys.size;
        const request = { kind: "walk", query, after: null, projection: "key", range } as const;
        let given = 0;
        for await (const { marks } of connector.read(request, never)) {
          for (const { key } of marks) keys.add(key);
          given += marks.length;
        }
        assert.equal(keys.size - before, given, "a record stands in two parts");
        sizes.push(given);
      }
      assert.equal(
        keys.size,
        query.filter === undefined ? mls.count(query.schema.name) : keys.size,
      );
      return sizes;
    },
  };
}

const refusal = (act: () => Promise<unknown>): Promise<string> =>
  act().then(
    () => assert.fail("it was divided"),
    (error: unknown) => {
      assert.ok(isSyncError(error));
      assert.equal(error.code, "CONNECTOR_UNSUPPORTED");
      return error.message;
    },
  );

test("numeric and text keys are divided at equal distances by looking far on", async (t) => {
  const scene = await createScene(t, {});
  for (const stream of ["Property", "Media"]) {
    const query = { schema: await scene.schema(stream) };
    const ranges = await scene.divide(query, 4);
    assert.equal(ranges.length, 4);
    const sizes = await scene.sizes(query, ranges);
    assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join());
  }
});

test("a server that refuses a far `$skip` is asked for counts instead", async (t) => {
  const scene = await createScene(t, { skipLimit: 5 });
  const query = { schema: await scene.schema("Property") };
  const ranges = await scene.divide(query, 3);
  const sizes = await scene.sizes(query, ranges);
  assert.equal(sizes.length, 3);
  assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 6, sizes.join());
  const media = { schema: await scene.schema("Media") };
  assert.match(await refusal(() => scene.divide(media, 3)), /lets nobody look at a record far on/);
});

test("a filter with `or` is divided as it stands", async (t) => {
  const scene = await createScene(t, {});
  const filter = "ListingKeyNumeric lt 1000300 or ListingKeyNumeric gt 1000900";
  const query = { schema: await scene.schema("Property"), filter };
  const whole = (await scene.sizes(query, [{ after: null, upTo: null }]))[0] ?? 0;
  const sizes = await scene.sizes(query, await scene.divide(query, 3));
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    whole,
  );
  assert.ok(whole > 0 && whole < scene.mls.count("Property"));
  assert.equal(sizes.length, 3);
});

test("what fits into a page is one part", async (t) => {
  const scene = await createScene(t, { listings: 30 });
  const ranges = await scene.divide({ schema: await scene.schema("Property") }, 8);
  assert.deepEqual(ranges, [{ after: null, upTo: null }]);
});

test("a part is read by next links where the server takes no filter by key", async (t) => {
  const scene = await createScene(t, {});
  const query = { schema: await scene.schema("Property") };
  const ranges = await scene.divide(query, 3);
  // The setting changed after the plan was saved: the walk goes on in the parts that it has.
  const linked = createResoConnector(
    { profile: "wfrmls", url: scene.mls.url, token: scene.mls.token, paging: "next-link" },
    { http: createUndiciTransport(), clock: testClock, memory: createTestMemory() },
  );
  t.after(() => linked.close());
  let found = 0;
  for (const range of ranges) {
    const request = { kind: "walk", query, after: null, projection: "key", range } as const;
    for await (const { marks } of linked.read(request, never)) found += marks.length;
  }
  assert.equal(found, scene.mls.count("Property"));
  assert.match(await refusal(async () => linked.partition?.(query, 3, never)), /order of its own/);
});

test("platforms with an order of their own cannot be divided, and say so", async (t) => {
  const scene = await createScene(t, { plays: "trestle" }, { profile: "trestle" });
  const query = { schema: await scene.schema("Property") };
  assert.match(await refusal(() => scene.divide(query, 3)), /gives it in an order of its own/);
});
