import assert from "node:assert/strict";
import { test } from "node:test";
import { INVENTORY_ITEMS } from "../../testing/inventory-scene.ts";
import { restConfigSchema } from "./config.ts";

const issuesOf = (stream: object): readonly string[] => {
  const items = { ...INVENTORY_ITEMS, ...stream };
  const url = "http://127.0.0.1:1";
  const { error } = restConfigSchema.safeParse({ url, streams: { items } });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")} ${message}`);
};

test("a write over what was seen needs the route that tells the ETag", () => {
  const told = "streams.items.etag needs `get`, since the answer for one record has its ETag";
  assert.deepEqual(issuesOf({}), []);
  assert.deepEqual(issuesOf({ get: undefined }), [told]);
  assert.deepEqual(issuesOf({ get: undefined, update: undefined }), [told]);
  assert.deepEqual(issuesOf({ get: undefined, etag: false }), []);
  assert.deepEqual(issuesOf({ get: undefined, update: undefined, delete: undefined }), []);
});
