import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { configSchema, openLockstep, systemTypes } from "../../src/app.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import { openSqlite } from "../../src/drivers/sqlite/database.ts";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";
import { fakeIo } from "../support/cli-io.ts";

const APP = { open: openLockstep, types: systemTypes, configSchema: async () => configSchema() };

/** A shop and a warehouse that disagree: two files, and the command line between them. */
export interface SidesScene {
  readonly folder: string;
  readonly shop: (sql: string) => readonly (readonly unknown[])[];
  readonly stock: (sql: string) => readonly (readonly unknown[])[];
  /** Price and title of an article, on the shop's side and on the warehouse's. */
  readonly article: (sku: string) => {
    readonly shop: readonly unknown[] | undefined;
    readonly stock: readonly unknown[] | undefined;
  };
  readonly lockstep: (
    args: readonly string[],
    answers?: readonly string[],
  ) => Promise<{ readonly exit: number; readonly out: string; readonly err: string }>;
  /** The result as `--json` prints it. */
  readonly json: <T>(
    ...args: readonly string[]
  ) => Promise<{ readonly exit: number; readonly result: T }>;
}

const SHOP = `
  CREATE TABLE product (sku TEXT PRIMARY KEY NOT NULL, title TEXT, price DECIMAL(12,2),
    stock INTEGER, updated_at TIMESTAMP);
  INSERT INTO product VALUES
    ('SKU-1', 'Mug', 10, 4, '2026-01-01 00:00:00'),
    ('SKU-2', 'Bowl', 12.5, 7, '2026-01-02 00:00:00'),
    ('SKU-3', 'Plate', 8, 1, '2026-01-03 00:00:00');
`;
const STOCK = `
  CREATE TABLE item (id INTEGER PRIMARY KEY, code TEXT, name TEXT, price DECIMAL(12,2),
    qty INTEGER, updated_at TIMESTAMP);
  INSERT INTO item (code, name, price, qty, updated_at) VALUES
    ('SKU-1', 'Mug', 11, 5, '2026-01-02 00:00:00'),
    ('SKU-2', 'Bowl, blue', 12.5, 7, '2026-01-02 00:00:00'),
    ('SKU-4', 'Knife', 3, 50, '2026-01-03 00:00:00'),
    ('SKU-6', 'Spoon', 3, 50, '2026-01-03 00:00:00'),
    ('SKU-6', 'Spoon', 3, 51, '2026-01-03 00:00:00');
`;

export function createSidesScene(t: TestContext, extra = ""): SidesScene {
  const temporary = createTemporaryFolder();
  const folder = temporary.path;
  const databases = [SHOP, STOCK].map((sql, index) => {
    const database = openSqlite(join(folder, `${index === 0 ? "shop" : "stock"}.db`));
    database.exec(sql);
    return database;
  });
  t.after(() => {
    for (const database of databases) database.close();
    temporary.remove();
  });
  writeFileSync(
    join(folder, "lockstep.yaml"),
    `systems:
  shopdb: { connector: sqlite, path: ./shop.db }
  stockdb: { connector: sqlite, path: ./stock.db }
syncs:
  inventory:
    match: sku
    fields:
      sku:
      title:
      price: { policy: latest-wins }
      qty: { policy: { prefer: stock } }
    sides:
      shop: { system: shopdb, stream: product, fields: { qty: stock } }
      stock: { system: stockdb, stream: item, fields: { sku: code, title: name } }
${extra}`,
  );
  const [first, second] = databases;
  assert.ok(first && second);
  const ask = (database: typeof first) => (sql: string) => database.prepare(sql).all();
  const [shop, stock] = [ask(first), ask(second)];
  const lockstep: SidesScene["lockstep"] = async (args, answers) => {
    const io = fakeIo({ directory: folder, ...(answers === undefined ? {} : { answers }) });
    const exit = await runCli(args, io, APP);
    return { exit, out: io.stdout(), err: io.stderr() };
  };
  return {
    folder,
    shop,
    stock,
    article: (sku) => ({
      shop: shop(`SELECT price, title FROM product WHERE sku = '${sku}'`)[0],
      stock: stock(`SELECT price, name FROM item WHERE code = '${sku}'`)[0],
    }),
    lockstep,
    json: async (...args) => {
      const { exit, out } = await lockstep([...args, "--json"]);
      return { exit, result: JSON.parse(out) };
    },
  };
}
