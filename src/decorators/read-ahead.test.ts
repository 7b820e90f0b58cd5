import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cursor } from "../model/cursor.ts";
import type { Connector, Page, ReadRequest } from "../ports/connector.ts";
import { readAhead } from "./read-ahead.ts";

const NEVER = new AbortController().signal;
const TRAITS = { changes: true, deletions: false, sweep: true, count: false };
const QUERY = { schema: { name: "Property", fields: [], key: [], traits: TRAITS } };
const WALK: ReadRequest = { kind: "walk", query: QUERY, after: null, projection: "record" };

/** Tells what it is asked for; page `broken` throws. */
function tellingConnector(told: string[], broken = Number.NaN): Connector {
  return {
    capabilities: { keysPerRead: 1, concurrency: 1 },
    check: async () => ({ summary: "", facts: [] }),
    discover: async () => [],
    head: async () => ({}),
    async *read(_request, signal) {
      try {
        for (let page = 1; page <= 3; page += 1) {
          signal.throwIfAborted();
          told.push(`fetched ${page}`);
          if (page === broken) throw new Error(`page ${page} is broken`);
          yield pageOf(String(page));
        }
      } finally {
        told.push("ended");
      }
    },
    close: async () => undefined,
  };
}

const pageOf = (cursor: string): Page => ({
  records: [],
  marks: [],
  tombstones: [],
  bad: [],
  cursor: cursor as Cursor,
});

/** Lets everything happen that waits for nothing outside. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("one page is fetched while the one before it is written, and never two", async () => {
  const told: string[] = [];
  for await (const { cursor } of readAhead(tellingConnector(told)).read(WALK, NEVER)) {
    await settled();
    told.push(`written ${cursor}`);
  }
  assert.deepEqual(told, [
    "fetched 1",
    "fetched 2",
    "written 1",
    "fetched 3",
    "written 2",
    "ended",
    "written 3",
  ]);
});

test("a page that fails is told after the page before it was written", async () => {
  const told: string[] = [];
  const read = async (): Promise<void> => {
    for await (const { cursor } of readAhead(tellingConnector(told, 2)).read(WALK, NEVER)) {
      await settled();
      told.push(`written ${cursor}`);
    }
  };
  await assert.rejects(read(), /page 2 is broken/);
  assert.deepEqual(told, ["fetched 1", "fetched 2", "ended", "written 1"]);
});

test("a reader that stops ends the read", async () => {
  const told: string[] = [];
  for await (const _ of readAhead(tellingConnector(told)).read(WALK, NEVER)) break;
  assert.deepEqual(told, ["fetched 1", "fetched 2", "ended"]);
});

test("keys are not asked for before they are wanted", async () => {
  const told: string[] = [];
  const request: ReadRequest = { kind: "keys", query: QUERY, keys: [] };
  for await (const _ of readAhead(tellingConnector(told)).read(request, NEVER)) break;
  assert.deepEqual(told, ["fetched 1", "ended"]);
});
