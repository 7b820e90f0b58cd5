import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { isSyncError } from "../../model/sync-error.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { backupDatabase, backupPath } from "./backup.ts";
import { openSqlite, quoteIdentifier } from "./database.ts";

suite("sqlite driver", () => {
  let folder: ReturnType<typeof createTemporaryFolder>;
  let path: string;

  beforeEach(() => {
    folder = createTemporaryFolder();
    path = join(folder.path, "data.db");
  });
  afterEach(() => folder.remove());

  const codeOf = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      assert.ok(isSyncError(error), String(error));
      assert.ok(error.message.includes(folder.path), error.message);
      assert.ok(error.cause instanceof Error);
      return error.code;
    }
    return "nothing";
  };

  test("a database is durable and shared by readers: WAL, full synchronisation", () => {
    const database = openSqlite(path);
    assert.deepEqual(database.prepare("PRAGMA journal_mode").get(), ["wal"]);
    assert.deepEqual(database.prepare("PRAGMA synchronous").get(), [2]);
    database.close();
  });

  test("rows are arrays; integers are exact with bigints", () => {
    const database = openSqlite(path);
    database.exec("CREATE TABLE t (a INTEGER, b TEXT)");
    const insert = database.prepare("INSERT INTO t VALUES (?, ?)");
    assert.equal(insert.run([2n ** 63n - 1n, "x\0y"]), 1);
    const select = database.prepare("SELECT a, b FROM t", { bigints: true });
    assert.deepEqual(select.get(), [2n ** 63n - 1n, "x\0y"]);
    assert.deepEqual(select.all(), [[2n ** 63n - 1n, "x\0y"]]);
    assert.equal(database.prepare("SELECT 1 WHERE FALSE").get(), undefined);
    database.close();
  });

  test("a transaction that throws leaves nothing, and the next one works", () => {
    const database = openSqlite(path);
    database.exec("CREATE TABLE t (a)");
    const broken = new Error("broken");
    const work = (): void => {
      database.exec("INSERT INTO t VALUES (1)");
      throw broken;
    };
    assert.throws(() => database.transaction(work), broken);
    database.transaction(() => database.exec("INSERT INTO t VALUES (2)"));
    assert.deepEqual(database.prepare("SELECT a FROM t").all(), [[2]]);
    assert.throws(() => database.transaction(() => database.transaction(() => undefined)), {
      code: "INTERNAL",
    });
    database.close();
  });

  test("many statements stay usable, also those no longer cached", () => {
    const database = openSqlite(path);
    const first = database.prepare("SELECT 0");
    for (let count = 1; count < 600; count += 1) {
      assert.deepEqual(database.prepare(`SELECT ${count}`).get(), [count]);
    }
    assert.deepEqual(first.get(), [0]);
    database.close();
  });

  test("the last user closes the connection", () => {
    const database = openSqlite(path);
    const [one, two] = [database.retain(), database.retain()];
    one();
    one();
    database.exec("SELECT 1");
    two();
    assert.throws(() => database.exec("SELECT 1"));
    database.close();
  });

  test("a lock of another program is HOME_LOCKED", () => {
    const other = openSqlite(path);
    other.exec("CREATE TABLE t (a); BEGIN IMMEDIATE");
    const database = openSqlite(path, { busyTimeoutMs: 1 });
    assert.equal(
      codeOf(() => database.transaction(() => undefined)),
      "HOME_LOCKED",
    );
    assert.deepEqual(database.prepare("SELECT count(*) FROM t").get(), [0]);
    other.exec("COMMIT");
    database.transaction(() => database.exec("INSERT INTO t VALUES (1)"));
    database.close();
    other.close();
  });

  test("a write to what may only be read is HOME_READ_ONLY", () => {
    const writer = openSqlite(path);
    writer.exec("CREATE TABLE t (a)");
    const database = openSqlite(path, { readOnly: true });
    assert.equal(database.readOnly, true);
    assert.deepEqual(database.prepare("SELECT count(*) FROM t").get(), [0]);
    assert.equal(
      codeOf(() => database.exec("INSERT INTO t VALUES (1)")),
      "HOME_READ_ONLY",
    );
    database.close();
    writer.close();
  });

  test("a file or folder without permission is HOME_READ_ONLY", () => {
    openSqlite(path).close();
    chmodSync(path, 0o444);
    chmodSync(folder.path, 0o555);
    // Permissions do not bind the superuser.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      assert.equal(
        codeOf(() => openSqlite(path).exec("CREATE TABLE t (a)")),
        "HOME_READ_ONLY",
      );
      assert.equal(
        codeOf(() => openSqlite(join(folder.path, "new.db"))),
        "HOME_READ_ONLY",
      );
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(folder.path, 0o755);
    }
  });

  test("a folder that is not there, or a folder as file, is HOME_READ_ONLY", () => {
    const nowhere = join(folder.path, "nowhere", "data.db");
    assert.equal(
      codeOf(() => openSqlite(nowhere)),
      "HOME_READ_ONLY",
    );
    mkdirSync(path);
    assert.equal(
      codeOf(() => openSqlite(path)),
      "HOME_READ_ONLY",
    );
  });

  test("a file that is no database is HOME_UNREADABLE", () => {
    writeFileSync(path, "not a database, but long enough to be looked at as one\n".repeat(100));
    for (const readOnly of [false, true]) {
      assert.equal(
        codeOf(() => openSqlite(path, { readOnly })),
        "HOME_UNREADABLE",
      );
    }
  });

  test("a full disk is HOME_FULL and takes the whole transaction back", () => {
    const database = openSqlite(path);
    database.exec("CREATE TABLE t (a); PRAGMA max_page_count = 20");
    const fill = (): void => {
      const insert = database.prepare("INSERT INTO t VALUES (?)");
      for (let count = 0; count < 200; count += 1) insert.run(["x".repeat(1000)]);
    };
    assert.equal(
      codeOf(() => database.transaction(fill)),
      "HOME_FULL",
    );
    assert.deepEqual(database.prepare("SELECT count(*) FROM t").get(), [0]);
    database.exec("PRAGMA max_page_count = 1000000");
    database.transaction(fill);
    assert.deepEqual(database.prepare("SELECT count(*) FROM t").get(), [200]);
    database.close();
  });

  test("a statement that is wrong is INTERNAL, with SQLite's words", () => {
    const database = openSqlite(path);
    assert.equal(
      codeOf(() => database.prepare("SELEC 1")),
      "INTERNAL",
    );
    database.close();
  });

  test("a backup is a file of its own, never one that exists", () => {
    const database = openSqlite(path);
    database.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    const first = backupDatabase(database, "a b/../c");
    assert.equal(first, join(folder.path, "data-backup-a-b-..-c.db"));
    database.exec("INSERT INTO t VALUES (2)");
    const second = backupDatabase(database, "a b/../c");
    assert.equal(second, join(folder.path, "data-backup-a-b-..-c-2.db"));
    assert.deepEqual(openSqlite(first).prepare("SELECT count(*) FROM t").get(), [1]);
    assert.deepEqual(openSqlite(second).prepare("SELECT count(*) FROM t").get(), [2]);
    database.close();
    assert.ok(!existsSync(backupPath(path, "new")));
  });

  test("identifiers are quoted whatever they hold", () => {
    const database = openSqlite(path);
    for (const name of ['a"b', "select", "x; DROP TABLE t", "é 🏠", ""]) {
      database.exec(`CREATE TABLE ${quoteIdentifier(`t ${name}`)} (${quoteIdentifier(name)})`);
    }
    assert.deepEqual(database.prepare("SELECT count(*) FROM sqlite_master").get(), [5]);
    database.close();
  });
});
