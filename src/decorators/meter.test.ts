import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cursor } from "../model/cursor.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { Connector, Page } from "../ports/connector.ts";
import type { HttpTransport } from "../ports/http.ts";
import { createMeter } from "./meter.ts";

const NEVER = new AbortController().signal;
const PAGE: Page = { records: [], marks: [], tombstones: [], bad: [], cursor: "1" as Cursor };

function schemaOf(name: string): StreamSchema {
  const traits = { changes: true, deletions: false, sweep: true, count: false };
  return { name, fields: [], key: [], traits };
}

/** A connector that sends `pages` requests for a read, one before each page. */
function connectorOver(transport: HttpTransport, pages: number): Connector {
  const send = () => transport.send({ method: "GET", url: "http://mls.test/", headers: {} }, NEVER);
  return {
    capabilities: { keysPerRead: 1, concurrency: 2 },
    check: async () => ({ summary: "", facts: [] }),
    discover: async () => [],
    head: async () => {
      await send();
      return {};
    },
    async *read() {
      for (let page = 0; page < pages; page += 1) {
        await send();
        yield PAGE;
      }
    },
    close: async () => undefined,
  };
}

test("interleaved reads are counted for their own streams", async () => {
  const meter = createMeter();
  const transport = meter.transport({
    send: async () => ({ status: 200, headers: {}, body: "", bytes: 7 }),
    close: async () => undefined,
  });
  const source = meter.connector(connectorOver(transport, 3));
  const read = async (name: string): Promise<void> => {
    const query = { schema: schemaOf(name) };
    await source.head(query, NEVER);
    const request = { kind: "walk", query, after: null, projection: "record" } as const;
    for await (const _ of source.read(request, NEVER)) meter.waited(5, name === "Member");
  };
  await Promise.all([read("Property"), read("Member")]);
  assert.deepEqual(meter.traffic("Property"), { requests: 4, bytes: 28, retries: 0, waitedMs: 0 });
  assert.deepEqual(meter.traffic("Member"), { requests: 4, bytes: 28, retries: 0, waitedMs: 0 });
  assert.equal(meter.traffic("").retries, 3);
});

test("leaving a read early ends the inner one", async () => {
  const meter = createMeter();
  let ended = false;
  const inner: Connector = {
    ...connectorOver({ send: async () => assert.fail(), close: async () => undefined }, 0),
    async *read() {
      try {
        yield PAGE;
        yield PAGE;
      } finally {
        ended = true;
      }
    },
  };
  const request = {
    kind: "walk",
    query: { schema: schemaOf("Office") },
    after: null,
    projection: "key",
  } as const;
  for await (const _ of meter.connector(inner).read(request, NEVER)) break;
  assert.ok(ended);
});
