import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parse } from "csv-parse/sync";
import type { Random } from "../../src/ports/runtime.ts";
import type { TestDatabase } from "../postgres/server.ts";

/** A record as both sides have it in the end. */
export interface Item {
  name: string;
  stock: string;
  price: string;
  note: string;
}

export type Items = Map<string, Item>;

/** A side as its people see it. */
export interface Desk {
  read(): Promise<Items>;
  put(sku: string, values: Partial<Item>): Promise<void>;
  remove(sku: string): Promise<void>;
}

/** A shop's table of items in PostgreSQL. */
export async function postgresDesk(database: TestDatabase): Promise<Desk> {
  await database.query(
    "CREATE TABLE item (sku text PRIMARY KEY, name text, stock integer, price numeric, note text)",
  );
  return {
    read: async () =>
      new Map(
        (await database.query("SELECT * FROM item")).map(({ sku, name, stock, price, note }) => [
          String(sku),
          { name: String(name), stock: String(stock), price: String(price), note: String(note) },
        ]),
      ),
    put: async (sku, values) => {
      await database.query("INSERT INTO item (sku) VALUES ($1) ON CONFLICT DO NOTHING", [sku]);
      for (const [field, value] of Object.entries(values)) {
        const cast = field === "stock" ? "::integer" : field === "price" ? "::numeric" : "";
        await database.query(`UPDATE item SET ${field} = $2::text${cast} WHERE sku = $1`, [
          sku,
          value,
        ]);
      }
    },
    remove: async (sku) => {
      await database.query("DELETE FROM item WHERE sku = $1", [sku]);
    },
  };
}

/** The same in a SQLite file. */
export function sqliteDesk(directory: string): Desk {
  const path = join(directory, "shop.db");
  const withDatabase = <T>(act: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(path, { timeout: 10_000 });
    try {
      return act(database);
    } finally {
      database.close();
    }
  };
  withDatabase((database) =>
    database.exec(
      "CREATE TABLE item (sku TEXT PRIMARY KEY NOT NULL, name TEXT, stock INTEGER, price NUMERIC(10,2), note TEXT)",
    ),
  );
  return {
    read: async () =>
      withDatabase((database) => {
        const rows = database.prepare("SELECT * FROM item").all();
        const text = (row: Record<string, unknown>, name: keyof Item): string => String(row[name]);
        return new Map(
          rows.map((row) => [
            String(row["sku"]),
            {
              name: text(row, "name"),
              stock: text(row, "stock"),
              price: text(row, "price"),
              note: text(row, "note"),
            },
          ]),
        );
      }),
    put: async (sku, values) =>
      withDatabase((database) => {
        database.prepare("INSERT OR IGNORE INTO item (sku) VALUES (?)").run(sku);
        for (const [field, value] of Object.entries(values)) {
          database.prepare(`UPDATE item SET ${field} = ? WHERE sku = ?`).run(value, sku);
        }
      }),
    remove: async (sku) =>
      withDatabase((database) => {
        database.prepare("DELETE FROM item WHERE sku = ?").run(sku);
      }),
  };
}

const COLUMNS = ["sku", "name", "stock", "price", "note"] as const;

/** The warehouse's file, edited as by somebody who opens it, changes a line and saves it. */
export function csvDesk(directory: string): Desk {
  const path = join(directory, "warehouse.csv");
  writeFileSync(path, `${COLUMNS.join(",")}\n`);
  const lines = (): Record<string, string>[] => parse(readFileSync(path), { columns: true });
  const save = (rows: readonly Record<string, string>[]): void =>
    writeFileSync(
      path,
      [COLUMNS, ...rows.map((row) => COLUMNS.map((name) => row[name] ?? ""))]
        .map((cells) => `${cells.join(",")}\n`)
        .join(""),
    );
  return {
    read: async () => {
      const rows = lines();
      const items: Items = new Map();
      for (const { sku = "", ...row } of rows) {
        if (items.has(sku)) throw new Error(`${sku} stands twice in the file.`);
        items.set(sku, row as unknown as Item);
      }
      return items;
    },
    put: async (sku, values) => {
      const rows = lines();
      const row = rows.find((each) => each["sku"] === sku);
      if (row === undefined) save([...rows, { sku, ...values }]);
      else {
        Object.assign(row, values);
        save(rows);
      }
    },
    remove: async (sku) => save(lines().filter((row) => row["sku"] !== sku)),
  };
}

/** What people of both sides did, and so what must be there in the end. */
export interface People {
  readonly expected: Items;
  /** Some edits on both sides. */
  work(): Promise<void>;
  /** Both sides agree: from now on anything may be deleted. */
  settled(): void;
}

/**
 * The shop's people keep names and stock, the warehouse's prices and notes; so no two say
 * something else of one field, and whatever anybody said last must be on both sides in the end.
 * A record that was edited since the sides last agreed is deleted by nobody, since an edit beats
 * a delete.
 */
export function createPeople(shop: Desk, warehouse: Desk, random: Random): People {
  const expected: Items = new Map();
  const touched = new Set<string>();
  let count = 0;
  const any = <T>(list: readonly T[]): T | undefined =>
    list[Math.floor(random.next() * list.length)];
  const number = (below: number): string => String(Math.floor(random.next() * below));
  const add = async (desk: Desk): Promise<void> => {
    count += 1;
    const sku = `S-${count}`;
    const item = {
      name: `item ${count}`,
      stock: number(100),
      price: `${number(90)}.5`,
      note: "new",
    };
    await desk.put(sku, item);
    expected.set(sku, item);
    touched.add(sku);
  };
  const edit = async (desk: Desk, values: Partial<Item>): Promise<void> => {
    const there = [...(await desk.read()).keys()].filter((sku) => expected.has(sku));
    const sku = any(there);
    const item = sku === undefined ? undefined : expected.get(sku);
    if (sku === undefined || item === undefined) return;
    await desk.put(sku, values);
    Object.assign(item, values);
    touched.add(sku);
  };
  const remove = async (desk: Desk): Promise<void> => {
    const there = [...(await desk.read()).keys()];
    const sku = any(there.filter((each) => expected.has(each) && !touched.has(each)));
    if (sku === undefined) return;
    await desk.remove(sku);
    expected.delete(sku);
  };
  return {
    expected,
    work: async () => {
      for (let times = 0; times < 4; times += 1) {
        await add(shop);
        await add(warehouse);
        await edit(shop, { name: `name ${number(1000)}`, stock: number(100) });
        await edit(warehouse, { price: `${number(90)}.25`, note: `bin ${number(50)}` });
      }
      await remove(shop);
      await remove(warehouse);
    },
    settled: () => touched.clear(),
  };
}
