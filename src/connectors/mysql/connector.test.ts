import assert from "node:assert/strict";
import { test } from "node:test";
import { mysqlMissing, mysqlServer, type TestDatabase } from "../../../test/mysql/server.ts";
import type { StreamRecord } from "../../model/record.ts";
import type { NamedValues } from "../../testing/connector-kit/subject.ts";
import {
  headOf,
  newsSince,
  outcomeWords,
  recordsOf,
  type TableScene,
  tableScene,
  walkTable,
  writeToTable,
} from "../../testing/table-scene.ts";
import type { MysqlSettings } from "./config.ts";
import { createMysqlConnector } from "./connector.ts";
import { openMysql } from "./database.ts";
import { parseMysqlUrl } from "./url.ts";

const never = new AbortController().signal;
const options = { skip: mysqlMissing };

interface Shop extends TableScene {
  readonly database: TestDatabase;
}

async function openShop(sql: string, settings: MysqlSettings = {}, pageSize = 100): Promise<Shop> {
  const database = await (await mysqlServer()).createDatabase();
  await database.query(sql);
  const pool = openMysql(parseMysqlUrl(database.url), {
    lockTimeoutSeconds: 1,
    origin: "the 'shop'",
  });
  const connector = createMysqlConnector({ database: pool, settings, pageSize });
  return { database, ...tableScene(connector) };
}

const walked = async (shop: Shop, table: string): Promise<readonly StreamRecord[]> =>
  recordsOf(await walkTable(shop, table));

test("types, keys and rights are told as the catalog has them", options, async () => {
  const shop = await openShop(
    `CREATE TABLE a (id int unsigned AUTO_INCREMENT PRIMARY KEY, n decimal(10,2), s varchar(5),
       b bigint unsigned, e enum('x','it''s'), t datetime(3), g int AS (1) STORED, f tinyint(1),
       u tinyint unsigned, y year, j json, touched timestamp NULL ON UPDATE current_timestamp);
     CREATE TABLE b (x uuid NOT NULL UNIQUE, y int);
     CREATE TABLE c (y int);
     CREATE TABLE d (k int PRIMARY KEY) ENGINE=MyISAM;
     CREATE TABLE p (k varchar(40) NOT NULL, UNIQUE (k(3)));
     CREATE VIEW v AS SELECT * FROM a;
     CREATE TABLE _lockstep_x (id int PRIMARY KEY);`,
    { tables: { a: { tinyint1: "integer" } } },
  );
  const streams = await shop.connector.discover(never);
  assert.deepEqual(
    streams.map(({ name, key }) => [name, key]),
    [
      ["a", ["id"]],
      ["b", ["x"]],
      ["d", ["k"]],
    ],
  );
  const [a, b] = streams;
  assert.deepEqual(
    a?.fields.map(({ type }) => type),
    [
      { kind: "integer", bits: 64 },
      { kind: "decimal", precision: 10, scale: 2 },
      { kind: "text", maxLength: 5 },
      { kind: "decimal", precision: 20, scale: 0 },
      { kind: "text" },
      { kind: "timestamp", precision: 3 },
      { kind: "integer", bits: 32 },
      { kind: "integer", bits: 16 },
      { kind: "integer", bits: 16 },
      { kind: "integer", bits: 16 },
      { kind: "json" },
      { kind: "timestamp", precision: 0 },
    ],
  );
  assert.equal(a?.modifiedAt, "touched");
  assert.equal(a?.traits.write?.assignsKeys, true);
  assert.equal(a?.traits.write?.fields?.includes("g"), false);
  assert.equal(b?.traits.write?.assignsKeys, false);
  const { summary, facts } = await shop.connector.check(never);
  assert.match(
    summary,
    /^(MariaDB|MySQL) [\d.]+ at mysql:.* as lockstep@127\.0\.0\.1 with 3 tables$/,
  );
  assert.deepEqual(facts.slice(2), [
    "d: key k; no time of change; read only: its engine MyISAM has no transactions",
    "c: left out, it has no key; name one under tables.c.key",
    "p: left out, it has no key; name one under tables.p.key",
    "v: left out, it has no key; name one under tables.v.key",
  ]);
  await shop.connector.close();
});

test("triggers see the origin of our writes, and nobody else's", options, async () => {
  const shop = await openShop(`
    CREATE TABLE t (id int PRIMARY KEY, note text);
    CREATE TABLE seen (origin text);
    CREATE TRIGGER see AFTER INSERT ON t FOR EACH ROW INSERT INTO seen VALUES (@lockstep_origin);
    CREATE TRIGGER look AFTER UPDATE ON t FOR EACH ROW INSERT INTO seen VALUES (@lockstep_origin);`);
  await writeToTable(shop, "t", [{ create: { id: 1, note: "x" }, key: "1" }]);
  await shop.database.query("UPDATE t SET note = 'y'");
  const rows = await shop.database.query("SELECT origin FROM seen");
  assert.deepEqual(
    rows.map(({ origin }) => origin),
    ["the 'shop'", null],
  );
  await shop.connector.close();
});

test("of a thousand records those that are refused are found", options, async () => {
  const shop = await openShop(`
    CREATE TABLE kind (id int PRIMARY KEY); INSERT INTO kind VALUES (1);
    CREATE TABLE t (id int PRIMARY KEY, kind int, small varchar(3), n decimal(5,2), u int UNIQUE,
      day date, CONSTRAINT t_kind FOREIGN KEY (kind) REFERENCES kind (id),
      CONSTRAINT never_13 CHECK (n is null or n <> 13));
    CREATE TRIGGER no_77 BEFORE UPDATE ON t FOR EACH ROW
      IF new.u = 77 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not 77'; END IF;
    INSERT INTO t (id) WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 1000)
      SELECT i FROM s;`);
  const bad: Readonly<Record<number, NamedValues>> = {
    5: { u: 5 },
    17: { kind: 99 },
    400: { small: "long" },
    401: { n: "13" },
    402: { n: "100000" },
    403: { day: "2024-02-30" },
    404: { u: 77 },
    999: { u: 5 },
  };
  const outcomes = await writeToTable(
    shop,
    "t",
    Array.from({ length: 1000 }, (_, at) => ({
      key: String(at + 1),
      update: bad[at + 1] ?? { kind: 1 },
    })),
  );
  const refused = outcomes.flatMap((outcome, at) =>
    outcome.kind === "rejected" ? [[at + 1, outcome.problem.field]] : [],
  );
  assert.deepEqual(refused, [
    [17, "kind"],
    [400, "small"],
    [401, "n"],
    [402, "n"],
    [403, "day"],
    [404, undefined],
    [999, "u"],
  ]);
  const last = outcomes[998];
  assert.ok(last?.kind === "rejected");
  // The server repeats the value that is taken; a message must not.
  assert.equal(
    last.problem.message,
    `Table "t" refuses the record (MySQL: Duplicate entry for key 'u').`,
  );
  const [row] = await shop.database.query("SELECT count(*) AS c FROM t WHERE kind = 1");
  assert.deepEqual({ ...row }, { c: 992 });
  await shop.connector.close();
});

test("what is expected holds exactly: case, blanks, digits, nulls", options, async () => {
  const shop = await openShop(`
    CREATE TABLE t (id varchar(20) PRIMARY KEY, s varchar(20), n decimal(30,10), f float, b longblob,
      g set('x', 'y', 'z')) CHARACTER SET utf8mb4;
    INSERT INTO t VALUES ('a', 'Text', 12345678901234567890.1234567891, 0.1, x'00ff', 'x,z');`);
  const [record] = await walked(shop, "t");
  assert.deepEqual(record?.values, [
    "a",
    "Text",
    "12345678901234567890.1234567891",
    Math.fround(0.1),
    "AP8=",
    ["x", "z"],
  ]);
  const attempt = async (expected: NamedValues, key = "a"): Promise<string | undefined> =>
    outcomeWords(await writeToTable(shop, "t", [{ key, update: { s: "Text" }, expected }]))[0];
  assert.equal(await attempt({ s: "text" }), "conflict");
  assert.equal(await attempt({ s: "Text " }), "conflict");
  assert.equal(await attempt({ s: null }), "conflict");
  assert.equal(await attempt({ n: "12345678901234567890.1234567892" }), "conflict");
  assert.equal(await attempt({ g: ["x"] }), "conflict");
  assert.equal(await attempt({ b: "AP4=" }), "conflict");
  assert.equal(await attempt({}, "A"), "conflict");
  const whole: NamedValues = {
    s: "Text",
    n: "12345678901234567890.1234567891",
    f: Math.fround(0.1),
    b: "AP8=",
    g: ["z", "x"],
  };
  assert.equal(await attempt(whole), "written");
  await shop.connector.close();
});

test("keys that a collation thinks alike are walked and never mistaken", options, async () => {
  const shop = await openShop(
    `CREATE TABLE t (id varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, n int);
     INSERT INTO t VALUES ('a', 1), ('A', 2), ('ä', 3), ('b', 4), ('B', 5), ('', 6), ('\u{1f600}', 7);
     CREATE VIEW alike AS SELECT CONVERT(id USING utf8mb4) COLLATE utf8mb4_general_ci AS id, n FROM t;
     CREATE TABLE e (id enum('z', 'm', 'a') PRIMARY KEY, n int);
     INSERT INTO e VALUES ('z', 1), ('m', 2), ('a', 3);
     CREATE TABLE ci (id varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY);
     INSERT INTO ci VALUES ('a'), ('B'), ('c'), ('D');`,
    { tables: { alike: { key: "id" } } },
    1,
  );
  for (const [table, count] of [
    ["t", 7],
    ["alike", 7],
    ["e", 3],
    ["ci", 4],
  ] as const) {
    const keys = (await walked(shop, table)).map(({ key }) => key);
    assert.equal(new Set(keys).size, count, table);
    assert.equal(keys.length, count, table);
  }
  const outcomes = await writeToTable(shop, "ci", [
    { create: { id: "A" }, key: "A" },
    { create: { id: "e" }, key: "e" },
    { create: { id: "a" }, key: "a" },
    { remove: true, key: "b" },
  ]);
  assert.deepEqual(outcomeWords(outcomes), ["rejected id", "written", "conflict", "written"]);
  assert.equal((await walked(shop, "ci")).length, 5);
  await shop.connector.close();
});

test("keys move, spellings change, a key of 0 is a key", options, async () => {
  const shop = await openShop(`
    CREATE TABLE t (id varchar(9) PRIMARY KEY, note text); INSERT INTO t VALUES ('a', 'x');
    CREATE TABLE u (id uuid PRIMARY KEY, n int);
    CREATE TABLE z (id int AUTO_INCREMENT PRIMARY KEY, n int);`);
  const moved = await writeToTable(shop, "t", [{ key: "a", update: { id: "c", note: "y" } }]);
  assert.deepEqual(moved[0], {
    kind: "written",
    stored: { key: "c", values: ["c", "y"] },
  });
  const upper = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11";
  const [spelled] = await writeToTable(shop, "u", [{ key: upper, create: { id: upper, n: 1 } }]);
  assert.ok(spelled?.kind === "written");
  assert.equal(spelled.stored?.key, upper.toLowerCase());
  const zeros = await writeToTable(shop, "z", [{ create: { n: 1 } }, { create: { n: 2 } }]);
  assert.deepEqual(
    zeros.map((outcome) => outcome.kind === "written" && outcome.stored?.key),
    ["1", "2"],
  );
  await shop.connector.close();
});

test("zero dates and hours beyond a day are bad records, not lost ones", options, async () => {
  const shop = await openShop(`
    CREATE TABLE t (id int PRIMARY KEY, at datetime, d date, h time, updated_at datetime(6));
    SET sql_mode = '';
    INSERT INTO t VALUES (1, '0000-00-00', null, null, '2024-01-01'), (2, null, '2024-00-10', null, '2024-01-01'),
      (3, null, null, '30:00:00', '2024-01-01'), (5, null, null, null, now() + interval 50 year),
      (6, null, null, '12:00:00', '2024-01-02');`);
  const query = { schema: await shop.schema("t") };
  const pages = await walkTable(shop, "t");
  assert.deepEqual(
    pages.flatMap(({ bad }) => bad.map(({ key, problems }) => `${key} ${problems[0]?.field}`)),
    ["1 at", "2 d", "3 h"],
  );
  // A cursor that followed a time far ahead would pass over every change until then.
  const since = await headOf(shop, query);
  await shop.database.query("UPDATE t SET updated_at = utc_timestamp(6) WHERE id = 6");
  assert.deepEqual((await newsSince(shop, query, since)).records, ["6"]);
  await shop.connector.close();
});

test("locks, missing rights, lost tables and lost servers have their codes", options, async () => {
  const shop = await openShop(`
    CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1), (2, 2);
    CREATE TABLE u (id int PRIMARY KEY, n int);`);
  const other = await shop.database.another();
  await other.query("BEGIN; UPDATE t SET n = 2 WHERE id = 1");
  const update = { key: "1", update: { n: 3 } };
  await assert.rejects(writeToTable(shop, "t", [{ key: "2", update: { n: 9 } }, update]), {
    code: "SYSTEM_LOCKED",
    intent: "retry",
  });
  await other.query("COMMIT");
  assert.deepEqual(
    (await walked(shop, "t")).map(({ values }) => values[1]),
    [2, 2],
  );
  assert.deepEqual(outcomeWords(await writeToTable(shop, "t", [update])), ["written"]);
  const schema = await shop.schema("u");
  await shop.database.query("DROP TABLE u");
  const head = shop.connector.head({ schema }, never);
  await assert.rejects(head, { code: "CONNECTOR_BAD_REQUEST", context: { stream: "u" } });
  await other.query("CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'r'");
  await other.query(`GRANT SELECT ON ${shop.database.name}.t TO reader@'127.0.0.1'`);
  const url = shop.database.url.replace(/lockstep:[^@]*@/, "reader:r@");
  const reader = createMysqlConnector({ database: openMysql(parseMysqlUrl(url)) });
  const [t] = await reader.discover(never);
  assert.ok(t);
  assert.equal(t.traits.write, undefined);
  const denied = reader.write?.({ schema: t }, [], never);
  await assert.rejects(async () => denied, { code: "CONNECTOR_UNSUPPORTED" });
  await reader.close();
  const nowhere = openMysql(parseMysqlUrl("mysql://u:p@127.0.0.1:1/x"));
  const lost = createMysqlConnector({ database: nowhere });
  await assert.rejects(lost.check(never), { code: "CONNECTOR_UNREACHABLE" });
  await lost.close();
  await other.close();
  await shop.connector.close();
});

test("a connection that is killed is told as such, and the next one works", options, async () => {
  const shop = await openShop("CREATE TABLE t (id int PRIMARY KEY, n int)");
  await writeToTable(shop, "t", [{ key: "1", create: { id: 1, n: 1 } }]);
  const ids = await shop.database.query(
    `SELECT id FROM information_schema.processlist
     WHERE db = '${shop.database.name}' AND id <> connection_id()`,
  );
  for (const { id } of ids) await shop.database.query(`KILL ${id}`);
  const update = { key: "1", update: { n: 2 } };
  await writeToTable(shop, "t", [update]).catch((error: unknown) => {
    assert.equal((error as { code?: unknown }).code, "CONNECTOR_UNREACHABLE");
  });
  assert.deepEqual(outcomeWords(await writeToTable(shop, "t", [update])), ["written"]);
  await shop.connector.close();
});
