import assert from "node:assert/strict";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { openSqlite, type SqliteDatabase } from "../../drivers/sqlite/database.ts";
import { createSqliteHome } from "../../homes/sqlite/home.ts";
import {
  batch,
  DECIMAL,
  field,
  INT64,
  key,
  LISTING,
  listing,
  row,
  seed,
  streamOf,
  TEXT,
  tableOf,
} from "../../testing/destination-kit/subject.ts";
import { destinationKit } from "../../testing/destination-kit.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { createSqliteDestination } from "./destination.ts";

destinationKit("sqlite", {
  create: async (clock) => {
    const folder = createTemporaryFolder();
    const path = join(folder.path, "lockstep.db");
    const database = openSqlite(path);
    return {
      destination: createSqliteDestination({ database, sharesHome: true }),
      home: createSqliteHome({ database, clock }),
      reopen: async () => {
        database.close();
        return createSqliteDestination({ database: openSqlite(path) });
      },
      close: async () => {
        database.close();
        folder.remove();
      },
    };
  },
});

suite("sqlite destination", () => {
  let folder: ReturnType<typeof createTemporaryFolder>;
  let database: SqliteDatabase;

  beforeEach(() => {
    folder = createTemporaryFolder();
    database = openSqlite(join(folder.path, "replica.db"), { busyTimeoutMs: 1 });
  });
  afterEach(() => {
    database.close();
    folder.remove();
  });

  const all = (sql: string): readonly unknown[] => database.prepare(sql).all();

  test("columns have types that SQL can use", async () => {
    const destination = createSqliteDestination({ database });
    const schema = streamOf([
      field("ListingKey", INT64),
      field("ListPrice", DECIMAL),
      field("MLSStatus", TEXT),
      field("IsNew", { kind: "boolean" }),
      field("Ratio", { kind: "decimal", precision: 38, scale: 10 }),
      field("Lat", { kind: "double" }),
    ]);
    const table = tableOf(schema, { naming: "snake_case", table: "Property" });
    await seed(destination, table, [
      row("1", ["1", "500000.5", "Active", true, "0.12345678901234567890", 40.5]),
      row("2", ["2", "90000", "Closed", false, null, null]),
    ]);
    const [made] = all("SELECT sql FROM sqlite_master WHERE name = 'property'");
    assert.equal(
      String(made),
      `CREATE TABLE "property" (
  "listing_key" INTEGER NOT NULL PRIMARY KEY,
  _lockstep_hash TEXT NOT NULL,
  _lockstep_changed_at INTEGER NOT NULL,
  _lockstep_deleted_at INTEGER,
  "list_price" DECIMAL(12,2),
  "mls_status" TEXT,
  "is_new" BOOLEAN,
  "ratio" TEXT,
  "lat" DOUBLE
)`,
    );
    assert.deepEqual(all("SELECT listing_key FROM property WHERE list_price > 400000"), [[1]]);
    assert.deepEqual(all("SELECT listing_key FROM property WHERE list_price = 90000"), [[2]]);
    assert.deepEqual(all("SELECT listing_key, lat FROM property WHERE is_new"), [[1, 40.5]]);
  });

  test("a user's own table is refused and not touched", async () => {
    database.exec("CREATE TABLE PROPERTY (a); INSERT INTO PROPERTY VALUES (1)");
    database.exec("CREATE VIEW Member AS SELECT 1");
    const destination = createSqliteDestination({ database });
    for (const name of ["Property", "Member"]) {
      const table = tableOf({ ...LISTING, name });
      const wanted = {
        code: "DESTINATION_FOREIGN_TABLE",
        message: `The table "${name}" of database "${database.path}" was not made by Lockstep.`,
      };
      await assert.rejects(destination.plan(table), wanted);
      await assert.rejects(destination.prepare(table), wanted);
      await assert.rejects(destination.write(batch(table, { upserts: [listing("a")] })), wanted);
    }
    assert.deepEqual(all("SELECT a FROM PROPERTY"), [[1]]);
  });

  test("a table that the user dropped is made again", async () => {
    const destination = createSqliteDestination({ database });
    const table = tableOf(LISTING);
    await seed(destination, table, [listing("a")]);
    database.exec("DROP TABLE Property");
    const again = createSqliteDestination({ database });
    assert.equal((await again.prepare(table))[0]?.kind, "create-table");
    assert.equal(await again.count(table), 0);
  });

  test("reserved names and too many columns are configuration errors", async () => {
    const destination = createSqliteDestination({ database });
    for (const table of ["_lockstep_runs", "sqlite_x", "SQLITE_x"]) {
      await assert.rejects(destination.plan(tableOf(LISTING, { table })), {
        code: "CONFIG_INVALID",
      });
    }
    const fields = Array.from({ length: 1997 }, (_, index) => field(`F${index}`, TEXT));
    const most = streamOf(fields);
    await destination.prepare(tableOf(most));
    const tooMany = tableOf(streamOf([...fields, field("One more", TEXT)]));
    await assert.rejects(destination.prepare(tooMany), {
      code: "CONFIG_INVALID",
      message: 'The table "Property" would have 1998 columns; SQLite allows 1997.',
    });
    await destination.write(batch(tableOf(most), { upserts: [row("a", ["a"])] }));
    assert.equal(await destination.count(tableOf(most)), 1);
  });

  test("a decimal of more than 15 digits is refused, not rounded", async () => {
    const destination = createSqliteDestination({ database });
    const table = tableOf(streamOf([field("Id", TEXT), field("Price", DECIMAL)]));
    await destination.prepare(table);
    const bad = row("bad", ["bad", "1234567890123.456"]);
    await assert.rejects(destination.write(batch(table, { upserts: [bad] })), {
      code: "RECORD_REFUSED",
      message:
        'The table "Property" cannot hold a value of record "bad": of field "Price" it has more than 15 digits.',
    });
  });

  test("decimals cannot grow beyond what their column holds exactly", async () => {
    const destination = createSqliteDestination({ database });
    const of = (type: Parameters<typeof field>[1]) =>
      tableOf(streamOf([field("Id", TEXT), field("F", type)]));
    await destination.prepare(of(DECIMAL));
    for (const type of [
      { kind: "decimal", precision: 16, scale: 2 },
      { kind: "decimal" },
      TEXT,
    ] as const) {
      await assert.rejects(destination.plan(of(type)), { code: "DRIFT_NARROWED" });
    }
    const [widened] = await destination.plan(of({ kind: "decimal", precision: 15, scale: 2 }));
    assert.equal(widened?.kind, "widen-column");
  });

  test("two schemas of one stream share a table", async () => {
    const destination = createSqliteDestination({ database });
    const whole = tableOf(LISTING);
    await seed(destination, whole, [listing("a", "5")]);
    const narrow = tableOf({
      ...LISTING,
      fields: LISTING.fields.filter((_, index) => index !== 1),
    });
    await destination.prepare(narrow);
    await destination.write(batch(narrow, { upserts: [row("a", ["a", "Closed", null])] }));
    const stored = (await destination.load(whole, [key("a")])).get(key("a"));
    assert.deepEqual(stored?.values, ["a", "5", "Closed", null]);
  });

  test("lookups use the indexes that were asked for", async () => {
    const destination = createSqliteDestination({ database });
    const table = tableOf(LISTING, { indexes: ["StandardStatus", "ListingKey"] });
    await destination.prepare(table);
    await destination.prepare(table);
    const plan = all("EXPLAIN QUERY PLAN SELECT * FROM Property WHERE StandardStatus IS 'Active'");
    assert.match(String(plan), /USING INDEX _lockstep_by_StandardStatus.Property/);
  });

  test("a backup holds the tables, their keys and their owner", async () => {
    const destination = createSqliteDestination({ database });
    const property = tableOf(LISTING);
    const member = tableOf({ ...LISTING, name: "Member" });
    await seed(destination, property, [listing("a"), listing("b")]);
    await seed(destination, member, [listing("m")]);
    const place = await destination.backup([property, tableOf({ ...LISTING, name: "None" })], "x");
    assert.equal(place, join(folder.path, "replica-backup-x.db"));
    await destination.write(batch(property, { deletes: [key("a")] }));
    const copy = createSqliteDestination({ database: openSqlite(place) });
    assert.deepEqual(await copy.prepare(property), []);
    assert.equal(await copy.count(property), 2);
    assert.equal(await copy.count(member), 0);
    await copy.write(batch(property, { upserts: [listing("b", "7")] }));
    assert.equal(await copy.count(property), 2);
    await copy.close();
  });

  test("trouble with the file is told as the home's is", async () => {
    const destination = createSqliteDestination({ database });
    const table = tableOf(LISTING);
    await seed(destination, table, [listing("a")]);
    const other = openSqlite(database.path);
    other.exec("BEGIN IMMEDIATE");
    const write = () => destination.write(batch(table, { upserts: [listing("b")] }));
    await assert.rejects(write(), { code: "HOME_LOCKED" });
    other.exec("COMMIT");
    other.close();
    const [pages] = database.prepare("PRAGMA page_count").get() ?? [];
    database.exec(`PRAGMA max_page_count = ${pages}`);
    const large = row("c", ["c", "1", "x".repeat(100_000), null]);
    await assert.rejects(destination.write(batch(table, { upserts: [large] })), {
      code: "HOME_FULL",
    });
    assert.equal(await destination.count(table), 1);
    const reader = openSqlite(database.path, { readOnly: true });
    const reading = createSqliteDestination({ database: reader });
    assert.equal(await reading.count(table), 1);
    await assert.rejects(reading.write(batch(table, { upserts: [listing("b")] })), {
      code: "HOME_READ_ONLY",
    });
    await reading.close();
  });
});
