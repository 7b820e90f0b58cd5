import { test } from "node:test";
import { mysqlMissing, mysqlServer, type TestDatabase } from "../../../test/mysql/server.ts";
import { type RecordKey, recordKey } from "../../model/record.ts";
import type { Connector } from "../../ports/connector.ts";
import {
  type ConnectorSubject,
  type NamedValues,
  REFUSED,
  type SubjectWrites,
} from "../../testing/connector-kit/subject.ts";
import { connectorKit } from "../../testing/connector-kit.ts";
import { createMysqlConnector } from "./connector.ts";
import { openMysql } from "./database.ts";
import { parseMysqlUrl } from "./url.ts";

/** Tables as strangers make them: every kind of key and type, triggers, checks, a view. */
const TABLES = `
  CREATE TABLE product (
    sku varchar(60) PRIMARY KEY, name text NOT NULL, price decimal(14,2), cost decimal(40,12),
    weight double, rough float, small smallint, stock int CHECK (stock is null or stock <> -5),
    big bigint, huge bigint unsigned, flags bit(8), flag bit(1), active tinyint(1), born year,
    launched date, opens time(6), seen timestamp(6) NULL, local datetime(6), coarse datetime,
    photo longblob, extra json, feeling enum('fine', 'so so', 'it''s bad'), code char(8),
    tags set('a', 'b', 'c'), ref uuid, latin varchar(60) CHARACTER SET latin1, long_text longtext,
    label varchar(255) GENERATED ALWAYS AS (left(concat(name, '!'), 200)) STORED,
    updated_at timestamp(6) NOT NULL DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6)
  ) CHARACTER SET utf8mb4;
  CREATE TABLE customer (
    id bigint unsigned AUTO_INCREMENT PRIMARY KEY, email varchar(190) UNIQUE, name text NOT NULL
  ) CHARACTER SET utf8mb4;
  CREATE TRIGGER shout_new BEFORE INSERT ON customer FOR EACH ROW SET new.name = upper(new.name);
  CREATE TRIGGER shout BEFORE UPDATE ON customer FOR EACH ROW SET new.name = upper(new.name);
  CREATE TABLE line (
    \`order\` int NOT NULL, \`No \`\`1\`\`\` varchar(40) NOT NULL, note text NOT NULL,
    UNIQUE (\`order\`, \`No \`\`1\`\`\`)
  ) CHARACTER SET utf8mb4;
  CREATE VIEW active AS SELECT id, name FROM customer;
`;

const PAGE_SIZE = 4;
const TABLE_KEYS = {
  product: ["sku"],
  customer: ["id"],
  line: ["order", "No `1`"],
  active: ["id"],
} as const;

type Name = keyof typeof TABLE_KEYS;

const quoted = (name: string): string => `\`${name.replaceAll("`", "``")}\``;

async function keysIn(database: TestDatabase, table: Name, where = "true"): Promise<RecordKey[]> {
  const names = TABLE_KEYS[table];
  const list = names.map((name, at) => `${quoted(name)} AS k${at}`).join(", ");
  const rows = await database.query(`SELECT ${list} FROM ${table} WHERE ${where}`);
  return rows.map((row) => recordKey(names.map((_name, at) => String(row[`k${at}`]))));
}

async function createRecord(database: TestDatabase, table: Name, nth: number): Promise<RecordKey> {
  if (table === "product") {
    const sql = "INSERT INTO product (sku, name, price, stock) VALUES (?, ?, ?, ?)";
    await database.query(sql, [`Ä${nth} ö`, `name ${nth}`, nth / 100, nth]);
    return `Ä${nth} ö` as RecordKey;
  }
  if (table === "line") {
    await database.query("INSERT INTO line VALUES (?, ?, ?)", [nth % 3, `b ${nth}`, "note"]);
    return recordKey([nth % 3, `b ${nth}`]);
  }
  const sql = "INSERT INTO customer (email, name) VALUES (?, ?)";
  await database.query(sql, [`${nth}@example.com`, `NAME ${nth}`]);
  const [row] = await database.query("SELECT last_insert_id() AS id");
  return String(row?.["id"]) as RecordKey;
}

function matching(table: Name, keys: readonly RecordKey[]): string {
  const names = TABLE_KEYS[table].map(quoted).join(", ");
  const tuples = keys.map((key) => {
    const parts = table === "line" ? (JSON.parse(key) as string[]) : [key];
    return `(${parts.map((part) => `'${part.replaceAll("'", "''")}'`).join(", ")})`;
  });
  return `(${names}) IN (${tuples.join(", ")})`;
}

async function createSubject(isCaptured = false): Promise<ConnectorSubject> {
  const database = await (await mysqlServer()).createDatabase();
  await database.query(TABLES);
  let nth = 0;
  const create = (table: Name): Promise<RecordKey> => {
    nth += 1;
    return createRecord(database, table, nth);
  };
  for (const table of ["product", "customer", "line"] as const) {
    for (let count = 0; count < 13; count += 1) await create(table);
  }
  const open = (): Connector =>
    createMysqlConnector({
      database: openMysql(parseMysqlUrl(database.url)),
      settings: { zone: "America/Denver", tables: { active: { key: "id" } } },
      pageSize: PAGE_SIZE,
    });
  const connector = open();
  if (isCaptured) {
    const streams = ["product", "customer", "line"];
    const request = { action: "install", streams, dryRun: false } as const;
    await connector.capture?.(request, new AbortController().signal);
  }
  const reopened: Connector[] = [];
  const base = (stream: string): Name => (stream === "active" ? "customer" : (stream as Name));
  return {
    connector,
    streams: Object.keys(TABLE_KEYS),
    pageSize: PAGE_SIZE,
    keys: (stream) => keysIn(database, stream as Name),
    people: {
      create: (stream) => create(base(stream)),
      async update(stream, keys) {
        nth += 1;
        const field = stream === "line" ? "note" : "name";
        const table = base(stream);
        const sql = `UPDATE ${table} SET ${field} = 'CHANGED ${nth}' WHERE ${matching(table, keys)}`;
        await database.query(sql);
      },
      async remove(stream, key) {
        const table = base(stream);
        await database.query(`DELETE FROM ${table} WHERE ${matching(table, [key])}`);
      },
    },
    writes: createWrites(),
    reopen: async () => {
      const again = open();
      reopened.push(again);
      return again;
    },
    async withWrongCredentials() {
      const url = database.url.replace("s3cret-of-tests", "a-wrong-password");
      const wrong = openMysql(parseMysqlUrl(url));
      return { connector: createMysqlConnector({ database: wrong }), secret: "a-wrong-password" };
    },
    filter: {
      stream: "product",
      text: "stock > 3 OR name = 'x'",
      keys: () => keysIn(database, "product", "stock > 3"),
    },
    async close() {
      for (const each of [connector, ...reopened]) await each.close();
    },
  };
}

function createWrites(): SubjectWrites {
  let nth = 1000;
  return {
    fresh: (stream): NamedValues => {
      nth += 1;
      if (stream === "product") return { sku: `new ${nth}`, name: "n", price: "0.1", active: true };
      if (stream === "line") return { order: 7, "No `1`": String(nth), note: "n" };
      return { email: `${nth}@example.com`, name: `NEW ${nth}` };
    },
    change: (stream) => {
      nth += 1;
      if (stream === "product") return { name: `name ${nth}`, price: `${nth}.5` };
      return stream === "line" ? { note: `note ${nth}` } : { name: `name ${nth}` };
    },
    refused: (stream) => {
      if (stream === "product") return { values: { stock: -5 }, field: "stock" };
      if (stream === "line") return { values: { note: null }, field: "note" };
      return { values: { email: "15@example.com" }, field: "email" };
    },
    promise: promiseOf,
  };
}

/** What a `timestamp` can hold; MariaDB 11.5 holds more. */
const isOfTimestamp = (value: string): boolean =>
  value > "1970-01-01T00:00:01Z" && value < "2038-01-19";

function promiseOf(
  stream: string,
  field: string,
  value: NamedValues[string],
): ReturnType<NonNullable<SubjectWrites["promise"]>> {
  if (field === "rough" && typeof value === "number") {
    const single = Math.fround(value);
    return Number.isFinite(single) ? single : REFUSED;
  }
  if (field === "born") return typeof value === "number" && value !== 0 ? REFUSED : undefined;
  if (field === "flags" && value !== null && value !== 0) return REFUSED;
  if (field === "tags" && Array.isArray(value) && value.length > 0) return REFUSED;
  if (typeof value !== "string") return undefined;
  if (!value.isWellFormed()) return REFUSED;
  if (field === "huge") return /^\d{1,16}$/.test(value) ? undefined : REFUSED;
  if (field === "feeling" || field === "ref") return REFUSED;
  if (field === "latin" && !/^[\0-\u00ff]*$/.test(value)) return REFUSED;
  if (field === "seen" && !isOfTimestamp(value)) return REFUSED;
  // Trailing blanks are none of a char(n)'s characters.
  if (field === "code" && value.length <= 8) return value.trimEnd();
  // The trigger writes capitals.
  if (stream === "customer" && field === "name") return value.toUpperCase();
  // Of an hour that the clock shows twice, a time without zone is the first.
  if (field === "local" || field === "coarse") {
    if (value === "2024-11-03T07:30:00Z") return "2024-11-03T07:30:00Z";
    if (value.startsWith("0001-01-01T00:00:00")) return REFUSED;
  }
  return undefined;
}

if (mysqlMissing === false) {
  connectorKit("mysql", { create: () => createSubject() });
  connectorKit("mysql with capture", { create: () => createSubject(true) });
} else test("connector kit: mysql", { skip: mysqlMissing }, () => undefined);
