import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { mysqlMissing, mysqlServer, type TestDatabase } from "../../../test/mysql/server.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Connector } from "../../ports/connector.ts";
import { capture, captureKit } from "../../testing/capture-kit.ts";
import {
  headOf,
  newsSince,
  type TableScene,
  tableScene,
  writeToTable,
} from "../../testing/table-scene.ts";
import { createMysqlConnector } from "./connector.ts";
import { openMysql } from "./database.ts";
import { parseMysqlUrl } from "./url.ts";

const never = new AbortController().signal;
const options = { skip: mysqlMissing };

interface Shop extends TableScene {
  readonly database: TestDatabase;
}

async function openShop(t: TestContext, sql: string): Promise<Shop> {
  const database = await (await mysqlServer()).createDatabase();
  await database.query(sql);
  return { database, ...tableScene(connectorTo(t, database.url)) };
}

function connectorTo(t: TestContext, url: string): Connector {
  const database = openMysql(parseMysqlUrl(url), { lockTimeoutSeconds: 5 });
  const connector = createMysqlConnector({ database, pageSize: 5 });
  t.after(() => connector.close());
  return connector;
}

const urlOf = ({ database }: Shop, login: string): string =>
  database.url.replace(/\/\/[^@]*@/, `//${login}@`);

const long = "t".repeat(64);

captureKit("mysql", {
  skip: mysqlMissing,
  open: async (t, sql) => {
    const { connector, database } = await openShop(t, sql);
    return {
      connector,
      run: async (statements) => {
        await database.query(statements);
      },
      rows: (query) => database.query(query),
      writers: {
        rounds: 12,
        begin: ["BEGIN"],
        another: async () => {
          const person = await database.another();
          return { run: person.query, close: person.close };
        },
      },
    };
  },
  tables: {
    sql: `CREATE TABLE a (id int PRIMARY KEY, n int);
      CREATE TABLE \`B "x" 'y'\` (\`k "1"\` varchar(20), \`v v\` int, PRIMARY KEY (\`k "1"\`, \`v v\`));
      CREATE TABLE ${long} (k int PRIMARY KEY);`,
    streams: ["a", `B "x" 'y'`, long],
  },
  catalog: `
    SELECT table_name AS said, engine AS more FROM information_schema.tables
    WHERE table_schema = DATABASE()
    UNION ALL SELECT trigger_name, action_statement FROM information_schema.triggers
    WHERE trigger_schema = DATABASE() ORDER BY 1, 2`,
  age: "UPDATE _lockstep_outbox SET at = at - INTERVAL 15 DAY",
});

test("quotes in names and in keys are told as they are", options, async (t) => {
  const shop = await openShop(
    t,
    `CREATE TABLE \`B "x" 'y'\` (\`k "1"\` varchar(20), \`v v\` int, PRIMARY KEY (\`k "1"\`, \`v v\`))`,
  );
  await capture(shop, "install", `B "x" 'y'`);
  const odd = { schema: await shop.schema(`B "x" 'y'`) };
  const head = await headOf(shop, odd);
  await shop.database.query(`INSERT INTO \`B "x" 'y'\` VALUES ('it\\'s "\\\\"', 1)`);
  const { records } = await newsSince(shop, odd, head);
  assert.deepEqual(records, [JSON.stringify([`it's "\\"`, "1"])]);
});

test("an installation that was broken off is made anew", options, async (t) => {
  const shop = await openShop(t, "CREATE TABLE a (id int PRIMARY KEY, n int)");
  await capture(shop, "install", "a");
  await shop.database.query("DELETE FROM _lockstep_capture");
  await capture(shop, "install", "a");
  const query = { schema: await shop.schema("a") };
  const head = await headOf(shop, query);
  await shop.database.query("INSERT INTO a VALUES (1, 1)");
  assert.deepEqual((await newsSince(shop, query, head)).records, ["1"]);
  await shop.database.query("DROP TRIGGER _lockstep_capture_delete_a");
  assert.equal((await shop.schema("a")).traits.events, undefined, "two of three note too little");
  await capture(shop, "install", "a");
  assert.equal((await shop.schema("a")).traits.events, true);
});

test("what changes without firing a trigger is refused", options, async (t) => {
  const shop = await openShop(
    t,
    `CREATE TABLE a (id int PRIMARY KEY);
    CREATE TABLE child (id int PRIMARY KEY, a int REFERENCES a (id) ON DELETE CASCADE);
    CREATE TABLE other (id int PRIMARY KEY, a int, CONSTRAINT of_a FOREIGN KEY (a)
      REFERENCES a (id) ON UPDATE SET NULL);
    CREATE TABLE plain (id int PRIMARY KEY) ENGINE = MyISAM;
    CREATE VIEW v AS SELECT id FROM a`,
  );
  await assert.rejects(capture(shop, "install", "other"), {
    code: "CONNECTOR_UNSUPPORTED",
    message: /"other" cannot be captured: what its foreign key "of_a" deletes or changes/,
  });
  await assert.rejects(capture(shop, "install", "child"), { code: "CONNECTOR_UNSUPPORTED" });
  await assert.rejects(capture(shop, "install", "plain"), {
    message: /its engine has no transactions/,
  });
  const found = await shop.database.query("SHOW TABLES LIKE '%outbox'");
  assert.equal(found.length, 0);
});

test("what triggers of our own writes do to other records is told", options, async (t) => {
  const shop = await openShop(
    t,
    `CREATE TABLE t (id int PRIMARY KEY, n int);
    CREATE TABLE u (id int PRIMARY KEY, n int);
    INSERT INTO t VALUES (2, 2); INSERT INTO u VALUES (2, 2), (7, 7);
    CREATE TRIGGER echo AFTER UPDATE ON t FOR EACH ROW
      UPDATE u SET n = new.n + 100 WHERE id = 7 AND new.n = 9`,
  );
  await capture(shop, "install", "t", "u");
  const origin = "sync/side";
  const u = { schema: await shop.schema("u"), origin };
  const head = await headOf(shop, u);
  await writeToTable(shop, "t", [{ key: "2", update: { n: 9 } }], { origin });
  assert.deepEqual((await newsSince(shop, u, head)).records, ["7"]);
});

test(
  "keys of every kind, and one that changes: the old one gone, the new one there",
  options,
  async (t) => {
    const shop = await openShop(
      t,
      `CREATE TABLE t (at timestamp(3), who varbinary(4), b bit(3), d decimal(20,4), f date,
      PRIMARY KEY (at, who, b, d, f));
    CREATE TABLE c (k varchar(10) CHARACTER SET latin1 COLLATE latin1_general_ci PRIMARY KEY)`,
    );
    await shop.database.query(`SET time_zone = '+00:00';
    INSERT INTO t VALUES ('2024-01-02 03:04:05.6', x'00ff', b'101', 1.5, '1999-01-02');
    INSERT INTO c VALUES ('é')`);
    await capture(shop, "install", "t", "c");
    const query = { schema: await shop.schema("t") };
    const head = await headOf(shop, query);
    await shop.database.query("SET time_zone = '+09:00'; UPDATE t SET d = 2.25");
    const told = await newsSince(shop, query, head);
    const key = (d: string): string =>
      JSON.stringify(["2024-01-02T03:04:05.600Z", "AP8=", "5", d, "1999-01-02"]);
    assert.deepEqual([told.gone, told.records], [[key("1.5")], [key("2.25")]]);
    const c = { schema: await shop.schema("c") };
    const headOfC = await headOf(shop, c);
    await shop.database.query("UPDATE c SET k = 'É'");
    const renamed = await newsSince(shop, c, headOfC);
    assert.deepEqual([renamed.gone, renamed.records], [["é"], ["É"]], "alike is not the same");
  },
);

test(
  "nothing is told from after a young missing number, and all of it once that is old",
  options,
  async (t) => {
    const shop = await openShop(t, "CREATE TABLE t (id int PRIMARY KEY)");
    await capture(shop, "install", "t");
    const query = { schema: await shop.schema("t") };
    const head = await headOf(shop, query);
    await shop.database.query("INSERT INTO t VALUES (1)");
    // Numbers that are taken back leave a gap, as does one whose row is still to be stored.
    await shop.database.query(
      "BEGIN; INSERT INTO t VALUES (2); ROLLBACK; INSERT INTO t VALUES (3)",
    );
    const young = await newsSince(shop, query, head);
    assert.deepEqual(young.records, ["1"]);
    await shop.database.query("UPDATE _lockstep_outbox SET at = at - INTERVAL 1 MINUTE");
    assert.deepEqual((await newsSince(shop, query, young.cursor)).records, ["3"]);
  },
);

test("a writer without rights to the outbox, and a reader that only reads", options, async (t) => {
  const shop = await openShop(t, "CREATE TABLE t (id int PRIMARY KEY)");
  await capture(shop, "install", "t");
  const query = { schema: await shop.schema("t") };
  const head = await headOf(shop, query);
  const { name } = shop.database;
  await shop.database.query(`
    CREATE USER clerk@'127.0.0.1' IDENTIFIED BY 'c';
    GRANT INSERT, SELECT ON ${name}.t TO clerk@'127.0.0.1'`);
  const clerk = connectorTo(t, urlOf(shop, "clerk:c"));
  const schema = (await clerk.discover(never)).find((each) => each.name === "t") as StreamSchema;
  assert.equal(schema.traits.events, undefined);
  const pool = openMysql(parseMysqlUrl(urlOf(shop, "clerk:c")));
  await pool.transaction((transaction) => transaction.run(["INSERT INTO t VALUES (1)"]));
  await pool.close();
  assert.deepEqual((await newsSince(shop, query, head)).records, ["1"]);
  await shop.database.query(`
    GRANT SELECT ON ${name}._lockstep_outbox TO clerk@'127.0.0.1';
    GRANT SELECT ON ${name}._lockstep_capture TO clerk@'127.0.0.1';
    GRANT TRIGGER ON ${name}.t TO clerk@'127.0.0.1'`);
  await clerk.discover(never);
  assert.deepEqual((await newsSince({ connector: clerk }, query, head)).records, ["1"]);
});
