import assert from "node:assert/strict";
import { test } from "node:test";
import {
  postgresMissing,
  postgresServer,
  type TestDatabase,
} from "../../../test/postgres/server.ts";
import { openPostgres } from "../../drivers/postgres/database.ts";
import { parsePostgresUrl } from "../../drivers/postgres/url.ts";
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
import { parseArray } from "./array-text.ts";
import type { PostgresSettings } from "./config.ts";
import { createPostgresConnector } from "./connector.ts";

const never = new AbortController().signal;

interface Shop extends TableScene {
  readonly database: TestDatabase;
}

async function openShop(sql: string, settings: PostgresSettings = {}): Promise<Shop> {
  const database = await (await postgresServer()).createDatabase();
  await database.query(sql);
  const pool = openPostgres(parsePostgresUrl(database.url), { lockTimeoutMs: 100 });
  const connector = createPostgresConnector({ database: pool, settings, origin: "the 'shop'" });
  return { database, ...tableScene(connector) };
}

const options = { skip: postgresMissing };

test("types, keys and rights are told as the catalog has them", options, async () => {
  const shop = await openShop(`
    CREATE TYPE mood AS ENUM ('fine', 'bad');
    CREATE TABLE a (id serial PRIMARY KEY, n numeric(10,2), s varchar(5), b bigint[], m mood,
      i interval, t timestamp(3), g int GENERATED ALWAYS AS (1) STORED, updated_at timestamptz);
    CREATE TABLE b (x uuid DEFAULT gen_random_uuid() NOT NULL UNIQUE, y int);
    CREATE TABLE c (y int);
    CREATE TABLE p (k int NOT NULL, v text, PRIMARY KEY (k)) PARTITION BY RANGE (k);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
    CREATE VIEW v AS SELECT * FROM a;
    CREATE TABLE _lockstep_x (id int PRIMARY KEY);`);
  const streams = await shop.connector.discover(never);
  assert.deepEqual(
    streams.map(({ name, key }) => [name, key]),
    [
      ["a", ["id"]],
      ["b", ["x"]],
      ["p", ["k"]],
    ],
  );
  const [a, b, p] = streams;
  assert.deepEqual(
    a?.fields.map(({ type }) => type),
    [
      { kind: "integer", bits: 32 },
      { kind: "decimal", precision: 10, scale: 2 },
      { kind: "text", maxLength: 5 },
      { kind: "list", of: { kind: "integer", bits: 64 }, ordered: true },
      { kind: "text" },
      { kind: "text" },
      { kind: "timestamp", precision: 3 },
      { kind: "integer", bits: 32 },
      { kind: "timestamp", precision: 6 },
    ],
  );
  assert.equal(a?.modifiedAt, "updated_at");
  assert.equal(a?.traits.write?.assignsKeys, true);
  assert.equal(a?.traits.write?.fields?.includes("g"), false);
  assert.equal(b?.traits.write?.assignsKeys, true);
  assert.equal(p?.traits.write?.assignsKeys, false);
  const { facts } = await shop.connector.check(never);
  assert.deepEqual(facts.slice(-2), [
    "c: left out, it has no key; name one under tables.c.key",
    "v: left out, it has no key; name one under tables.v.key",
  ]);
  assert.match(facts[0] ?? "", /changes by updated_at, which no index begins with/);
  await shop.connector.close();
});

test("triggers see the origin of our writes, and nobody else's", options, async () => {
  const shop = await openShop(`
    CREATE TABLE t (id int PRIMARY KEY, note text);
    CREATE TABLE seen (origin text);
    CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO seen VALUES (nullif(current_setting('lockstep.origin', true), ''));
      RETURN NULL; END $$;
    CREATE TRIGGER see AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION see();`);
  await writeToTable(shop, "t", [{ create: { id: 1, note: "x" }, key: "1" }]);
  await shop.database.query("UPDATE t SET note = 'y'");
  const rows = await shop.database.query("SELECT origin FROM seen");
  assert.deepEqual(rows, [{ origin: "the 'shop'" }, { origin: null }]);
  await shop.connector.close();
});

test(
  "of a thousand records those that are refused are found, the rest is written",
  options,
  async () => {
    const shop = await openShop(`
    CREATE TABLE kind (id int PRIMARY KEY); INSERT INTO kind VALUES (1);
    CREATE TABLE t (id int PRIMARY KEY, kind int REFERENCES kind DEFERRABLE INITIALLY DEFERRED,
      small varchar(3), n numeric(5,2) CHECK (n <> 13), u int UNIQUE);
    INSERT INTO t (id) SELECT i FROM generate_series(1, 1000) i;`);
    const bad: Readonly<Record<number, NamedValues>> = {
      17: { kind: 99 },
      400: { small: "long" },
      401: { n: "13" },
      402: { n: "100000" },
      999: { u: 5 },
      5: { u: 5 },
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
      [999, "u"],
    ]);
    const [row] = await shop.database.query("SELECT count(*)::int AS c FROM t WHERE kind = 1");
    assert.deepEqual(row, { c: 994 });
    await shop.connector.close();
  },
);

test(
  "a trigger that passes over a record is told, a key that changes is followed",
  options,
  async () => {
    const shop = await openShop(`
    CREATE TABLE t (id text PRIMARY KEY, note text);
    INSERT INTO t VALUES ('a', 'x'), ('b', 'x');
    CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF old.id = 'a' THEN RETURN NULL; END IF; RETURN new; END $$;
    CREATE TRIGGER pass BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION pass();`);
    const outcomes = await writeToTable(shop, "t", [
      { key: "a", update: { note: "y" }, expected: { note: "x" } },
      { key: "b", update: { id: "c", note: "y" } },
    ]);
    assert.deepEqual(outcomeWords(outcomes), ["rejected undefined", "written"]);
    assert.deepEqual(
      recordsOf(await walkTable(shop, "t")).map(({ values }) => values),
      [
        ["a", "x"],
        ["c", "y"],
      ],
    );
    await shop.connector.close();
  },
);

test(
  "a partitioned table is written like another, whatever its partitions do",
  options,
  async () => {
    const shop = await openShop(`
    CREATE TABLE p (k int PRIMARY KEY, v text) PARTITION BY RANGE (k);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
    CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
    CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE p SET v = upper(v) WHERE k = new.k; RETURN NULL; END $$;
    CREATE TRIGGER loud AFTER INSERT ON p2 FOR EACH ROW EXECUTE FUNCTION loud();`);
    const created = await writeToTable(shop, "p", [
      { key: "1", create: { k: 1, v: "a" } },
      { key: "11", create: { k: 11, v: "b" } },
      { key: "30", create: { k: 30, v: "c" } },
    ]);
    assert.deepEqual(outcomeWords(created), ["written", "written", "rejected undefined"]);
    const stored = created.flatMap((one) => (one.kind === "written" && one.stored) || []);
    assert.deepEqual(
      stored.map(({ values }) => values),
      [
        [1, "a"],
        [11, "B"],
      ],
    );
    assert.ok(stored.every(({ version }) => version !== undefined));
    const changed = await writeToTable(shop, "p", [
      { key: "1", update: { k: 12, v: "d" }, expected: { v: "a" } },
      { key: "11", remove: true },
    ]);
    assert.deepEqual(outcomeWords(changed), ["written", "written"]);
    const left = recordsOf(await walkTable(shop, "p")).map(({ values }) => values);
    assert.deepEqual(left, [[12, "D"]]);
    await shop.connector.close();
  },
);

test("keys in another case or form than the server's are told by its own", options, async () => {
  const shop = await openShop("CREATE TABLE t (id uuid PRIMARY KEY, n int)");
  const upper = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11";
  const outcomes = await writeToTable(shop, "t", [
    { key: upper, create: { id: upper, n: 1 } },
    { key: upper.replace("A0", "B0"), create: { id: upper.replace("A0", "B0"), n: 2 } },
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.kind === "written" && outcome.stored?.key),
    [upper.toLowerCase(), upper.replace("A0", "B0").toLowerCase()],
  );
  await shop.connector.close();
});

test(
  "infinite times, NaN and years before Christ are bad records, not lost ones",
  options,
  async () => {
    const shop = await openShop(`
    CREATE TABLE t (id int PRIMARY KEY, at timestamptz, n numeric, d date, updated_at timestamptz);
    INSERT INTO t VALUES (1, 'infinity', 1, '2024-01-01', now()), (2, now(), 'NaN', null, now()),
      (3, now(), 1, '0044-03-15 BC', now()), (4, now(), 1, null, 'infinity'),
      (5, now(), 1, null, now() + interval '50 years'), (6, now(), 1, null, now());`);
    const query = { schema: await shop.schema("t") };
    const pages = await walkTable(shop, "t");
    assert.deepEqual(
      pages.flatMap(({ bad }) => bad.map(({ key, problems }) => `${key} ${problems[0]?.field}`)),
      ["1 at", "2 n", "3 d", "4 updated_at"],
    );
    // A cursor that followed a time far ahead would pass over every change until then.
    const since = await headOf(shop, query);
    await shop.database.query("UPDATE t SET updated_at = clock_timestamp() WHERE id = 6");
    assert.deepEqual((await newsSince(shop, query, since)).records, ["6"]);
    await shop.connector.close();
  },
);

test(
  "a lock that is held too long, a missing right and a lost table have their codes",
  options,
  async () => {
    const shop = await openShop(`
    CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1);
    CREATE TABLE u (id int PRIMARY KEY, n int);`);
    const other = await shop.database.another();
    await other.query("BEGIN; UPDATE t SET n = 2");
    const update = { key: "1", update: { n: 3 } };
    await assert.rejects(writeToTable(shop, "t", [update]), {
      code: "SYSTEM_LOCKED",
      intent: "retry",
    });
    await other.query("COMMIT");
    await other.close();
    assert.deepEqual(outcomeWords(await writeToTable(shop, "t", [update])), ["written"]);
    const schema = await shop.schema("u");
    await shop.database.query("DROP TABLE u");
    const head = shop.connector.head({ schema }, never);
    await assert.rejects(head, { code: "CONNECTOR_BAD_REQUEST", context: { stream: "u" } });
    await shop.connector.close();
  },
);

test("arrays are read as PostgreSQL writes them", () => {
  assert.deepEqual(parseArray("{}"), []);
  assert.deepEqual(parseArray('{a,NULL,"NULL","a,\\"b\\\\",""}'), [
    "a",
    null,
    "NULL",
    'a,"b\\',
    "",
  ]);
  for (const text of ["{{1},{2}}", "[0:1]={1,2}", "{1,}", "1"]) {
    assert.equal(parseArray(text), undefined, text);
  }
});
