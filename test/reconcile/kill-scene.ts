import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
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

/** A side as its people see it; each of their acts is done at once or not at all. */
export interface Desk {
  /** Throws where a sku stands twice. */
  read(): Promise<Items>;
  add(sku: string, item: Item): Promise<void>;
  edit(sku: string, values: Partial<Item>): Promise<void>;
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
    add: async (sku, { name, stock, price, note }) => {
      await database.query(
        "INSERT INTO item VALUES ($1, $2, $3::text::integer, $4::text::numeric, $5)",
        [sku, name, stock, price, note],
      );
    },
    edit: async (sku, values) => {
      const sets = Object.keys(values).map((field, at) => {
        const cast = field === "stock" ? "::integer" : field === "price" ? "::numeric" : "";
        return `${field} = $${at + 2}::text${cast}`;
      });
      await database.query(`UPDATE item SET ${sets} WHERE sku = $1`, [
        sku,
        ...Object.values(values),
      ]);
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
    add: async (sku, { name, stock, price, note }) =>
      withDatabase((database) => {
        const insert = database.prepare("INSERT INTO item VALUES (?, ?, ?, ?, ?)");
        insert.run(sku, name, stock, price, note);
      }),
    edit: async (sku, values) =>
      withDatabase((database) => {
        const sets = Object.keys(values).map((field) => `${field} = ?`);
        const update = database.prepare(`UPDATE item SET ${sets} WHERE sku = ?`);
        update.run(...Object.values(values), sku);
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
    add: async (sku, item) => save([...lines(), { sku, ...item }]),
    edit: async (sku, values) =>
      save(lines().map((row) => (row["sku"] === sku ? { ...row, ...values } : row))),
    remove: async (sku) => save(lines().filter((row) => row["sku"] !== sku)),
  };
}

/** What people of both sides did, and so what must be there in the end. */
export interface People {
  readonly expected: Items;
  /** Some edits on each of the desks. */
  work(): Promise<void>;
  /** One thing after the other, for as long as a run goes on, at the desks that allow it. */
  workDuring(run: Promise<unknown>): Promise<void>;
  /** Both sides agree: from now on anything may be deleted. */
  settled(): void;
}

/** Who keeps which fields: no two people say something else of one field. */
export const KEPT_BY_WAREHOUSE: readonly (keyof Item)[] = ["price", "note"];

/**
 * The shop's people keep names and stock, the warehouse's prices and notes; whatever anybody said
 * last must be on both sides in the end. A record that was edited since the sides last agreed is
 * deleted by nobody, since an edit beats a delete.
 */
export function createPeople(
  { shop, warehouse }: Readonly<Record<"shop" | "warehouse", Desk>>,
  random: Random,
  /** Where people can work while a run reads and writes: a file is saved as a whole. */
  duringRuns: readonly ("shop" | "warehouse")[],
): People {
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
    await desk.add(sku, item);
    expected.set(sku, item);
    touched.add(sku);
  };
  const edit = async (desk: Desk): Promise<void> => {
    const there = [...(await desk.read()).keys()].filter((sku) => expected.has(sku));
    const sku = any(there);
    const item = sku === undefined ? undefined : expected.get(sku);
    if (sku === undefined || item === undefined) return;
    const values =
      desk === shop
        ? { name: `name ${number(1000)}`, stock: number(100) }
        : { price: `${number(90)}.25`, note: `bin ${number(50)}` };
    await desk.edit(sku, values);
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
  const desks = duringRuns.map((name) => ({ shop, warehouse })[name]);
  return {
    expected,
    work: async () => {
      for (let times = 0; times < 4; times += 1) {
        for (const act of [add, edit]) for (const desk of [shop, warehouse]) await act(desk);
      }
      for (const desk of [shop, warehouse]) await remove(desk);
    },
    workDuring: async (run) => {
      let isOver = false;
      const over = run.then(() => {
        isOver = true;
      });
      while (!isOver) {
        const [act, desk] = [any([add, edit, edit, remove]), any(desks)];
        if (act !== undefined && desk !== undefined) await act(desk);
        await Promise.race([over, delay(random.next() * 400)]);
      }
    },
    settled: () => touched.clear(),
  };
}
