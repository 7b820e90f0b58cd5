import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openLockstep } from "../../src/app.ts";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";
import { mysqlMissing, mysqlServer } from "../mysql/server.ts";
import { postgresMissing, postgresServer } from "../postgres/server.ts";

const RECORDS = 300;
const watch = { signal: new AbortController().signal };

const CONFIGURATION = `systems:
  shop: { connector: postgres, url: env:SHOP_URL }
  stock: { connector: mysql, url: env:STOCK_URL }
syncs:
  items:
    match: sku
    fields: { sku: , name: , price: , note: }
    policy: [{ prefer: stock }]
    guard: { changeShare: 100%, deleteShare: 100% }
    sides:
      shop: { system: shop, stream: item }
      stock: { system: stock, stream: item }
`;

test("tables that tell digests are read where they changed, and nowhere else", {
  skip: postgresMissing || mysqlMissing,
}, async () => {
  const folder = createTemporaryFolder();
  const shop = await (await postgresServer()).createDatabase();
  const stock = await (await mysqlServer()).createDatabase();
  const columns = "sku varchar(40) PRIMARY KEY, name varchar(80), price decimal(12,2), note text";
  await shop.query(`CREATE TABLE item (${columns})`);
  await stock.query(`CREATE TABLE item (${columns}, clerk varchar(20)) CHARACTER SET utf8mb4`);
  await shop.query(
    `INSERT INTO item SELECT 'S-' || n, 'Item ' || n, n / 4.0, NULL
       FROM generate_series(1, ${RECORDS}) AS n`,
  );
  writeFileSync(join(folder.path, "lockstep.yaml"), CONFIGURATION);
  const env = { SHOP_URL: shop.url, STOCK_URL: stock.url };
  const lockstep = await openLockstep({ directory: folder.path, env });
  const readBy = async (request: { readonly full?: boolean }): Promise<readonly unknown[]> => {
    const { isEqual, compared, sides } = await lockstep.reconcile.verify("items", request, watch);
    return [isEqual, compared, ...sides.map(({ read }) => read)];
  };
  try {
    await lockstep.reconcile.run("items", watch);
    assert.deepEqual(await readBy({}), [true, RECORDS, 0, 0], "what was written is known");
    assert.deepEqual(await readBy({ full: true }), [true, RECORDS, RECORDS, RECORDS]);

    await shop.query("UPDATE item SET note = '' WHERE sku = 'S-7'");
    await shop.query("UPDATE item SET price = price WHERE sku = 'S-8'");
    await stock.query("UPDATE item SET clerk = 'ann' WHERE sku = 'S-9'");
    await stock.query("DELETE FROM item WHERE sku = 'S-10'");
    assert.deepEqual(await readBy({}), [false, RECORDS, 1, 2], "null, then an empty text");
    const { applied } = await lockstep.reconcile.run("items", watch);
    assert.deepEqual(
      Object.entries(applied.sides).map(([side, { written }]) => [side, written]),
      [
        ["shop", 1],
        ["stock", 1],
      ],
    );
    assert.deepEqual(await shop.query("SELECT count(*)::int AS n FROM item"), [{ n: RECORDS - 1 }]);
    assert.deepEqual(await readBy({ full: true }), [true, RECORDS - 1, RECORDS - 1, RECORDS - 1]);
    assert.deepEqual(await readBy({}), [true, RECORDS - 1, 0, 0]);
    const next = await lockstep.reconcile.plan("items", watch);
    assert.deepEqual(Object.values(next.head.sides), [
      { creates: 0, updates: 0, deletes: 0 },
      { creates: 0, updates: 0, deletes: 0 },
    ]);
  } finally {
    await lockstep.close();
    folder.remove();
  }
});

test("what `where` leaves out is asked about anew once the configuration says otherwise", {
  skip: postgresMissing,
}, async () => {
  const folder = createTemporaryFolder();
  const server = await postgresServer();
  const [shop, stock] = [await server.createDatabase(), await server.createDatabase()];
  const columns = "sku varchar(40) PRIMARY KEY, name varchar(80), price decimal(12,2), note text";
  for (const { query } of [shop, stock]) await query(`CREATE TABLE item (${columns})`);
  await shop.query(
    `INSERT INTO item SELECT 'S-' || n, 'Item ' || n, n, NULL FROM generate_series(1, 100) AS n`,
  );
  const env = { SHOP_URL: shop.url, STOCK_URL: stock.url };
  const runWhere = async (where: string): Promise<readonly unknown[]> => {
    const sides = CONFIGURATION.replace("mysql", "postgres").replace(
      "shop, stream: item }",
      `shop, stream: item, where: ${JSON.stringify(where)} }`,
    );
    writeFileSync(join(folder.path, "lockstep.yaml"), sides);
    const lockstep = await openLockstep({ directory: folder.path, env });
    try {
      for (const { id } of await lockstep.halts({ waiting: true })) {
        await lockstep.release(id, "ann");
      }
      await lockstep.reconcile.run("items", watch);
    } finally {
      await lockstep.close();
    }
    return stock.query("SELECT count(*)::int AS n, max(price)::int AS most FROM item");
  };
  try {
    for (const _ of [1, 2]) {
      assert.deepEqual(await runWhere("price <= 10"), [{ n: 10, most: 10 }]);
    }
    await assert.rejects(runWhere("price <= 20"), { code: "GUARD_SETTINGS_CHANGED" });
    assert.deepEqual(await runWhere("price <= 20"), [{ n: 20, most: 20 }]);
    await shop.query("UPDATE item SET price = 5 WHERE sku = 'S-90'");
    await shop.query("DELETE FROM item WHERE sku = 'S-91'");
    assert.deepEqual(await runWhere("price <= 20"), [{ n: 21, most: 20 }]);
  } finally {
    folder.remove();
  }
});
