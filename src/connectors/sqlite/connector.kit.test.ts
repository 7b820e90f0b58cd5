import { join } from "node:path";
import { openSqlite, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Connector } from "../../ports/connector.ts";
import {
  type ConnectorSubject,
  type NamedValues,
  REFUSED,
  type SubjectWrites,
} from "../../testing/connector-kit/subject.ts";
import { connectorKit } from "../../testing/connector-kit.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { createSqliteConnector } from "./connector.ts";

/** Tables as strangers make them: every kind of key, every declared type, triggers of their own. */
const TABLES = `
  CREATE TABLE product (
    sku VARCHAR(40) PRIMARY KEY NOT NULL, name TEXT NOT NULL, price DECIMAL(14,2),
    weight REAL, cost TEXT, stock INTEGER CHECK (stock >= 0), active BOOLEAN,
    launched DATE, opens TIME, seen DATETIME, epoch BIGINT, ms BIGINT, iso TEXT,
    photo BLOB, extra JSON, label TEXT GENERATED ALWAYS AS (name || '!'),
    updated_at TIMESTAMP
  );
  CREATE TRIGGER product_changed AFTER UPDATE ON product BEGIN
    UPDATE product SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE sku = new.sku;
  END;
  CREATE TRIGGER product_made AFTER INSERT ON product BEGIN
    UPDATE product SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE sku = new.sku;
  END;
  CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT NOT NULL);
  CREATE TABLE line (
    "order" INTEGER NOT NULL, no INTEGER NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY ("order", no)
  ) WITHOUT ROWID;
  CREATE VIEW active AS SELECT id, name FROM customer;
`;

const PAGE_SIZE = 4;
const TABLE_KEYS = { product: ["sku"], customer: ["id"], line: ["order", "no"], active: ["id"] };

const SETTINGS = {
  tables: {
    product: {
      fields: { cost: "decimal", epoch: "epoch-seconds", ms: "epoch-ms", iso: "timestamp-iso" },
    },
    active: { key: "id" },
  },
} as const;

function createRecord(database: SqliteDatabase, table: string, nth: number): RecordKey {
  switch (table) {
    case "product":
      database
        .prepare("INSERT INTO product (sku, name, price, stock) VALUES (?, ?, ?, ?)")
        .run([`Ä${nth} ö`, `name ${nth}`, nth / 100, nth]);
      return `Ä${nth} ö` as RecordKey;
    case "line":
      database.prepare("INSERT INTO line VALUES (?, ?, ?)").run([nth % 3, nth, `note ${nth}`]);
      return JSON.stringify([String(nth % 3), String(nth)]) as RecordKey;
    default: {
      const [id] =
        database
          .prepare("INSERT INTO customer (email, name) VALUES (?, ?) RETURNING id")
          .get([`${nth}@example.com`, `name ${nth}`]) ?? [];
      return String(id) as RecordKey;
    }
  }
}

function keyMatch(table: string, key: RecordKey): readonly [string, readonly string[]] {
  if (table === "product") return ["sku = ?", [key]];
  if (table !== "line") return ["id = ?", [key]];
  return [`"order" = ? AND no = ?`, JSON.parse(key) as string[]];
}

async function createSubject(isCaptured = false): Promise<ConnectorSubject> {
  const folder = createTemporaryFolder();
  const path = join(folder.path, "shop.db");
  const database = openSqlite(path);
  database.exec(`PRAGMA synchronous = OFF; ${TABLES}`);
  let nth = 0;
  const create = (table: string): RecordKey => {
    nth += 1;
    return createRecord(database, table, nth);
  };
  database.transaction(() => {
    for (const table of ["product", "customer", "line"]) {
      for (let count = 0; count < 13; count += 1) create(table);
    }
  });
  const open = (): Connector =>
    createSqliteConnector({
      database: openSqlite(path, { foreign: true }),
      settings: SETTINGS,
      pageSize: PAGE_SIZE,
    });
  const connector = open();
  if (isCaptured) {
    const streams = Object.keys(TABLE_KEYS).filter((stream) => stream !== "active");
    const request = { action: "install", streams, dryRun: false } as const;
    await connector.capture?.(request, new AbortController().signal);
  }
  return {
    connector,
    streams: Object.keys(TABLE_KEYS),
    pageSize: PAGE_SIZE,
    keys: async (stream) => {
      const names = TABLE_KEYS[stream as keyof typeof TABLE_KEYS];
      const list = names.map((name) => `CAST("${name}" AS TEXT)`).join(", ");
      const rows = database.prepare(`SELECT ${list} FROM ${stream}`).all();
      return rows.map((row) => (row.length === 1 ? row[0] : JSON.stringify(row)) as RecordKey);
    },
    people: {
      create: async (stream) => create(stream),
      async update(stream, keys) {
        nth += 1;
        database.transaction(() => {
          for (const key of keys) {
            const [match, parameters] = keyMatch(stream, key);
            const field = stream === "line" ? "note" : "name";
            const table = stream === "active" ? "customer" : stream;
            database
              .prepare(`UPDATE ${table} SET ${field} = ? WHERE ${match}`)
              .run([`changed ${nth}`, ...parameters]);
          }
        });
      },
      async remove(stream, key) {
        const [match, parameters] = keyMatch(stream, key);
        const table = stream === "active" ? "customer" : stream;
        database.prepare(`DELETE FROM ${table} WHERE ${match}`).run(parameters);
      },
      async spoil(stream, key) {
        const [match, parameters] = keyMatch(stream, key);
        const field = stream === "line" ? "note" : "name";
        const table = stream === "active" ? "customer" : stream;
        database.prepare(`UPDATE ${table} SET ${field} = x'00ff' WHERE ${match}`).run(parameters);
      },
    },
    writes: createWrites(),
    reopen: async () => open(),
    filter: {
      stream: "product",
      text: "stock > 3 OR name = 'x'",
      keys: async () =>
        database
          .prepare("SELECT sku FROM product WHERE stock > 3")
          .all()
          .map(([sku]) => String(sku) as RecordKey),
    },
    async close() {
      await connector.close();
      database.close();
      folder.remove();
    },
  };
}

function createWrites(): SubjectWrites {
  let nth = 1000;
  return {
    fresh: (stream): NamedValues => {
      nth += 1;
      if (stream === "product") return { sku: `new ${nth}`, name: "n", price: "0.1", active: true };
      if (stream === "line") return { order: "7", no: String(nth), note: "n" };
      return { email: `${nth}@example.com`, name: `new ${nth}` };
    },
    change: (stream) => {
      nth += 1;
      if (stream === "product") return { name: `name ${nth}`, price: `${nth}.5` };
      return stream === "line" ? { note: `note ${nth}` } : { name: `name ${nth}` };
    },
    refused: (stream) => {
      if (stream === "product") return { values: { stock: "-1" }, field: "stock" };
      if (stream === "line") return { values: { note: null }, field: "note" };
      return { values: { email: "15@example.com" }, field: "email" };
    },
    promise: (_stream, field, value) => {
      if (typeof value !== "string") return undefined;
      if (!value.isWellFormed()) return REFUSED;
      if (field === "stock" && value.startsWith("-")) return REFUSED;
      return undefined;
    },
  };
}

connectorKit("sqlite", { create: () => createSubject() });
connectorKit("sqlite with capture", { create: () => createSubject(true) });
