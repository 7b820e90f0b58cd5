import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { openSqlite, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Commit, Lease } from "../../ports/home.ts";
import { homeKit } from "../../testing/home-kit.ts";
import { createKitClock } from "../../testing/kit-clock.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { createSqliteHome } from "./home.ts";
import { MIGRATIONS, migrateHome } from "./migrate.ts";

homeKit("sqlite", {
  create: async (clock) => {
    const folder = createTemporaryFolder();
    const path = join(folder.path, "lockstep.db");
    const databases = [openSqlite(path)];
    const open = () => {
      const database = openSqlite(path);
      databases.push(database);
      return createSqliteHome({ database, clock });
    };
    return {
      home: createSqliteHome({ database: databases[0]!, clock }),
      reopen: async () => open(),
      close: async () => {
        for (const database of databases) database.close();
        folder.remove();
      },
    };
  },
});

suite("sqlite home", () => {
  let folder: ReturnType<typeof createTemporaryFolder>;
  let path: string;
  const clock = createKitClock();
  const databases: SqliteDatabase[] = [];

  beforeEach(() => {
    folder = createTemporaryFolder();
    path = join(folder.path, "lockstep.db");
  });
  afterEach(() => {
    for (const database of databases.splice(0)) database.close();
    folder.remove();
  });

  const open = (options?: Parameters<typeof openSqlite>[1]): SqliteDatabase => {
    const database = openSqlite(path, options);
    databases.push(database);
    return database;
  };
  const commitOf = (lease: Lease, id: string, step?: () => Promise<void>): Commit => ({
    lease,
    runId: "run",
    stream: "Property",
    at: 1000,
    log: {
      fieldNames: ["Id"],
      entries: [{ kind: "create", key: id as RecordKey, fields: [], image: `["${id}"]` }],
    },
    checkpoints: [{ lane: "walk", cursor: id as Cursor, state: {} }],
    ...(step === undefined ? {} : { step }),
  });
  const count = (database: SqliteDatabase, table: string): unknown =>
    database.prepare(`SELECT count(*) FROM ${table}`).get()?.[0];

  test("its tables stand beside a user's own", () => {
    const database = open();
    database.exec("CREATE TABLE mine (a); INSERT INTO mine VALUES (1); PRAGMA user_version = 7");
    createSqliteHome({ database, clock });
    const names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    const others = names.map(String).filter((name) => !/^(_lockstep_|sqlite_)/.test(name));
    assert.deepEqual(others, ["mine"]);
    assert.deepEqual(database.prepare("PRAGMA user_version").get(), [7]);
    assert.deepEqual(
      readdirSync(folder.path).filter((name) => name.includes("backup")),
      [],
    );
  });

  test("a home of a newer version is refused and left alone", () => {
    const database = open();
    createSqliteHome({ database, clock });
    const newer = MIGRATIONS.length + 41;
    database.prepare("INSERT INTO _lockstep_migrations VALUES (?, 0)").run([newer]);
    const another = open();
    assert.throws(() => createSqliteHome({ database: another, clock }), {
      code: "HOME_NEWER",
      message: `The home "${path}" has version ${newer}; this Lockstep knows versions up to ${MIGRATIONS.length}.`,
    });
  });

  test("an older home is backed up beside itself, then migrated", async () => {
    const database = open();
    const home = createSqliteHome({ database, clock });
    await home.memory("system").remember("probe", "old");
    const next = MIGRATIONS.length + 1;
    const newer = [
      ...MIGRATIONS,
      { version: next, sql: "ALTER TABLE _lockstep_audit ADD COLUMN seal TEXT" },
      { version: next + 1, sql: "CREATE TABLE _lockstep_later (a)" },
    ];
    migrateHome(database, 5, newer);
    assert.equal(count(database, "_lockstep_later"), 0);
    assert.equal(await home.memory("system").recall("probe"), "old");
    const backup = join(folder.path, `lockstep-backup-v${MIGRATIONS.length}.db`);
    const old = openSqlite(backup);
    databases.push(old);
    assert.equal(
      await createSqliteHome({ database: old, clock }).memory("system").recall("probe"),
      "old",
    );
    migrateHome(database, 6, newer);
    assert.ok(!existsSync(join(folder.path, `lockstep-backup-v${next + 1}.db`)));
    assert.throws(() => createSqliteHome({ database, clock }), { code: "HOME_NEWER" });
  });

  test("a migration that fails leaves the older home", () => {
    const database = open();
    createSqliteHome({ database, clock });
    const broken = [
      ...MIGRATIONS,
      { version: MIGRATIONS.length + 1, sql: "CREATE TABLE _lockstep_x (a); SELEC" },
    ];
    assert.throws(() => migrateHome(database, 5, broken), { code: "INTERNAL" });
    createSqliteHome({ database, clock });
    assert.throws(() => count(database, "_lockstep_x"));
  });

  test("a part of a home without its version is HOME_UNREADABLE", () => {
    const database = open();
    createSqliteHome({ database, clock });
    database.exec("DROP TABLE _lockstep_migrations");
    assert.throws(() => createSqliteHome({ database, clock }), { code: "HOME_UNREADABLE" });
  });

  test("a home opened for reading is read, not written", async () => {
    const writer = open();
    const home = createSqliteHome({ database: writer, clock });
    await home.commit(commitOf(await home.acquireLease("kit", "one", 1000), "a"));
    const reader = createSqliteHome({ database: open({ readOnly: true }), clock });
    assert.equal((await reader.checkpoint("kit", "Property", "walk"))?.cursor, "a");
    await assert.rejects(reader.acquireLease("kit", "one", 1000), { code: "HOME_READ_ONLY" });
    const empty = join(folder.path, "empty.db");
    openSqlite(empty).close();
    const database = openSqlite(empty, { readOnly: true });
    databases.push(database);
    assert.throws(() => createSqliteHome({ database, clock }), { code: "HOME_READ_ONLY" });
  });

  test("another program's lock makes a commit HOME_LOCKED, later it goes on", async () => {
    const database = open({ busyTimeoutMs: 1 });
    const home = createSqliteHome({ database, clock });
    const lease = await home.acquireLease("kit", "one", 1000);
    const other = open();
    other.exec("BEGIN IMMEDIATE");
    await assert.rejects(home.commit(commitOf(lease, "a")), { code: "HOME_LOCKED" });
    assert.deepEqual(await home.checkpoints("kit"), []);
    other.exec("COMMIT");
    await home.commit(commitOf(lease, "a"));
    assert.equal((await home.checkpoints("kit")).length, 1);
  });

  test("on a full disk nothing of a commit stays, later it goes on", async () => {
    const database = open();
    const home = createSqliteHome({ database, clock });
    const lease = await home.acquireLease("kit", "one", 1000);
    const [pages] = database.prepare("PRAGMA page_count").get() ?? [];
    database.exec(`PRAGMA max_page_count = ${Number(pages) + 2}`);
    const large = "x".repeat(100_000);
    await assert.rejects(home.commit(commitOf(lease, large)), { code: "HOME_FULL" });
    assert.deepEqual(await home.checkpoints("kit"), []);
    assert.equal(count(database, "_lockstep_commits"), 0);
    database.exec("PRAGMA max_page_count = 1000000");
    await home.commit(commitOf(lease, large));
    assert.equal(count(database, "_lockstep_commits"), 1);
  });

  test("two processes take turns with one home", async () => {
    const [one, two] = [open(), open()].map((database) => createSqliteHome({ database, clock }));
    assert.ok(one && two);
    const lease = await one.acquireLease("kit", "one", 1000);
    const update = (field: string): Commit => ({
      ...commitOf(lease, "a"),
      log: {
        fieldNames: ["Id"],
        entries: [
          { kind: "update", key: "a" as RecordKey, fields: [{ field, before: "x", after: "y" }] },
        ],
      },
    });
    for (const home of [one, two, one]) await home.commit(update("Status"));
    for (const home of [two, one]) await home.commit(update("Price"));
    const found: number[] = [];
    for await (const change of one.changes({ fields: ["Status", "Price"] })) found.push(change.id);
    assert.deepEqual(found, [5, 4, 3, 2, 1]);
  });

  test("a step that waits is refused: nothing may come between", async () => {
    const database = open();
    const home = createSqliteHome({ database, clock });
    const lease = await home.acquireLease("kit", "one", 1000);
    const waiting = commitOf(lease, "a", async () => {
      throw new Error("after a wait");
    });
    await assert.rejects(home.commit(waiting), { code: "INTERNAL" });
    assert.deepEqual(await home.checkpoints("kit"), []);
  });

  test("a stretch of agreements' work lets timers and signals in", async () => {
    const home = createSqliteHome({ database: open(), clock });
    let isIn = false;
    setTimeout(() => {
      isIn = true;
    }, 0);
    // Without a turn of the event loop no number of calls would do.
    for (let calls = 0; !isIn && calls < 100_000; calls += 1) await home.linkCount("items");
    assert.ok(isIn);
  });

  test("the log can be read in SQL", async () => {
    const database = open();
    const home = createSqliteHome({ database, clock });
    const lease = await home.acquireLease("kit", "one", 1000);
    for (const id of ["a", "b"]) await home.commit(commitOf(lease, id));
    const sql = "SELECT id, sync, stream, key, kind, at, image FROM _lockstep_log WHERE key = 'b'";
    assert.deepEqual(database.prepare(sql).all(), [
      [2, "kit", "Property", "b", "create", 1000, '["b"]'],
    ]);
  });
});
