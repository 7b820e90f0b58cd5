import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Page } from "../../ports/connector.ts";
import { openSqliteScene, type SqliteScene } from "../../testing/sqlite-scene.ts";
import {
  headOf,
  newsSince,
  outcomeWords,
  recordsOf,
  walkTable,
  writeToTable,
} from "../../testing/table-scene.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import type { SqliteSettings } from "./config.ts";
import { openSqliteConnector } from "./open-connector.ts";

const never = new AbortController().signal;

const openShop = (t: TestContext, sql: string, settings: SqliteSettings = {}): SqliteScene =>
  openSqliteScene(t, sql, { settings, busyTimeoutMs: 0 });

const valuesIn = (pages: readonly Page[]): readonly unknown[] =>
  recordsOf(pages).map(({ values }) => values);

test("types and keys are told as tables declare them, doubles as what they are", async (t) => {
  const shop = openShop(
    t,
    `CREATE TABLE a (id INTEGER PRIMARY KEY, n DECIMAL(10,2), m DECIMAL(38,10), s VARCHAR(5),
       r FLOAT, b BOOLEAN, d DATE, at DATETIME, x BLOB, j JSON, ModifiedAt TIMESTAMP);
     CREATE TABLE b (id INT PRIMARY KEY NOT NULL);
     CREATE TABLE c (x TEXT NOT NULL UNIQUE, y TEXT);
     CREATE TABLE d (x TEXT);
     CREATE TABLE e (id INTEGER PRIMARY KEY) WITHOUT ROWID;
     CREATE VIEW v AS SELECT * FROM a;
     CREATE TABLE _lockstep_tables (id INTEGER PRIMARY KEY);`,
  );
  const streams = await shop.connector.discover(never);
  const facts = streams.map(({ name, key, traits }) => [name, key, traits.write?.assignsKeys]);
  assert.deepEqual(facts, [
    ["a", ["id"], true],
    ["b", ["id"], false],
    ["c", ["x"], false],
    ["e", ["id"], false],
  ]);
  assert.deepEqual(
    streams[0]?.fields.map(({ type }) => type),
    [
      { kind: "integer", bits: 64 },
      { kind: "decimal", precision: 10, scale: 2 },
      { kind: "decimal", precision: 15 },
      { kind: "text" },
      { kind: "double" },
      { kind: "boolean" },
      { kind: "date" },
      { kind: "timestamp" },
      { kind: "binary" },
      { kind: "json" },
      { kind: "timestamp" },
    ],
  );
  assert.equal(streams[0]?.modifiedAt, "ModifiedAt");
  const { facts: lines } = await shop.connector.check(never);
  assert.deepEqual(lines.slice(-2), [
    "d: left out, it has no key; name one under tables.d.key",
    "v: left out, it has no key; name one under tables.v.key",
  ]);
});

test("times are read in every form, and written in the column's own", async (t) => {
  const shop = openShop(
    t,
    `CREATE TABLE a (id INTEGER PRIMARY KEY, at DATETIME);
     INSERT INTO a VALUES (1, '2024-05-01 08:30:00'), (2, '2024-05-01T08:30:00.5Z'), (3, '2024-05-01'),
       (4, '2024-05-01 08:30'), (5, '2024-05-01T08:30:00+02:00'), (6, '2016-12-31T23:59:60Z'),
       (7, '1900-01-01 00:00:00.123456789'), (8, 'soon'), (9, 1714552200);`,
    { zone: "America/Denver" },
  );
  const pages = await walkTable(shop, "a");
  assert.deepEqual(valuesIn(pages), [
    ["1", "2024-05-01T14:30:00Z"],
    ["2", "2024-05-01T08:30:00.5Z"],
    ["3", "2024-05-01T06:00:00Z"],
    ["4", "2024-05-01T14:30:00Z"],
    ["5", "2024-05-01T06:30:00Z"],
    ["6", "2017-01-01T00:00:00Z"],
    ["7", "1900-01-01T07:00:00.123456789Z"],
  ]);
  assert.deepEqual(
    pages.flatMap(({ bad }) => bad.map(({ key, image }) => [key, image])),
    [
      ["8", '{"id":8,"at":"soon"}'],
      ["9", '{"id":9,"at":1714552200}'],
    ],
  );
  await writeToTable(shop, "a", [{ key: "2", update: { at: "2024-12-01T00:00:00.25Z" } }]);
  const stored = shop.owner.prepare("SELECT at FROM a WHERE id = 2").get();
  assert.deepEqual(stored, ["2024-11-30 17:00:00.25"]);
});

test("a change is found whatever its form, one dated far ahead stops nothing", async (t) => {
  const shop = openShop(
    t,
    `CREATE TABLE a (id INTEGER PRIMARY KEY, at INTEGER);
     INSERT INTO a VALUES (1, unixepoch() - 10), (2, unixepoch() + 1000000000), (3, NULL);`,
    { tables: { a: { modifiedAt: "at", fields: { at: "epoch-seconds" } } } },
  );
  const query = { schema: await shop.schema("a") };
  const since = await headOf(shop, query);
  shop.owner.exec("UPDATE a SET at = unixepoch() - 5 WHERE id = 3");
  const { records } = await newsSince(shop, query, since);
  assert.deepEqual(records, ["3"]);
});

test("rows without a key are told, and keys are what they are, not what a collation says", async (t) => {
  const shop = openShop(
    t,
    `CREATE TABLE a (k TEXT PRIMARY KEY COLLATE NOCASE, n INTEGER);
     INSERT INTO a VALUES (NULL, 1), ('abc', 2), (NULL, 3), ('', 4);`,
  );
  const pages = await walkTable(shop, "a");
  assert.deepEqual(
    pages.flatMap(({ bad }) => bad.map(({ problems }) => problems[0]?.code)),
    ["RECORD_KEY_MISSING", "RECORD_KEY_MISSING"],
  );
  assert.deepEqual(valuesIn(pages), [
    ["", "4"],
    ["abc", "2"],
  ]);
  const outcomes = await writeToTable(shop, "a", [
    { key: "ABC", update: { n: "5" } },
    { key: "Abc", create: { n: "6" } },
    { key: "abc", update: { k: "x" } },
  ]);
  assert.deepEqual(outcomeWords(outcomes), ["conflict", "rejected k", "written"]);
  assert.deepEqual(shop.owner.prepare("SELECT k, n FROM a WHERE n = 2").all(), [["x", 2]]);
});

test("constraints that wait for the end, and triggers that end it all, refuse one record", async (t) => {
  const shop = openShop(
    t,
    `CREATE TABLE kind (id INTEGER PRIMARY KEY); INSERT INTO kind VALUES (1);
     CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER UNIQUE,
       kind INTEGER REFERENCES kind DEFERRABLE INITIALLY DEFERRED);
     INSERT INTO a (id) VALUES (1), (2), (3), (4), (5);
     CREATE TRIGGER stop BEFORE UPDATE ON a WHEN new.n = 99
       BEGIN SELECT RAISE(ROLLBACK, 'n must not be 99'); END;
     CREATE TRIGGER pass BEFORE UPDATE ON a WHEN new.n = 98
       BEGIN SELECT RAISE(IGNORE); END;`,
  );
  const outcomes = await writeToTable(shop, "a", [
    { key: "1", update: { n: "1" } },
    { key: "2", update: { kind: "7" } },
    { key: "3", update: { n: "99" } },
    { key: "4", update: { n: "98" } },
    { key: "5", update: { n: "1" } },
    { create: { kind: "1" } },
  ]);
  assert.deepEqual(outcomeWords(outcomes), [
    "written",
    "rejected kind",
    "rejected n",
    "rejected undefined",
    "rejected n",
    "written",
  ]);
  assert.deepEqual(shop.owner.prepare("SELECT id, n, kind FROM a ORDER BY id").all(), [
    [1, 1, null],
    [2, null, null],
    [3, null, null],
    [4, null, null],
    [5, null, null],
    [6, null, 1],
  ]);
});

test("a locked file may be tried again; a missing or foreign one is told", async (t) => {
  const shop = openShop(
    t,
    "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO a VALUES (1, 1)",
  );
  await shop.schema("a");
  shop.owner.exec("BEGIN IMMEDIATE");
  const update = { key: "1", update: { n: "2" } };
  await assert.rejects(writeToTable(shop, "a", [update]), {
    code: "SYSTEM_LOCKED",
    intent: "retry",
  });
  shop.owner.exec("COMMIT");
  assert.deepEqual(outcomeWords(await writeToTable(shop, "a", [update])), ["written"]);
  assert.deepEqual(shop.owner.prepare("PRAGMA journal_mode").get(), ["delete"]);

  const folder = createTemporaryFolder();
  t.after(folder.remove);
  writeFileSync(
    join(folder.path, "text.db"),
    "no database, but long enough to be read as one\n".repeat(40),
  );
  const open = (path: string) => () => openSqliteConnector({ path }, folder.path);
  assert.throws(open("nothing.db"), { code: "CONNECTOR_NOT_FOUND" });
  assert.throws(open("text.db"), { code: "SYSTEM_UNREADABLE" });
});

test("settings of what is not there are refused", async (t) => {
  const sql = "CREATE TABLE a (id INTEGER PRIMARY KEY)";
  const asked: readonly [SqliteSettings, string][] = [
    [{ tables: { b: {} } }, "STREAM_UNKNOWN"],
    [{ tables: { a: { key: "no" } } }, "FIELD_UNKNOWN"],
    [{ tables: { a: { fields: { no: "text" } } } }, "FIELD_UNKNOWN"],
  ];
  for (const [settings, code] of asked) {
    await assert.rejects(openShop(t, sql, settings).connector.discover(never), { code });
  }
});
