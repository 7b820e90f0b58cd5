import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { inspect } from "node:util";
import {
  type PostgresServer,
  postgresMissing,
  postgresServer,
  type TestDatabase,
} from "../../../test/postgres/server.ts";
import { openPostgres, type PostgresDatabase, type PostgresOptions } from "./database.ts";
import { parsePostgresUrl } from "./url.ts";

suite("postgres database", { skip: postgresMissing }, () => {
  let server: PostgresServer;
  let made: TestDatabase;
  const opened: PostgresDatabase[] = [];

  before(async () => {
    server = await postgresServer();
    made = await server.createDatabase();
  });
  after(() => Promise.all(opened.map((database) => database.close())));

  const open = (url = made.url, options?: PostgresOptions): PostgresDatabase => {
    const database = openPostgres(parsePostgresUrl(url), options);
    opened.push(database);
    return database;
  };
  const killAll = () =>
    made.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'lockstep' AND datname = current_database()`,
    );

  test("everything comes as text, exactly", async () => {
    const row = await open().get(
      `SELECT 9007199254740993::bigint, 1.10::numeric, true, '2024-05-01T08:30:00.123456Z'::timestamptz,
         'x'::bytea, 0.1::float8, NULL, ARRAY[1,2], '{"a":1}'::json`,
    );
    const time = "2024-05-01 08:30:00.123456+00";
    const wanted = [
      "9007199254740993",
      "1.10",
      "t",
      time,
      "\\x78",
      "0.1",
      null,
      "{1,2}",
      '{"a":1}',
    ];
    assert.deepEqual(row, wanted);
  });

  test("a transaction that throws leaves nothing, and its own error comes out", async () => {
    const database = open();
    await database.run("CREATE TABLE kept (a int)");
    const broken = new Error("broken");
    const failing = database.transaction(async (transaction) => {
      await transaction.run("INSERT INTO kept VALUES (1)");
      throw broken;
    });
    await assert.rejects(failing, broken);
    assert.deepEqual(await database.get("SELECT count(*) FROM kept"), ["0"]);
    await database.transaction((transaction) => transaction.run("INSERT INTO kept VALUES (2)"));
    assert.deepEqual(await database.get("SELECT count(*) FROM kept"), ["1"]);
  });

  test("a transaction is known by its own database only while it lasts", async () => {
    const [one, other] = [open(), open()];
    const ended = await one.transaction(async (transaction) => {
      assert.ok(one.owns(transaction));
      assert.ok(!other.owns(transaction));
      return transaction;
    });
    assert.ok(!one.owns(ended));
    assert.ok(!one.owns(undefined));
  });

  test("a connection that is killed is lost once, and the next one works", async () => {
    const database = open();
    const killed = database.transaction(async (transaction) => {
      await transaction.run("SELECT 1");
      await killAll();
      await transaction.run("SELECT 2");
    });
    await assert.rejects(killed, { code: "HOME_UNREACHABLE", intent: "retry" });
    assert.deepEqual(await database.get("SELECT 3"), ["3"]);
    // Killed while nobody uses it: the process lives on.
    await killAll();
    let answer: unknown;
    while (answer === undefined) answer = await database.get("SELECT 4").catch(() => undefined);
    assert.deepEqual(answer, ["4"]);
  });

  test("a server that is not there, or refuses, is told without the password", async () => {
    const away = made.url.replace(`:${server.port}/`, ":1/");
    const cases: readonly (readonly [string, string, RegExp])[] = [
      [away, "HOME_UNREACHABLE", /127\.0\.0\.1:1\/.* was lost or does not answer/],
      [made.url.replace(/:[^:@/]+@/, ":wrong-s3cret@"), "HOME_REFUSED", /refuses the login/],
      [made.url.replace(/\/\w+$/, "/nowhere"), "HOME_REFUSED", /nowhere.* does not exist/],
      [`${made.url}?sslmode=require`, "HOME_REFUSED", /TLS/],
    ];
    for (const [url, code, message] of cases) {
      const error = await open(url)
        .get("SELECT 1")
        .catch((reason: unknown) => reason as Error & { code: string });
      assert.ok(error instanceof Error, url);
      assert.equal((error as { code?: string }).code, code, error.message);
      assert.match(error.message, message);
      assert.ok(!inspect(error, { depth: 9 }).includes("s3cret"), inspect(error));
    }
  });

  test("locks, rights and read-only servers have codes of their own", async () => {
    const database = open(made.url, { lockTimeoutMs: 50 });
    await database.run("CREATE TABLE locked (a int)");
    await database.transaction(async (transaction) => {
      await transaction.run("LOCK TABLE locked");
      const blocked = database.run("INSERT INTO locked VALUES (1)");
      await assert.rejects(blocked, { code: "HOME_LOCKED", intent: "retry" });
    });
    for (const setting of ["TRANSACTION READ ONLY", "LOCAL ROLE pg_read_all_data"]) {
      const refused = database.transaction(async (transaction) => {
        await transaction.run(`SET ${setting}`);
        await transaction.run("CREATE TABLE public.x (a int)");
      });
      await assert.rejects(refused, { code: "HOME_READ_ONLY", intent: "halt" });
    }
  });

  test("the pool closes with its last user, once", async () => {
    const database = open();
    const [first, second] = [database.retain(), database.retain()];
    await first();
    await first();
    assert.deepEqual(await database.get("SELECT 1"), ["1"]);
    await second();
    await second();
    await assert.rejects(database.get("SELECT 1"));
    await database.close();
  });
});
