import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, suite, test } from "node:test";
import { SyncError } from "../../model/sync-error.ts";
import {
  type InventoryScene,
  openInventoryScene,
  walkInventory,
} from "../../testing/inventory-scene.ts";
import type { RestClient } from "./client.ts";
import { listPages, nextLink } from "./paging.ts";
import { windowOf } from "./positions.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function scene(...settings: Parameters<typeof openInventoryScene>): Promise<InventoryScene> {
  const opened = await openInventoryScene(...settings);
  closing.push(opened.close);
  return opened;
}

suite("lists by position", () => {
  for (const paging of ["page", "offset"] as const) {
    test(`${paging}: rows that are deleted above during a walk hide none`, async () => {
      const style = { style: paging, parameter: paging, sizeParameter: "limit", size: 4 };
      for (const gone of [[1], [1, 2, 3], [4], [3, 4], [1, 2, 3, 4, 5, 6]]) {
        const at = await scene({ paging, items: 30 }, { paging: style });
        const found = await walkInventory(at, (page) => {
          if (page === 1) for (const id of gone) at.inventory.remove(id);
        });
        const expected = at.inventory.items().map(({ id }) => String(id));
        assert.deepEqual(
          expected.filter((id) => !found.includes(id)),
          [],
          `without ${gone}`,
        );
      }
    });
  }

  for (const style of ["page", "offset"] as const)
    for (const heedsSize of [true, false])
      test(`${style}: a position that the API heeds not makes no endless list, ${heedsSize}`, async (t) => {
        const all = [1, 2, 3, 4, 5].map((id) => ({ id }));
        const api = createServer((request, response) => {
          const { searchParams } = new URL(request.url ?? "", "http://localhost");
          const size = heedsSize ? Number(searchParams.get("size")) : 5;
          response.setHeader("content-type", "application/json");
          response.end(JSON.stringify(all.slice(0, size)));
        });
        api.listen(0, "127.0.0.1");
        await once(api, "listening");
        t.after(() => api.close());
        const { port } = api.address() as AddressInfo;
        const paging = { style, parameter: "page", sizeParameter: "size", size: 4 };
        const stream = { list: "/items", records: undefined, fields: { id: "integer" }, paging };
        const plain = { get: undefined, create: undefined, update: undefined, delete: undefined };
        const rest = { modifiedAt: undefined, changes: undefined, etag: undefined };
        const system = { url: `http://127.0.0.1:${port}` };
        const at = await scene({}, { ...stream, ...plain, ...rest, assigned: undefined }, system);
        await assert.rejects(walkInventory(at), (error) => {
          assert.ok(error instanceof SyncError);
          assert.equal(error.code, "PAGING_LOOP");
          assert.match(error.message, /answers every "page" of the list/);
          return true;
        });
      });

  test("an API that gives fewer than it is asked for", async () => {
    const style = { style: "page", parameter: "page", sizeParameter: "limit", size: 50 };
    const at = await scene({ pageSize: 7, items: 40 }, { paging: style });
    assert.equal(new Set(await walkInventory(at)).size, 40);
  });

  test("page sizes are chosen so that little is read twice", () => {
    const paging = {
      style: "page",
      parameter: "p",
      first: 1,
      size: { parameter: "n", value: 100 },
    };
    for (let wanted = 0; wanted < 3_000; wanted += 1) {
      const { start, number, size } = windowOf(paging as never, wanted, 100);
      assert.equal(start, (number - 1) * size);
      assert.ok(start <= wanted && start + size > wanted + 40, `${wanted}: ${start} + ${size}`);
    }
  });
});

test("pages that lead in a circle end the read", async () => {
  const after: Readonly<Record<string, string>> = {
    "": "two",
    two: "three",
    three: "one",
    one: "two",
  };
  const asked: string[] = [];
  const client: RestClient = {
    ask: async (_stream, { parameters = [] }) => {
      const [[, token] = ["", ""]] = parameters;
      asked.push(token);
      return {
        status: 200,
        headers: {},
        url: "",
        body: { items: [{ id: token }], next: after[token] },
      };
    },
    tryTo: () => assert.fail("nothing is written"),
    wrong: (_stream, _answer, why) => assert.fail(why),
    sealed: (_stream, url) => url,
  };
  const paging = { style: "cursor", parameter: "after", from: "next" };
  const stream = { name: "items", list: { method: "GET", path: "/items" }, paging } as never;
  const { signal } = new AbortController();
  const ask = { client, stream, parameters: [], identity: String, signal };
  await assert.rejects(
    async () => {
      for await (const page of listPages(ask, { at: "start" })) assert.equal(page.rows.length, 1);
    },
    { code: "PAGING_LOOP" },
  );
  assert.deepEqual(asked, ["", "two", "three", "one"]);
});

test("Link headers (RFC 8288)", () => {
  assert.equal(nextLink('<https://a/b?x=1,2>; rel="next"'), "https://a/b?x=1,2");
  assert.equal(
    nextLink('<u1>; rel="prev first"; title="a, b", <u2>; title="rel=next"; rel=next'),
    "u2",
  );
  assert.equal(nextLink('<u1>; rel="last next"'), "u1");
  assert.equal(nextLink('<u1>; rel="prev"'), undefined);
  assert.equal(nextLink(""), undefined);
});
