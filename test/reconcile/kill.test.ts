import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";
import { postgresMissing, postgresServer } from "../postgres/server.ts";
import { FIELDS, KILLS, type Place, surviveKills } from "./kill-run.ts";
import { csvDesk, type Desk, postgresDesk, sqliteDesk } from "./kill-scene.ts";

async function withCsv(
  t: TestContext,
  shop: Desk,
  place: Place,
  shopSystem: string,
): Promise<void> {
  writeFileSync(
    join(place.directory, "lockstep.yaml"),
    `systems:
  shop: ${shopSystem}
  warehouse: { connector: file, path: ./warehouse.csv, key: sku }
syncs:
  inventory:
    sides:
      shop: { system: shop, stream: item }
      warehouse: { system: warehouse, stream: warehouse }
    match: sku
    fields: ${FIELDS}
    guard: { deleteShare: 100%, changeShare: 100% }
`,
  );
  const warehouse = csvDesk(place.directory);
  await surviveKills(t, { place, shop, warehouse, kills: KILLS, duringRuns: ["shop"] });
}

test(`kill -9 at ${KILLS} random moments of a PostgreSQL and CSV sync loses and doubles nothing`, {
  skip: postgresMissing,
}, async (t) => {
  const folder = createTemporaryFolder();
  const database = await (await postgresServer()).createDatabase();
  try {
    const place = { directory: folder.path, env: { SHOP_URL: database.url } };
    const shop = await postgresDesk(database);
    await withCsv(t, shop, place, "{ connector: postgres, url: env:SHOP_URL }");
  } finally {
    folder.remove();
  }
});

test(`kill -9 at ${KILLS} random moments of a SQLite and CSV sync loses and doubles nothing`, {
  skip: postgresMissing === false && "PostgreSQL is here, and its test does the same",
}, async (t) => {
  const folder = createTemporaryFolder();
  try {
    const place = { directory: folder.path, env: {} };
    const system = "{ connector: sqlite, path: ./shop.db }";
    await withCsv(t, sqliteDesk(folder.path), place, system);
  } finally {
    folder.remove();
  }
});
