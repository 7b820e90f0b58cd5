import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createScene } from "./scene.ts";

for (const way of ["the whole list", "its keys"] as const)
  test(`entries of a list without a key delete nothing, where records are asked for by ${way}`, async (t) => {
    const items = ["A", "B", "C"].map((sku, at) => ({ id: at + 1, sku, price: 1 }));
    let hides = (_id: number): boolean => false;
    const api = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? "", "http://localhost");
      const ids = searchParams.get("ids")?.split(",");
      const told = items
        .filter(({ id }) => ids?.includes(String(id)) !== false)
        .map(({ id, ...rest }) => (hides(id) ? rest : { id, ...rest }));
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(told));
    });
    api.listen(0, "127.0.0.1");
    await once(api, "listening");
    t.after(() => api.close());
    const { port } = api.address() as AddressInfo;
    const scene = createScene(t);
    scene.sql("CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL, price INTEGER)");
    const fields = { id: "integer", sku: "text", price: "integer" };
    const keys = way === "its keys" ? { keys: "ids" } : {};
    const stream = { list: "/items", key: "id", fields, ...keys };
    const url = `http://127.0.0.1:${port}`;
    scene.configure({
      systems: { remote: { connector: "rest", url, streams: { items: stream } } },
      sync: {
        sides: {
          shop: { system: "shop", stream: "product" },
          api: { system: "remote", stream: "items", direction: "read" },
        },
        match: "sku",
        fields: { sku: null, price: null },
      },
    });
    await scene.run();
    const skus = () => scene.rows("SELECT sku FROM product ORDER BY sku").map(({ sku }) => sku);
    assert.deepEqual(skus(), ["A", "B", "C"]);

    for (const some of [(id: number) => id > 1, () => true]) {
      hides = some;
      assert.deepEqual(await scene.plan(), []);
      await scene.run();
      assert.deepEqual(skus(), ["A", "B", "C"]);
    }
    hides = () => false;
    items.pop();
    await scene.run();
    assert.deepEqual(skus(), ["A", "B"]);
  });
