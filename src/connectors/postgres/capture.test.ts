import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pg from "pg";
import {
  postgresMissing,
  postgresServer,
  type TestDatabase,
} from "../../../test/postgres/server.ts";
import { openPostgres } from "../../drivers/postgres/database.ts";
import { parsePostgresUrl } from "../../drivers/postgres/url.ts";
import type { Connector } from "../../ports/connector.ts";
import { capture, captureKit } from "../../testing/capture-kit.ts";
import {
  headOf,
  newsSince,
  recordsOf,
  type TableScene,
  tableScene,
  walkTable,
  writeToTable,
} from "../../testing/table-scene.ts";
import { createPostgresConnector } from "./connector.ts";

const options = { skip: postgresMissing };

interface Shop extends TableScene {
  readonly database: TestDatabase;
}

async function openShop(t: TestContext, sql: string): Promise<Shop> {
  const database = await (await postgresServer()).createDatabase();
  await database.query(sql);
  return { database, ...tableScene(connectorTo(t, database.url)) };
}

function connectorTo(t: TestContext, url: string): Connector {
  const database = openPostgres(parsePostgresUrl(url));
  const connector = createPostgresConnector({ database, pageSize: 5 });
  t.after(() => connector.close());
  return connector;
}

const urlOf = ({ database }: Shop, login: string): string =>
  database.url.replace(/\/\/[^@]*@/, `//${login}@`);

captureKit("postgres", {
  skip: postgresMissing,
  open: async (t, sql) => {
    const { connector, database } = await openShop(t, sql);
    return {
      connector,
      run: async (statements) => {
        await database.query(statements);
      },
      rows: (query) => database.query(query),
      writers: {
        rounds: 60,
        // The id of the transaction is taken first and its numbers last, or the other way.
        begin: ["BEGIN", "SELECT pg_current_xact_id()"],
        another: async () => {
          const { query, close } = await database.another();
          return { run: query, close };
        },
      },
    };
  },
  tables: {
    sql: `CREATE TABLE a (id int PRIMARY KEY, n int);
      CREATE TABLE "B ""x""" (k text, "v v" int, PRIMARY KEY (k, "v v"));
      CREATE TABLE p (k int PRIMARY KEY) PARTITION BY RANGE (k);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);`,
    streams: ["a", 'B "x"', "p"],
  },
  // Left out are object ids, and the hint `relhastriggers`, which PostgreSQL itself leaves
  // standing.
  catalog: `
    SELECT 'class ' || relname AS said, concat(relkind, relnatts) AS more
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT 'trigger ' || tgname, tgrelid::regclass::text FROM pg_trigger
    UNION ALL SELECT 'function ' || proname, prosrc FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'type ' || typname, typtype::text FROM pg_type
      WHERE typnamespace = 'public'::regnamespace
    UNION ALL SELECT 'depends', count(*)::text FROM pg_depend ORDER BY 1, 2`,
  age: "UPDATE _lockstep_outbox SET at = at - interval '15 days'",
});

test("what a reader may not change it cannot capture", options, async (t) => {
  const shop = await openShop(t, "CREATE TABLE a (id int PRIMARY KEY)");
  await shop.database.query(`
    DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN PASSWORD 'g';
    GRANT USAGE ON SCHEMA public TO guest; GRANT SELECT ON a TO guest`);
  const guest = connectorTo(t, urlOf(shop, "guest:g"));
  await assert.rejects(capture({ connector: guest }, "install", "a"), { code: "SYSTEM_READ_ONLY" });
});

test("what triggers and cascades of our own writes do is told", options, async (t) => {
  const shop = await openShop(
    t,
    `CREATE TABLE boss (id int PRIMARY KEY, n int);
    CREATE TABLE t (id int PRIMARY KEY, n int, boss int REFERENCES boss ON DELETE CASCADE);
    INSERT INTO boss VALUES (1), (2); INSERT INTO t VALUES (1, 1, 1), (2, 2, 2), (3, 3, 1);
    CREATE FUNCTION echo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE t SET n = new.n + 100 WHERE id = 3 AND new.id = 2; RETURN NULL; END $$;
    CREATE TRIGGER echo AFTER UPDATE ON t FOR EACH ROW WHEN (new.n = 9) EXECUTE FUNCTION echo();`,
  );
  await capture(shop, "install", "t", "boss");
  const schema = await shop.schema("t");
  const mine = { schema, origin: "sync/side" };
  const head = await headOf(shop, mine);
  await writeToTable(shop, "t", [{ key: "2", update: { n: 9 } }], mine);
  const own = await newsSince(shop, mine, head);
  assert.deepEqual([own.records, own.gone], [["3"], []]);
  const other = await newsSince(shop, { schema, origin: "another/side" }, head);
  assert.deepEqual(other.records.toSorted(), ["2", "3"]);
  assert.deepEqual((await newsSince(shop, { schema }, head)).records.toSorted(), ["2", "3"]);
  assert.deepEqual((await newsSince(shop, mine, own.cursor)).records, []);
  await writeToTable(shop, "boss", [{ key: "1", remove: true }], mine);
  const cascaded = await newsSince(shop, mine, own.cursor);
  assert.deepEqual(cascaded.gone.toSorted(), ["1", "3"]);
  const deleted = await newsSince(shop, mine, head, "deletions");
  assert.deepEqual(deleted.gone.toSorted(), ["1", "3"]);
});

test("what a trigger makes of a record that was just written is told", options, async (t) => {
  const shop = await openShop(
    t,
    `CREATE TABLE t (id int PRIMARY KEY, main boolean);
    INSERT INTO t VALUES (1, false), (2, true), (3, true);
    CREATE FUNCTION one_main() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF new.main THEN UPDATE t SET main = false WHERE id <> new.id AND main; END IF;
      RETURN new; END $$;
    CREATE TRIGGER one_main BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION one_main();`,
  );
  await capture(shop, "install", "t");
  const mine = { schema: await shop.schema("t"), origin: "sync/side" };
  const head = await headOf(shop, mine);
  const wishes = ["1", "2"].map((key) => ({ key, update: { main: true } }));
  const outcomes = await writeToTable(shop, "t", wishes, mine);
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ["written", "written"],
  );
  const rows = await shop.database.query("SELECT id FROM t WHERE main");
  assert.deepEqual(rows, [{ id: 2 }]);
  // Of the second its own write, too: the trigger of the first came before it.
  assert.deepEqual((await newsSince(shop, mine, head)).records.toSorted(), ["1", "2", "3"]);
});

test("a key that changes is told as the old one gone and the new one there", options, async (t) => {
  const shop = await openShop(
    t,
    `CREATE TABLE t (at timestamp, who bytea, PRIMARY KEY (at, who));
    INSERT INTO t VALUES ('2024-01-02 03:04:05.6', '\\x00ff')`,
  );
  await capture(shop, "install", "t");
  const query = { schema: await shop.schema("t") };
  const head = await headOf(shop, query);
  await shop.database.query(`SET datestyle = 'German'; SET timezone = 'Asia/Tokyo';
    UPDATE t SET at = '2025-01-01 00:00'`);
  const told = await newsSince(shop, query, head);
  assert.deepEqual(told.gone, ['["2024-01-02T03:04:05.6Z","AP8="]']);
  assert.deepEqual(told.records, ['["2025-01-01T00:00:00Z","AP8="]']);
});

test("a key that its column pads or rounds is told as it is read", options, async (t) => {
  const shop = await openShop(
    t,
    `CREATE DOMAIN code AS char(4);
    CREATE TABLE t (c char(5), n numeric(8,2), d code, v text, PRIMARY KEY (c, n, d));
    INSERT INTO t VALUES ('ab', 1.5, 'x', 'a'), ('', 2, 'y ', 'a')`,
  );
  await capture(shop, "install", "t");
  const mine = { schema: await shop.schema("t"), origin: "sync/side" };
  const keys = recordsOf(await walkTable(shop, "t")).map(({ key }) => key);
  const head = await headOf(shop, mine);
  await shop.database.query("UPDATE t SET v = 'b'");
  const told = await newsSince(shop, mine, head);
  assert.deepEqual(told.records.toSorted(), keys.toSorted());
  await writeToTable(
    shop,
    "t",
    keys.map((key) => ({ key, update: { v: "c" } })),
    mine,
  );
  const own = await newsSince(shop, mine, told.cursor);
  assert.deepEqual([own.records, own.gone], [[], []]);
  await shop.database.query("DELETE FROM t");
  assert.deepEqual((await newsSince(shop, mine, own.cursor)).gone.toSorted(), keys.toSorted());
});

test("a truncated table is told as expired", options, async (t) => {
  const shop = await openShop(
    t,
    "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)",
  );
  await capture(shop, "install", "t");
  const query = { schema: await shop.schema("t") };
  const head = await headOf(shop, query);
  await shop.database.query("TRUNCATE t");
  const expired = { code: "CURSOR_EXPIRED", context: { stream: "t" } };
  await assert.rejects(newsSince(shop, query, head), expired);
  const later = await headOf(shop, query);
  await shop.database.query("INSERT INTO t VALUES (3)");
  assert.deepEqual((await newsSince(shop, query, later)).records, ["3"]);
  await capture(shop, "uninstall");
  await capture(shop, "install", "t");
  await assert.rejects(newsSince(shop, query, later), expired);
});

test("partitions that come, go or are emptied are told as expired", options, async (t) => {
  const shop = await openShop(
    t,
    `CREATE TABLE p (k int PRIMARY KEY) PARTITION BY RANGE (k);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
    CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (k);
    CREATE TABLE p21 PARTITION OF p2 FOR VALUES FROM (10) TO (15);
    CREATE TABLE p3 (k int PRIMARY KEY); INSERT INTO p3 VALUES (20);
    INSERT INTO p VALUES (1), (11)`,
  );
  await capture(shop, "install", "p");
  const query = { schema: await shop.schema("p") };
  await shop.database.query("INSERT INTO p VALUES (2)");
  for (const statement of [
    "ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (20) TO (30)",
    "TRUNCATE p21",
    "ALTER TABLE p DETACH PARTITION p3",
    "DROP TABLE p1",
  ]) {
    const head = await headOf(shop, query);
    assert.deepEqual((await newsSince(shop, query, head)).records, []);
    await shop.database.query(statement);
    // Each run looks at the tables anew.
    await shop.schema("p");
    await assert.rejects(newsSince(shop, query, head), { code: "CURSOR_EXPIRED" }, statement);
  }
  const head = await headOf(shop, query);
  await shop.database.query("INSERT INTO p VALUES (12)");
  assert.deepEqual((await newsSince(shop, query, head)).records, ["12"]);
});

test("a writer without rights to the outbox, and a reader that only reads", options, async (t) => {
  const shop = await openShop(
    t,
    `CREATE TABLE t (id int PRIMARY KEY);
    DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN PASSWORD 'c';
    GRANT INSERT, SELECT ON t TO clerk;`,
  );
  await capture(shop, "install", "t");
  const query = { schema: await shop.schema("t") };
  const head = await headOf(shop, query);
  const clerk = new pg.Pool({ connectionString: urlOf(shop, "clerk:c"), max: 1 });
  await clerk.query("INSERT INTO t VALUES (1)");
  await clerk.end();
  assert.deepEqual((await newsSince(shop, query, head)).records, ["1"]);
  await shop.database.query("GRANT SELECT ON _lockstep_outbox, _lockstep_capture TO clerk");
  const reader = { connector: connectorTo(t, urlOf(shop, "clerk:c")) };
  assert.deepEqual((await newsSince(reader, query, head)).records, ["1"]);
});
