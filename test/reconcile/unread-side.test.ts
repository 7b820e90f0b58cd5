import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createScene } from "./scene.ts";

test("a side that cannot be read is never in step: plan and run say so and end with 4", async (t) => {
  // How many requests are answered yet: the first one of a command only asks what there is.
  let left = Number.POSITIVE_INFINITY;
  const api = createServer((_request, response) => {
    response.statusCode = left > 0 ? 200 : 404;
    left -= 1;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify([{ sku: "A", price: 1 }]));
  });
  api.listen(0, "127.0.0.1");
  await once(api, "listening");
  t.after(() => api.close());
  const { port } = api.address() as AddressInfo;
  const scene = createScene(t);
  scene.sql(`CREATE TABLE product (sku TEXT PRIMARY KEY, price INTEGER);
    INSERT INTO product VALUES ('A', 1)`);
  const stream = { list: "/items", key: "sku", fields: { sku: "text", price: "integer" } };
  const remote = { connector: "rest", url: `http://127.0.0.1:${port}`, streams: { items: stream } };
  scene.configure({
    systems: { remote },
    sync: {
      sides: {
        shop: { system: "shop", stream: "product" },
        stock: { system: "remote", stream: "items", direction: "read" },
      },
      match: "sku",
    },
  });
  assert.equal((await scene.cli("run")).exit, 0);
  assert.equal((await scene.cli("plan")).exit, 0);
  left = 1;
  const plan = await scene.cli("plan");
  assert.equal(plan.exit, 4);
  assert.match(plan.out, /^Nothing to do by itself: inventory: stock could not be read\.$/m);
  assert.match(plan.out, /^Note: stock could not be read and is left as it is: /m);
  assert.match(plan.out, /^stock +remote items +1 +not read /m);
  left = 1;
  const run = await scene.cli("run");
  assert.equal(run.exit, 4);
  assert.match(run.out, /^Done in part: inventory: nothing had to be written /m);
  assert.match(run.out, /Note: stock could not be read and is left as it is: /);
  left = 1;
  const { sides } = JSON.parse((await scene.cli("run", "--json")).out);
  assert.deepEqual([sides[0].outcome, sides[0].unread], ["partial", ["stock"]]);
  left = Number.POSITIVE_INFINITY;
  assert.equal((await scene.cli("run")).exit, 0);
});
