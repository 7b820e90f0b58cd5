import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openSqlite, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Connector, Page, StreamQuery } from "../../ports/connector.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { createSqliteConnector } from "./connector.ts";

const never = new AbortController().signal;

interface Shop {
  /** Somebody else's connection to the file. */
  readonly owner: SqliteDatabase;
  readonly connector: Connector;
  schema(table: string): Promise<StreamSchema>;
}

function openShop(t: TestContext, sql: string): Shop {
  const folder = createTemporaryFolder();
  const path = join(folder.path, "shop.db");
  const owner = openSqlite(path, { foreign: true });
  owner.exec(sql);
  const database = openSqlite(path, { foreign: true });
  const connector = createSqliteConnector({ database, pageSize: 5 });
  t.after(async () => {
    await connector.close();
    owner.close();
    folder.remove();
  });
  return {
    owner,
    connector,
    async schema(table) {
      const found = (await connector.discover(never)).find(({ name }) => name === table);
      assert.ok(found, table);
      return found;
    },
  };
}

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
  { connector }: Shop,
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

const schemaText = ({ owner }: Shop): unknown =>
  owner.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2").all();

test("install and uninstall are idempotent and leave nothing behind", async (t) => {
  const shop = openShop(
    t,
    `CREATE TABLE a (id INTEGER PRIMARY KEY, n);
     CREATE TABLE "B ""x'" (k TEXT, "v v" BLOB, PRIMARY KEY (k, "v v")) WITHOUT ROWID;
     CREATE TRIGGER mine AFTER INSERT ON a BEGIN SELECT 1; END;`,
  );
  const before = schemaText(shop);
  const streams = ["a", `B "x'`];
  const dry = await shop.connector.capture?.({ action: "install", streams, dryRun: true }, never);
  assert.equal(dry?.length, 2);
  assert.deepEqual(schemaText(shop), before);
  await install(shop, ...streams);
  const installed = schemaText(shop);
  const again = await shop.connector.capture?.(
    { action: "install", streams, dryRun: false },
    never,
  );
  assert.deepEqual(
    again?.map(({ statements }) => statements),
    [[], []],
  );
  assert.deepEqual(schemaText(shop), installed);
  const { facts } = await shop.connector.check(never);
  assert.match(facts.join("\n"), /^a: key id; changes and deletions by capture/m);
  await uninstall(shop);
  assert.deepEqual(schemaText(shop), before);
  await uninstall(shop);
});

test("what is not ours or has no rows of its own is refused", async (t) => {
  const shop = openShop(
    t,
    "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE _lockstep_outbox (mine)",
  );
  await assert.rejects(install(shop, "a"), { code: "DESTINATION_FOREIGN_TABLE" });
  shop.owner.exec("DROP TABLE _lockstep_outbox");
  const before = schemaText(shop);
  await assert.rejects(install(shop, "a", "nothing"), { code: "STREAM_UNKNOWN" });
  assert.deepEqual(schemaText(shop), before);
});

test("own writes do not come back, those of others, triggers and cascades do", async (t) => {
  const shop = openShop(
    t,
    `CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER,
       boss INTEGER REFERENCES t (id) ON DELETE CASCADE);
     INSERT INTO t VALUES (1, 1, NULL), (2, 2, NULL), (3, 3, NULL), (4, 4, 1);
     CREATE TRIGGER echo AFTER UPDATE ON t WHEN new.n = 9 AND new.id = 2 BEGIN
       UPDATE t SET n = 109 WHERE id = 3; END;`,
  );
  await install(shop, "t");
  const schema = await shop.schema("t");
  assert.deepEqual(
    [schema.traits.changes, schema.traits.events, schema.traits.deletions],
    [true, true, true],
  );
  const mine = { schema, origin: "sync/side" };
  const head = await headOf(shop, mine);
  const expected = { values: schema.fields.map(() => undefined) };
  const values = schema.fields.map(({ name }) => (name === "n" ? "9" : undefined));
  const update = { kind: "update", id: "1", key: "2" as RecordKey, values, expected } as const;
  await shop.connector.write?.(mine, [update], never);
  const own = await read(shop, mine, head);
  assert.deepEqual([own.records, own.gone], [["3"], []]);
  const other = await read(shop, { schema, origin: "another/side" }, head);
  assert.deepEqual(other.records.toSorted(), ["2", "3"]);
  assert.deepEqual((await read(shop, { schema }, head)).records.toSorted(), ["2", "3"]);
  const remove = { kind: "delete", id: "2", key: "1" as RecordKey, expected } as const;
  await shop.connector.write?.(mine, [remove], never);
  assert.deepEqual((await read(shop, mine, own.cursor)).gone, ["4"]);
  assert.deepEqual((await read(shop, mine, head, "deletions")).gone, ["4"]);
  assert.deepEqual((await read(shop, { schema }, head, "deletions")).gone.toSorted(), ["1", "4"]);
});

test("keys of every storage class are told, and one that changes as gone and there", async (t) => {
  const shop = openShop(
    t,
    `CREATE TABLE t (k BLOB, i INTEGER, x TEXT, PRIMARY KEY (k, i));
     INSERT INTO t VALUES (x'00ff', 9007199254740993, 'a'), (x'01', -1, 'b')`,
  );
  await install(shop, "t");
  const query = { schema: await shop.schema("t") };
  const head = await headOf(shop, query);
  shop.owner.exec(
    "UPDATE t SET x = 'c' WHERE i = 9007199254740993; UPDATE t SET i = 7 WHERE i = -1",
  );
  const told = await read(shop, query, head);
  assert.deepEqual(told.records, ['["AP8=","9007199254740993"]', '["AQ==","7"]']);
  assert.deepEqual(told.gone, ['["AQ==","-1"]']);
});

test("cursors of before and after are told as expired", async (t) => {
  const shop = openShop(
    t,
    `CREATE TABLE t (id INTEGER PRIMARY KEY, updated_at TIMESTAMP);
     INSERT INTO t VALUES (1, '2024-01-01 00:00:00')`,
  );
  const timed = await headOf(shop, { schema: await shop.schema("t") });
  await install(shop, "t");
  const query = { schema: await shop.schema("t") };
  const expired = { code: "CURSOR_EXPIRED", context: { stream: "t" } };
  await assert.rejects(read(shop, query, timed), expired);
  const head = await headOf(shop, query);
  await uninstall(shop);
  await assert.rejects(read(shop, { schema: await shop.schema("t") }, head), {
    code: "CURSOR_EXPIRED",
  });
  await install(shop, "t");
  await assert.rejects(read(shop, query, head), expired);
  // A table that was made anew has no triggers: it is as if nothing were captured.
  shop.owner.exec("DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY)");
  assert.equal((await shop.schema("t")).traits.events, undefined);
  await install(shop, "t");
  assert.equal((await shop.schema("t")).traits.events, true);
});

test("what was passed is removed when it is old, and a slow reader is told", async (t) => {
  const shop = openShop(t, "CREATE TABLE t (id INTEGER PRIMARY KEY)");
  await install(shop, "t");
  const query = { schema: await shop.schema("t") };
  const slow = await headOf(shop, query);
  const insert = (id: number): void => shop.owner.exec(`INSERT INTO t VALUES (${id})`);
  const noted = (): unknown =>
    shop.owner.prepare("SELECT count(*) FROM _lockstep_outbox").get()?.[0];
  for (let id = 1; id <= 12; id += 1) insert(id);
  const { cursor, records } = await read(shop, query, slow);
  assert.equal(records.length, 12);
  shop.owner.exec("UPDATE _lockstep_outbox SET at = '2020-01-01T00:00:00.000Z'");
  // Still only what the reader has passed for good: the cursor that it comes with.
  assert.equal((await read(shop, query, slow)).records.length, 12);
  assert.equal(noted(), 12);
  await read(shop, query, cursor);
  // The newest one stays, so that its number is not given again.
  assert.equal(noted(), 1);
  insert(13);
  assert.deepEqual((await read(shop, query, cursor)).records, ["13"]);
  await assert.rejects(read(shop, query, slow), { code: "CURSOR_EXPIRED" });
});
