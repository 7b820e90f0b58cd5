import assert from "node:assert/strict";
import { test } from "node:test";
import { mysqlMissing, mysqlServer, type TestDatabase } from "../../../test/mysql/server.ts";
import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import { fieldIndex, type StreamSchema } from "../../model/schema.ts";
import type { Connector, Page, StreamQuery, WriteOutcome } from "../../ports/connector.ts";
import { createMysqlConnector } from "./connector.ts";
import { openMysql } from "./database.ts";
import { parseMysqlUrl } from "./url.ts";

const never = new AbortController().signal;
const options = { skip: mysqlMissing };

interface Shop {
  readonly database: TestDatabase;
  readonly connector: Connector;
  schema(table: string): Promise<StreamSchema>;
}

async function openShop(sql: string): Promise<Shop> {
  const database = await (await mysqlServer()).createDatabase();
  await database.query(sql);
  const connector = connectorTo(database);
  return {
    database,
    connector,
    async schema(table) {
      const found = (await connector.discover(never)).find(({ name }) => name === table);
      assert.ok(found, table);
      return found;
    },
  };
}

const connectorTo = ({ url }: TestDatabase, login?: string): Connector =>
  createMysqlConnector({
    database: openMysql(
      parseMysqlUrl(login === undefined ? url : url.replace(/\/\/[^@]*@/, `//${login}@`)),
      { lockTimeoutSeconds: 5 },
    ),
    pageSize: 5,
  });

async function install({ connector }: Shop, ...streams: readonly string[]): Promise<void> {
  await connector.capture?.({ action: "install", streams, dryRun: false }, never);
}

interface Told {
  readonly records: readonly string[];
  readonly gone: readonly string[];
  readonly cursor: Cursor;
}

async function read(
  { connector }: Pick<Shop, "connector">,
  query: StreamQuery,
  since: Cursor,
  kind: "changes" | "deletions" = "changes",
): Promise<Told> {
  const pages: Page[] = [];
  for await (const page of connector.read({ kind, query, since, overlapMs: 0 }, never)) {
    pages.push(page);
  }
  return {
    records: pages.flatMap((page) => page.records.map(({ key }) => key)),
    gone: pages.flatMap((page) => page.tombstones.map(({ key }) => key)),
    cursor: pages.at(-1)?.cursor ?? since,
  };
}

async function headOf({ connector }: Pick<Shop, "connector">, query: StreamQuery): Promise<Cursor> {
  const { changes } = await connector.head(query, never);
  assert.ok(changes);
  return changes;
}

const SCHEMA = `
  SELECT table_name AS said, engine AS more FROM information_schema.tables
  WHERE table_schema = DATABASE()
  UNION ALL SELECT trigger_name, action_statement FROM information_schema.triggers
  WHERE trigger_schema = DATABASE() ORDER BY 1, 2`;

test("install and uninstall are idempotent and leave nothing behind", options, async () => {
  const long = "t".repeat(64);
  const shop = await openShop(`
    CREATE TABLE a (id int PRIMARY KEY, n int);
    CREATE TABLE \`B "x" 'y'\` (\`k "1"\` varchar(20), \`v v\` int, PRIMARY KEY (\`k "1"\`, \`v v\`));
    CREATE TABLE ${long} (k int PRIMARY KEY);`);
  const before = await shop.database.query(SCHEMA);
  const streams = ["a", `B "x" 'y'`, long];
  const dry = await shop.connector.capture?.({ action: "install", streams, dryRun: true }, never);
  assert.equal(dry?.length, 3);
  assert.deepEqual(await shop.database.query(SCHEMA), before);
  await install(shop, ...streams);
  const installed = await shop.database.query(SCHEMA);
  assert.notDeepEqual(installed, before);
  const again = await shop.connector.capture?.(
    { action: "install", streams, dryRun: false },
    never,
  );
  assert.deepEqual(
    again?.map(({ statements }) => statements),
    [[], [], []],
  );
  assert.deepEqual(await shop.database.query(SCHEMA), installed);
  const { facts } = await shop.connector.check(never);
  assert.match(facts.join("\n"), /^a: key id; changes and deletions by capture/m);
  const odd = { schema: await shop.schema(`B "x" 'y'`) };
  const head = await headOf(shop, odd);
  await shop.database.query(`INSERT INTO \`B "x" 'y'\` VALUES ('it\\'s "\\\\"', 1)`);
  assert.deepEqual((await read(shop, odd, head)).records, [JSON.stringify([`it's "\\"`, "1"])]);
  await shop.connector.capture?.({ action: "uninstall", dryRun: false }, never);
  assert.deepEqual(await shop.database.query(SCHEMA), before);
  await shop.connector.capture?.({ action: "uninstall", dryRun: false }, never);
  await shop.connector.close();
});

test("an installation that was broken off is made anew", options, async () => {
  const shop = await openShop("CREATE TABLE a (id int PRIMARY KEY, n int)");
  await install(shop, "a");
  await shop.database.query("DELETE FROM _lockstep_capture");
  await install(shop, "a");
  const query = { schema: await shop.schema("a") };
  const head = await headOf(shop, query);
  await shop.database.query("INSERT INTO a VALUES (1, 1)");
  assert.deepEqual((await read(shop, query, head)).records, ["1"]);
  await shop.database.query("DROP TRIGGER _lockstep_capture_delete_a");
  assert.equal((await shop.schema("a")).traits.events, undefined, "two of three note too little");
  await install(shop, "a");
  assert.equal((await shop.schema("a")).traits.events, true);
  await shop.connector.close();
});

test("what is not ours, or whose changes fire no trigger, is refused", options, async () => {
  const shop = await openShop(`
    CREATE TABLE a (id int PRIMARY KEY);
    CREATE TABLE child (id int PRIMARY KEY, a int REFERENCES a (id) ON DELETE CASCADE);
    CREATE TABLE other (id int PRIMARY KEY, a int, CONSTRAINT of_a FOREIGN KEY (a)
      REFERENCES a (id) ON UPDATE SET NULL);
    CREATE TABLE plain (id int PRIMARY KEY) ENGINE = MyISAM;
    CREATE VIEW v AS SELECT id FROM a;
    CREATE TABLE _lockstep_outbox (mine int)`);
  await assert.rejects(install(shop, "a"), { code: "DESTINATION_FOREIGN_TABLE" });
  await shop.database.query("DROP TABLE _lockstep_outbox");
  await assert.rejects(install(shop, "a", "nothing"), { code: "STREAM_UNKNOWN" });
  await assert.rejects(install(shop, "other"), {
    code: "CONNECTOR_UNSUPPORTED",
    message: /"other" cannot be captured: what its foreign key "of_a" deletes or changes/,
  });
  await assert.rejects(install(shop, "child"), { code: "CONNECTOR_UNSUPPORTED" });
  await assert.rejects(install(shop, "plain"), { message: /its engine has no transactions/ });
  const found = await shop.database.query("SHOW TABLES LIKE '%outbox'");
  assert.equal(found.length, 0);
  await shop.connector.close();
});

test("own writes do not come back, those of others and of triggers do", options, async () => {
  const shop = await openShop(`
    CREATE TABLE t (id int PRIMARY KEY, n int);
    CREATE TABLE u (id int PRIMARY KEY, n int);
    INSERT INTO t VALUES (1, 1), (2, 2), (3, 3); INSERT INTO u VALUES (2, 2), (7, 7);
    CREATE TRIGGER echo AFTER UPDATE ON t FOR EACH ROW
      UPDATE u SET n = new.n + 100 WHERE id = 7 AND new.n = 9`);
  await install(shop, "t", "u");
  const schema = await shop.schema("t");
  assert.deepEqual(
    [schema.traits.changes, schema.traits.events, schema.traits.deletions],
    [true, true, true],
  );
  const mine = { schema, origin: "sync/side" };
  const u = { schema: await shop.schema("u"), origin: "sync/side" };
  const [head, headOfU] = [await headOf(shop, mine), await headOf(shop, u)];
  const n = fieldIndex(schema, "n");
  const values = schema.fields.map((_field, index) => (index === n ? 9 : undefined));
  const expected = { values: schema.fields.map(() => undefined) };
  const key = "2" as RecordKey;
  const write = async (...operations: Parameters<NonNullable<Connector["write"]>>[1]) =>
    shop.connector.write?.(mine, operations, never) as Promise<readonly WriteOutcome[]>;
  const outcomes = await write(
    { kind: "update", id: "1", key, values, expected },
    { kind: "delete", id: "2", key: "1" as RecordKey, expected },
    { kind: "create", id: "3", key: "4" as RecordKey, values: [4, 4] },
  );
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ["written", "written", "written"],
  );
  const own = await read(shop, mine, head);
  assert.deepEqual([own.records, own.gone], [[], []]);
  // What our write's trigger did to another record is news to us too, of one's own key or not.
  assert.deepEqual((await read(shop, u, headOfU)).records, ["7"]);
  const other = await read(shop, { schema, origin: "another/side" }, head);
  assert.deepEqual([other.records.toSorted(), other.gone], [["2", "4"], ["1"]]);
  assert.deepEqual((await read(shop, { schema }, head)).records.toSorted(), ["2", "4"]);
  await shop.database.query("UPDATE t SET n = 5 WHERE id = 4; DELETE FROM t WHERE id = 3");
  const later = await read(shop, mine, own.cursor);
  assert.deepEqual([later.records, later.gone], [["4"], ["3"]]);
  assert.deepEqual((await read(shop, mine, own.cursor, "deletions")).gone, ["3"]);
  assert.deepEqual((await read(shop, mine, later.cursor)).records, []);
  await shop.connector.close();
});

test(
  "keys of every kind, and one that changes: the old one gone, the new one there",
  options,
  async () => {
    const shop = await openShop(`
    CREATE TABLE t (at timestamp(3), who varbinary(4), b bit(3), d decimal(20,4), f date,
      PRIMARY KEY (at, who, b, d, f));
    CREATE TABLE c (k varchar(10) CHARACTER SET latin1 COLLATE latin1_general_ci PRIMARY KEY)`);
    await shop.database.query(`SET time_zone = '+00:00';
    INSERT INTO t VALUES ('2024-01-02 03:04:05.6', x'00ff', b'101', 1.5, '1999-01-02');
    INSERT INTO c VALUES ('é')`);
    await install(shop, "t", "c");
    const query = { schema: await shop.schema("t") };
    const head = await headOf(shop, query);
    await shop.database.query("SET time_zone = '+09:00'; UPDATE t SET d = 2.25");
    const told = await read(shop, query, head);
    const key = (d: string): string =>
      JSON.stringify(["2024-01-02T03:04:05.600Z", "AP8=", "5", d, "1999-01-02"]);
    assert.deepEqual([told.gone, told.records], [[key("1.5")], [key("2.25")]]);
    const c = { schema: await shop.schema("c") };
    const headOfC = await headOf(shop, c);
    await shop.database.query("UPDATE c SET k = 'É'");
    const renamed = await read(shop, c, headOfC);
    assert.deepEqual([renamed.gone, renamed.records], [["é"], ["É"]], "alike is not the same");
    await shop.connector.close();
  },
);

test("a cursor of before, and of another installation, is told as expired", options, async () => {
  const shop = await openShop(
    "CREATE TABLE t (id int PRIMARY KEY, updated_at timestamp); INSERT INTO t VALUES (1, now())",
  );
  const timed = await headOf(shop, { schema: await shop.schema("t") });
  await install(shop, "t");
  const query = { schema: await shop.schema("t") };
  const expired = { code: "CURSOR_EXPIRED", context: { stream: "t" } };
  await assert.rejects(read(shop, query, timed), expired);
  const head = await headOf(shop, query);
  await shop.connector.capture?.({ action: "uninstall", dryRun: false }, never);
  const uncaptured = { schema: await shop.schema("t") };
  await assert.rejects(read(shop, uncaptured, head), expired);
  await install(shop, "t");
  await assert.rejects(read(shop, { schema: await shop.schema("t") }, head), expired);
  await shop.connector.close();
});

test("what was passed is removed when it is old, and a slow reader is told", options, async () => {
  const shop = await openShop("CREATE TABLE t (id int PRIMARY KEY)");
  await install(shop, "t");
  const query = { schema: await shop.schema("t") };
  const slow = await headOf(shop, query);
  const twelve = Array.from({ length: 12 }, (_, at) => `(${at + 1})`).join(", ");
  await shop.database.query(`INSERT INTO t VALUES ${twelve}`);
  const { cursor, records } = await read(shop, query, slow);
  assert.equal(records.length, 12);
  const noted = async (): Promise<unknown> =>
    Number((await shop.database.query("SELECT count(*) AS n FROM _lockstep_outbox"))[0]?.["n"]);
  await read(shop, query, cursor);
  assert.equal(await noted(), 12);
  await shop.database.query("UPDATE _lockstep_outbox SET at = at - INTERVAL 15 DAY");
  await shop.database.query("INSERT INTO t VALUES (13)");
  assert.equal((await read(shop, query, slow)).records.length, 13);
  assert.equal(await noted(), 13);
  assert.deepEqual((await read(shop, query, cursor)).records, ["13"]);
  assert.equal(await noted(), 1);
  await assert.rejects(read(shop, query, slow), { code: "CURSOR_EXPIRED" });
  await shop.connector.close();
});

test("concurrent writers with long transactions never lose a change", options, async () => {
  const shop = await openShop("CREATE TABLE t (id int PRIMARY KEY, n int)");
  await install(shop, "t");
  const query = { schema: await shop.schema("t") };
  let cursor = await headOf(shop, query);
  const clients = await Promise.all([1, 2, 3].map(() => shop.database.another()));
  const found = new Set<string>();
  const heads: { readonly cursor: Cursor; readonly before: ReadonlySet<string> }[] = [];
  const walk = async (): Promise<ReadonlySet<string>> => {
    const rows = await shop.database.query("SELECT id FROM t");
    return new Set(rows.map(({ id }) => String(id)));
  };
  const collect = async (): Promise<void> => {
    const told = await read(shop, query, cursor);
    for (const key of [...told.records, ...told.gone]) found.add(key);
    cursor = told.cursor;
  };
  let next = 0;
  for (let round = 0; round < 12; round += 1) {
    const steps = clients.map((client, at) => {
      const own = [...Array(((round + at) % 3) + 1)].map(() => {
        next += 1;
        return `INSERT INTO t VALUES (${next}, ${round})`;
      });
      return ["BEGIN", ...own, "COMMIT"].map((sql) => ({ client, sql }));
    });
    // Interleaved by a rule that differs in every round; each client keeps its own order.
    for (let tick = round; steps.some((own) => own.length > 0); tick = (tick * 7 + 3) % 1009) {
      const open = steps.filter((own) => own.length > 0);
      const step = open[tick % open.length]?.shift();
      if (step !== undefined) await step.client.query(step.sql);
      if (tick % 2 === 0) await collect();
      // What a walk that begins after a head does not see comes after that head.
      if (tick % 5 === 0) heads.push({ cursor: await headOf(shop, query), before: await walk() });
    }
  }
  await collect();
  const all = Array.from({ length: next }, (_, at) => String(at + 1));
  assert.deepEqual(
    all.filter((key) => !found.has(key)),
    [],
  );
  for (const head of heads.filter((_, at) => at % 7 === 0)) {
    const { records } = await read(shop, query, head.cursor);
    const known = new Set([...head.before, ...records]);
    assert.deepEqual(
      all.filter((key) => !known.has(key)),
      [],
    );
  }
  for (const client of clients) await client.close();
  await shop.connector.close();
});

test(
  "nothing is told from after a young missing number, and all of it once that is old",
  options,
  async () => {
    const shop = await openShop("CREATE TABLE t (id int PRIMARY KEY)");
    await install(shop, "t");
    const query = { schema: await shop.schema("t") };
    const head = await headOf(shop, query);
    await shop.database.query("INSERT INTO t VALUES (1)");
    // Numbers that are taken back leave a gap, as does one whose row is still to be stored.
    await shop.database.query(
      "BEGIN; INSERT INTO t VALUES (2); ROLLBACK; INSERT INTO t VALUES (3)",
    );
    const young = await read(shop, query, head);
    assert.deepEqual(young.records, ["1"]);
    await shop.database.query("UPDATE _lockstep_outbox SET at = at - INTERVAL 1 MINUTE");
    assert.deepEqual((await read(shop, query, young.cursor)).records, ["3"]);
    await shop.connector.close();
  },
);

test("a writer without rights to the outbox, and a reader that only reads", options, async () => {
  const shop = await openShop("CREATE TABLE t (id int PRIMARY KEY)");
  await install(shop, "t");
  const query = { schema: await shop.schema("t") };
  const head = await headOf(shop, query);
  const { name } = shop.database;
  await shop.database.query(`
    CREATE USER clerk@'127.0.0.1' IDENTIFIED BY 'c';
    GRANT INSERT, SELECT ON ${name}.t TO clerk@'127.0.0.1'`);
  const clerk = connectorTo(shop.database, "clerk:c");
  const schema = (await clerk.discover(never)).find((each) => each.name === "t") as StreamSchema;
  assert.equal(schema.traits.events, undefined);
  const pool = openMysql(parseMysqlUrl(shop.database.url.replace(/\/\/[^@]*@/, "//clerk:c@")));
  await pool.transaction((transaction) => transaction.run(["INSERT INTO t VALUES (1)"]));
  await pool.close();
  assert.deepEqual((await read(shop, query, head)).records, ["1"]);
  await shop.database.query(`
    GRANT SELECT ON ${name}._lockstep_outbox TO clerk@'127.0.0.1';
    GRANT SELECT ON ${name}._lockstep_capture TO clerk@'127.0.0.1';
    GRANT TRIGGER ON ${name}.t TO clerk@'127.0.0.1'`);
  await clerk.discover(never);
  assert.deepEqual((await read({ connector: clerk }, query, head)).records, ["1"]);
  await clerk.close();
  await shop.connector.close();
});
