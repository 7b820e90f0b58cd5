import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { SampleInventoryOptions } from "../../src/testing/sample-inventory/index.ts";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";
import { postgresMissing, postgresServer } from "../postgres/server.ts";
import { startInventoryProcess } from "./inventory-process.ts";
import { FIELDS, KILLS, surviveKills } from "./kill-run.ts";
import { postgresDesk } from "./kill-scene.ts";

const HALF = Math.ceil(KILLS / 2);

/** Two APIs: one that is kind to those who lose an answer, and one that is not. */
const APIS: Readonly<Record<string, Pick<SampleInventoryOptions, "idempotency" | "updates">>> = {
  "idempotency keys": { idempotency: true, updates: "PATCH" },
  "no idempotency keys and whole records": { idempotency: false, updates: "PUT" },
};

const configuration = (
  url: string,
  { idempotency = false, updates = "PATCH" }: (typeof APIS)[string],
): string => `systems:
  shop: { connector: postgres, url: env:SHOP_URL }
  inventory:
    connector: rest
    url: ${url}
    token: env:INVENTORY_TOKEN
    paging: { style: page, parameter: page, sizeParameter: limit, size: 50 }
    streams:
      items:
        list: /items
        get: /items/{id}
        create: POST /items
        update: ${updates} /items/{id}
        delete: DELETE /items/{id}
        records: data.items
        record: data
        total: data.total
        key: id
        assigned: true
        fields: { id: integer, sku: text, name: text, price: decimal, stock: integer, note: text }
        keys: ids
        etag: true
${idempotency ? "        idempotency: Idempotency-Key\n" : ""}syncs:
  inventory:
    sides:
      shop: { system: shop, stream: item }
      warehouse: { system: inventory, stream: items }
    match: sku
    fields: ${FIELDS}
    guard: { deleteShare: 100%, changeShare: 100% }
`;

for (const [kind, api] of Object.entries(APIS)) {
  const title = `kill -9 at ${HALF} random moments of a sync of PostgreSQL and a REST API with ${kind}`;
  test(`${title} loses and doubles nothing`, {
    skip: postgresMissing,
  }, async (t) => {
    const folder = createTemporaryFolder();
    const database = await (await postgresServer()).createDatabase();
    const inventory = await startInventoryProcess({
      auth: { kind: "bearer", token: "the-secret" },
      pageSize: 50,
      // It would take the same item twice, so that whoever makes it twice is seen.
      uniqueSkus: false,
      ...api,
    });
    try {
      writeFileSync(join(folder.path, "lockstep.yaml"), configuration(inventory.url, api));
      await surviveKills(t, {
        place: {
          directory: folder.path,
          env: { SHOP_URL: database.url, INVENTORY_TOKEN: "the-secret" },
        },
        shop: await postgresDesk(database),
        warehouse: inventory.desk,
        kills: HALF,
        duringRuns: ["shop", "warehouse"],
        ambush: inventory,
      });
    } finally {
      await inventory.close();
      folder.remove();
    }
  });
}
