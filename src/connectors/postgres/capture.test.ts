import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import {
  postgresMissing,
  postgresServer,
  type TestDatabase,
} from "../../../test/postgres/server.ts";
import { openPostgres } from "../../drivers/postgres/database.ts";
import { parsePostgresUrl } from "../../drivers/postgres/url.ts";
import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import { fieldIndex, type StreamSchema } from "../../model/schema.ts";
import type { Connector, Page, StreamQuery } from "../../ports/connector.ts";
import { createPostgresConnector } from "./connector.ts";

const never = new AbortController().signal;
const options = { skip: postgresMissing };

interface Shop {
  readonly database: TestDatabase;
  readonly connector: Connector;
  schema(table: string): Promise<StreamSchema>;
}

async function openShop(sql: string): Promise<Shop> {
  const database = await (await postgresServer()).createDatabase();
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
  createPostgresConnector({
    database: openPostgres(
      parsePostgresUrl(login === undefined ? url : url.replace(/\/\/[^@]*@/, `//${login}@`)),
    ),
    pageSize: 5,
  });

async function install({ connector }: Shop, ...streams: readonly string[]): Promise<void> {
  await connector.capture?.({ action: "install", streams, dryRun: false }, never);
}

async function uninstall({ connector }: Shop): Promise<void> {
  await connector.capture?.({ action: "uninstall", dryRun: false }, never);
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

async function headOf({ connector }: Shop, query: StreamQuery): Promise<Cursor> {
  const { changes } = await connector.head(query, never);
  assert.ok(changes);
  return changes;
}

/**
 * Everything that the catalog knows of the schema. Left out are object ids, and the hint
 * `relhastriggers`, which PostgreSQL itself leaves standing.
 */
const SCHEMA = `
  SELECT 'class ' || relname AS said, concat(relkind, relnatts) AS more
  FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT 'trigger ' || tgname, tgrelid::regclass::text FROM pg_trigger
  UNION ALL SELECT 'function ' || proname, prosrc FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace
  UNION ALL SELECT 'type ' || typname, typtype::text FROM pg_type
    WHERE typnamespace = 'public'::regnamespace
  UNION ALL SELECT 'depends', count(*)::text FROM pg_depend ORDER BY 1, 2`;

test("install and uninstall are idempotent and leave nothing behind", options, async () => {
  const shop = await openShop(`
    CREATE TABLE a (id int PRIMARY KEY, n int);
    CREATE TABLE "B ""x""" (k text, "v v" int, PRIMARY KEY (k, "v v"));
    CREATE TABLE p (k int PRIMARY KEY) PARTITION BY RANGE (k);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);`);
  const before = await shop.database.query(SCHEMA);
  const streams = ["a", 'B "x"', "p"];
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
  await uninstall(shop);
  assert.deepEqual(await shop.database.query(SCHEMA), before);
  await uninstall(shop);
  await shop.connector.close();
});

test("what is not ours or has no rows of its own is refused", options, async () => {
  const shop = await openShop(
    "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE _lockstep_outbox (mine int)",
  );
  await assert.rejects(install(shop, "a"), { code: "DESTINATION_FOREIGN_TABLE" });
  await shop.database.query("DROP TABLE _lockstep_outbox");
  await assert.rejects(install(shop, "a", "nothing"), { code: "STREAM_UNKNOWN" });
  const [row] = await shop.database.query("SELECT to_regclass('_lockstep_outbox') AS t");
  assert.deepEqual(row, { t: null });
  await shop.database.query(`
    DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN PASSWORD 'g';
    GRANT USAGE ON SCHEMA public TO guest; GRANT SELECT ON a TO guest`);
  const guest = { ...shop, connector: connectorTo(shop.database, "guest:g") };
  await assert.rejects(install(guest, "a"), { code: "SYSTEM_READ_ONLY" });
  await guest.connector.close();
  await shop.connector.close();
});

test("own writes do not come back, those of others and cascades do", options, async () => {
  const shop = await openShop(`
    CREATE TABLE boss (id int PRIMARY KEY, n int);
    CREATE TABLE t (id int PRIMARY KEY, n int, boss int REFERENCES boss ON DELETE CASCADE);
    INSERT INTO boss VALUES (1), (2); INSERT INTO t VALUES (1, 1, 1), (2, 2, 2), (3, 3, 1);
    CREATE FUNCTION echo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE t SET n = new.n + 100 WHERE id = 3 AND new.id = 2; RETURN NULL; END $$;
    CREATE TRIGGER echo AFTER UPDATE ON t FOR EACH ROW WHEN (new.n = 9) EXECUTE FUNCTION echo();`);
  await install(shop, "t", "boss");
  const schema = await shop.schema("t");
  assert.deepEqual(
    [schema.traits.changes, schema.traits.events, schema.traits.deletions],
    [true, true, true],
  );
  const mine = { schema, origin: "sync/side" };
  const head = await headOf(shop, mine);
  const n = fieldIndex(schema, "n");
  const values = schema.fields.map((_field, index) => (index === n ? 9 : undefined));
  const nothing = { values: schema.fields.map(() => undefined) };
  const update = { kind: "update", id: "1", key: "2" as RecordKey, values, expected: nothing };
  await shop.connector.write?.(mine, [{ ...update, kind: "update" }], never);
  // Our write's trigger changed another record, which is news to us too.
  const own = await read(shop, mine, head);
  assert.deepEqual([own.records, own.gone], [["3"], []]);
  const other = await read(shop, { schema, origin: "another/side" }, head);
  assert.deepEqual(other.records.toSorted(), ["2", "3"]);
  assert.deepEqual((await read(shop, { schema }, head)).records.toSorted(), ["2", "3"]);
  assert.deepEqual((await read(shop, mine, own.cursor)).records, []);
  const boss = await shop.schema("boss");
  const remove = { kind: "delete", id: "2", key: "1" as RecordKey } as const;
  const expected = { values: boss.fields.map(() => undefined) };
  await shop.connector.write?.({ ...mine, schema: boss }, [{ ...remove, expected }], never);
  const cascaded = await read(shop, mine, own.cursor);
  assert.deepEqual(cascaded.gone.toSorted(), ["1", "3"]);
  const deleted = await read(shop, mine, head, "deletions");
  assert.deepEqual(deleted.gone.toSorted(), ["1", "3"]);
  await shop.connector.close();
});

test("a key that changes is told as the old one gone and the new one there", options, async () => {
  const shop = await openShop(
    "CREATE TABLE t (at timestamp, who bytea, PRIMARY KEY (at, who)); INSERT INTO t VALUES ('2024-01-02 03:04:05.6', '\\x00ff')",
  );
  await install(shop, "t");
  const query = { schema: await shop.schema("t") };
  const head = await headOf(shop, query);
  await shop.database.query("SET datestyle = 'German'; SET timezone = 'Asia/Tokyo'");
  await shop.database.query("UPDATE t SET at = '2025-01-01 00:00'");
  const told = await read(shop, query, head);
  assert.deepEqual(told.gone, ['["2024-01-02T03:04:05.6Z","AP8="]']);
  assert.deepEqual(told.records, ['["2025-01-01T00:00:00Z","AP8="]']);
  await shop.connector.close();
});

test("a truncated table and a cursor of before are told as expired", options, async () => {
  const shop = await openShop(`
    CREATE TABLE t (id int PRIMARY KEY, updated_at timestamptz DEFAULT now());
    INSERT INTO t VALUES (1), (2)`);
  const timed = await headOf(shop, { schema: await shop.schema("t") });
  await install(shop, "t");
  const query = { schema: await shop.schema("t") };
  const expired = { code: "CURSOR_EXPIRED", context: { stream: "t" } };
  await assert.rejects(read(shop, query, timed), expired);
  const head = await headOf(shop, query);
  await shop.database.query("TRUNCATE t");
  await assert.rejects(read(shop, query, head), expired);
  const later = await headOf(shop, query);
  await shop.database.query("INSERT INTO t VALUES (3)");
  assert.deepEqual((await read(shop, query, later)).records, ["3"]);
  await uninstall(shop);
  const uncaptured = { schema: await shop.schema("t") };
  await assert.rejects(read(shop, uncaptured, later), expired);
  await install(shop, "t");
  await assert.rejects(read(shop, query, later), expired);
  await shop.connector.close();
});

test("what was passed is removed when it is old, and a slow reader is told", options, async () => {
  const shop = await openShop("CREATE TABLE t (id int PRIMARY KEY)");
  await install(shop, "t");
  const query = { schema: await shop.schema("t") };
  const slow = await headOf(shop, query);
  await shop.database.query("INSERT INTO t SELECT generate_series(1, 12)");
  const { cursor, records } = await read(shop, query, slow);
  assert.equal(records.length, 12);
  const noted = async (): Promise<unknown> =>
    (await shop.database.query("SELECT count(*)::int AS n FROM _lockstep_outbox"))[0]?.["n"];
  await read(shop, query, cursor);
  assert.equal(await noted(), 12);
  await shop.database.query("UPDATE _lockstep_outbox SET at = at - interval '15 days'");
  await shop.database.query("INSERT INTO t VALUES (13)");
  // Still only what the reader has passed for good: the cursor that it comes with.
  assert.deepEqual((await read(shop, query, slow)).records.length, 13);
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
  const pool = new pg.Pool({ connectionString: shop.database.url, max: 6 });
  const found = new Set<string>();
  const collect = async (): Promise<void> => {
    const told = await read(shop, query, cursor);
    for (const key of [...told.records, ...told.gone]) found.add(key);
    cursor = told.cursor;
  };
  // A transaction that takes its id first and its numbers last, one that does it the other way,
  // with readers at every step between: any order of (number, commit) there is.
  let next = 0;
  const written = new Set<string>();
  for (let round = 0; round < 60; round += 1) {
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    const steps = clients.flatMap((client, at) => {
      const own = [...Array(((round + at) % 3) + 1)].map(() => {
        next += 1;
        written.add(String(next));
        return `INSERT INTO t VALUES (${next}, ${round})`;
      });
      return [
        ["BEGIN", "SELECT pg_current_xact_id()", ...own, "COMMIT"].map((sql) => ({ client, sql })),
      ];
    });
    // Interleaved by a rule that differs in every round; each client keeps its own order.
    for (let tick = round; steps.some((own) => own.length > 0); tick = (tick * 7 + 3) % 1009) {
      const open = steps.filter((own) => own.length > 0);
      const step = open[tick % open.length]?.shift();
      if (step !== undefined) await step.client.query(step.sql);
      if (tick % 2 === 0) await collect();
    }
    for (const client of clients) client.release();
  }
  await collect();
  assert.equal(written.size, next);
  assert.deepEqual(
    [...written].filter((key) => !found.has(key)),
    [],
  );
  await pool.end();
  await shop.connector.close();
});

test("a writer without rights to the outbox, and a reader that only reads", options, async () => {
  const shop = await openShop(`
    CREATE TABLE t (id int PRIMARY KEY);
    DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN PASSWORD 'c';
    GRANT INSERT, SELECT ON t TO clerk;`);
  await install(shop, "t");
  const query = { schema: await shop.schema("t") };
  const head = await headOf(shop, query);
  const clerk = new pg.Pool({
    connectionString: shop.database.url.replace(/\/\/[^@]*@/, "//clerk:c@"),
    max: 1,
  });
  await clerk.query("INSERT INTO t VALUES (1)");
  await clerk.end();
  assert.deepEqual((await read(shop, query, head)).records, ["1"]);
  await shop.database.query("GRANT SELECT ON _lockstep_outbox, _lockstep_capture TO clerk");
  const reader = { connector: connectorTo(shop.database, "clerk:c") };
  assert.deepEqual((await read(reader, query, head)).records, ["1"]);
  await reader.connector.close();
  await shop.connector.close();
});
