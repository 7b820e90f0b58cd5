import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import {
  postgresMissing,
  postgresServer,
  type TestDatabase,
} from "../../../test/postgres/server.ts";
import { openPostgres, type PostgresDatabase } from "../../drivers/postgres/database.ts";
import { parsePostgresUrl } from "../../drivers/postgres/url.ts";
import { createPostgresHome } from "../../homes/postgres/home.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Field, StreamSchema } from "../../model/schema.ts";
import type { Value, ValueType } from "../../model/value.ts";
import type { Destination, RowBatch, TableSpec } from "../../ports/destination.ts";
import { createKitClock } from "../../testing/kit-clock.ts";
import { createPostgresDestination } from "./destination.ts";

const field = (name: string, type: ValueType): Field => ({ name, type, nullable: true });
const TEXT: ValueType = { kind: "text" };

function tableOf(fields: readonly Field[], options: Partial<TableSpec> = {}): TableSpec {
  const schema: StreamSchema = {
    name: options.table ?? "Property",
    fields,
    key: [fields[0]?.name ?? ""],
    traits: { changes: true, deletions: true, sweep: true, count: true },
  };
  return {
    sync: "mls",
    table: schema.name,
    schema,
    naming: "snake_case",
    drift: "evolve",
    deletes: "mark",
    ...options,
  };
}

const batchOf = (
  table: TableSpec,
  rows: readonly (readonly Value[])[],
  parts: Partial<RowBatch> = {},
): RowBatch => ({
  table,
  upserts: rows.map((values) => ({
    key: String(values[0]) as RecordKey,
    values,
    hash: JSON.stringify(values),
  })),
  deletes: [],
  rehash: [],
  at: Date.UTC(2026, 0, 5, 12, 0, 0, 123),
  ...parts,
});

suite("postgres destination", { skip: postgresMissing }, () => {
  const opened: PostgresDatabase[] = [];
  let database: TestDatabase;
  let schemas = 0;

  before(async () => {
    database = await (await postgresServer()).createDatabase();
  });
  after(() => Promise.all(opened.map((pool) => pool.close())));

  const openPool = (url: string): PostgresDatabase => {
    const pool = openPostgres(parsePostgresUrl(url));
    opened.push(pool);
    return pool;
  };
  const newSchema = (): string => {
    schemas += 1;
    return `replica_${schemas}`;
  };
  const open = (schema: string, url = database.url): Destination =>
    createPostgresDestination({ database: openPool(`${url}?schema=${schema}`) });
  const valuesOf = async (destination: Destination, table: TableSpec, key: string) =>
    (await destination.load(table, [key as RecordKey])).get(key as RecordKey)?.values;

  test("columns are typed, in an order that reads well", async () => {
    const schema = newSchema();
    const destination = open(schema);
    const fields = [
      field("ListingKey", { kind: "integer", bits: 64 }),
      field("ListPrice", { kind: "decimal", precision: 12, scale: 2 }),
      field("Rooms", { kind: "integer", bits: 16 }),
      field("Latitude", { kind: "double" }),
      field("IsNew", { kind: "boolean" }),
      field("CloseDate", { kind: "date" }),
      field("OpenFrom", { kind: "time" }),
      field("Photo", { kind: "binary" }),
      field("Raw", { kind: "json" }),
      field("Features", { kind: "list", of: { kind: "text" }, ordered: false }),
      field("ModificationTimestamp", { kind: "timestamp" }),
      field("Remarks", { kind: "text", maxLength: 10 }),
    ];
    const table = tableOf(fields);
    const spec = { ...table, schema: { ...table.schema, modifiedAt: "ModificationTimestamp" } };
    await destination.prepare(spec);
    const rows = await database.query(
      `SELECT column_name, data_type FROM information_schema.columns
       WHERE table_schema = $1 AND table_name = 'property' ORDER BY ordinal_position`,
      [schema],
    );
    assert.deepEqual(
      rows.map((row) => [row["column_name"], row["data_type"]]),
      [
        ["listing_key", "bigint"],
        ["_lockstep_hash", "text"],
        ["_lockstep_changed_at", "timestamp with time zone"],
        ["_lockstep_deleted_at", "timestamp with time zone"],
        ["_lockstep_exact", "text"],
        ["modification_timestamp", "timestamp with time zone"],
        ["list_price", "numeric"],
        ["rooms", "smallint"],
        ["latitude", "double precision"],
        ["is_new", "boolean"],
        ["close_date", "date"],
        ["open_from", "time without time zone"],
        ["photo", "bytea"],
        ["raw", "json"],
        ["features", "jsonb"],
        ["remarks", "text"],
      ],
    );
  });

  test("fractions come back to the digit, and their columns are true for SQL", async () => {
    const schema = newSchema();
    const destination = open(schema);
    const fields = [
      field("Id", TEXT),
      field("A", { kind: "timestamp" }),
      field("B", { kind: "timestamp" }),
      field("C", { kind: "time" }),
    ];
    const table = tableOf(fields);
    await destination.prepare(table);
    const rows: readonly (readonly Value[])[] = [
      ["plain", "2024-05-01T08:30:00Z", "2024-05-01T08:30:00.5Z", "08:30:00"],
      ["three", "2024-05-01T08:30:00.000Z", "2024-05-01T08:30:00.120Z", "08:30:00.100"],
      ["some", "2024-05-01T08:30:00.10Z", null, "08:30:00.1"],
      ["deep", "2024-12-31T23:59:59.999999999Z", "0001-01-01T00:00:00.0000000Z", null],
      ["edge", "9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.000001Z", "23:59:59.9999999"],
      ["none", null, null, null],
    ];
    await destination.write(batchOf(table, rows));
    for (const values of rows) {
      assert.deepEqual(await valuesOf(destination, table, String(values[0])), values);
    }
    const exact = await database.query(
      `SELECT id, _lockstep_exact AS exact, a::text FROM ${schema}.property
       WHERE id IN ('plain', 'three', 'deep') ORDER BY id`,
    );
    assert.deepEqual(
      exact.map((row) => [row["exact"], row["a"]]),
      [
        ['[null,{"A":"999999999","B":"0000000"}]', "2024-12-31 23:59:59.999999+00"],
        [null, "2024-05-01 08:30:00+00"],
        ["[3]", "2024-05-01 08:30:00+00"],
      ],
    );
    const third = batchOf(table, [["three", "2024-05-01T08:30:00Z", null, null]]);
    await destination.write(third);
    assert.deepEqual(await valuesOf(destination, table, "three"), third.upserts[0]?.values);
  });

  test("rows that are stored as they come are not written again", async () => {
    const schema = newSchema();
    const destination = open(schema);
    const table = tableOf([field("Id", TEXT), field("A", { kind: "json" }), field("B", TEXT)]);
    await destination.prepare(table);
    const rows = [
      ["a", '{"x":1}', "one"],
      ["b", "[]", "two"],
    ];
    await destination.write(batchOf(table, rows));
    const versions = async () =>
      (await database.query(`SELECT xmin FROM ${schema}.property ORDER BY id`)).map(Object.values);
    const before = await versions();
    await destination.write(batchOf(table, rows, { at: 9 }));
    assert.deepEqual(await versions(), before);
    // A row that a person changed by hand is mended though its hash is the same.
    await database.query(`UPDATE ${schema}.property SET b = 'by hand' WHERE id = 'b'`);
    const [untouched] = await versions();
    await destination.write(batchOf(table, rows, { at: 9 }));
    assert.deepEqual((await versions())[0], untouched);
    assert.deepEqual(await valuesOf(destination, table, "b"), rows[1]);
  });

  test("one bad record among a thousand is named, whatever refuses it", async () => {
    const schema = newSchema();
    const destination = open(schema);
    const table = tableOf([
      field("Id", TEXT),
      field("Day", { kind: "date" }),
      field("Raw", { kind: "json" }),
      field("Rooms", { kind: "integer", bits: 16 }),
    ]);
    await destination.prepare(table);
    await database.query(
      `CREATE FUNCTION ${schema}.no_ghosts() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN IF NEW.id = 'ghost' THEN RAISE EXCEPTION 'no ghosts'; END IF; RETURN NEW; END $$;
       CREATE TRIGGER no_ghosts BEFORE INSERT ON ${schema}.property
         FOR EACH ROW EXECUTE FUNCTION ${schema}.no_ghosts();
       ALTER TABLE ${schema}.property ADD CHECK (rooms < 1000)`,
    );
    const good = Array.from({ length: 1500 }, (_, index) => [`K${index}`, null, "1", 1]);
    const bad: readonly (readonly [readonly Value[], RegExp])[] = [
      [["d", "2024-02-30", null, null], /date\/time field value out of range/],
      [["j", null, "{not json", null], /invalid input syntax for type json/],
      [["r", null, null, 40_000], /out of range for type smallint/],
      [["c", null, null, 5000], /violates check constraint/],
      [["ghost", null, null, null], /no ghosts/],
    ];
    for (const [record, message] of bad) {
      const rows = [...good.slice(0, 1234), record, ...good.slice(1234)];
      const error = await destination.write(batchOf(table, rows)).catch((reason) => reason);
      assert.equal(error.code, "RECORD_REFUSED", error.message);
      assert.equal(error.context.key, record[0]);
      assert.match(error.message, message);
      assert.equal(await destination.count(table), 0);
    }
    await destination.write(batchOf(table, good));
    assert.equal(await destination.count(table), 1500);
  });

  test("a row too wide for a page of the database is refused by its name", async () => {
    const destination = open(newSchema());
    const fields = [
      field("Id", TEXT),
      ...Array.from({ length: 900 }, (_, index) => field(`F${index}`, { kind: "decimal" })),
    ];
    const table = tableOf(fields);
    await destination.prepare(table);
    const wide = (id: string, digits: number): Value[] => [
      id,
      ...fields.slice(1).map((_, index) => `${index + 1}${"7".repeat(digits)}`),
    ];
    const error = await destination
      .write(batchOf(table, [wide("narrow", 1), wide("wide", 25)]))
      .catch((reason) => reason);
    assert.equal(error.code, "RECORD_REFUSED", error.message);
    assert.equal(error.context.key, "wide");
    assert.match(error.message, /row is too big/);
  });

  test("names are cut to what PostgreSQL keeps, and stay apart", async () => {
    const destination = open(newSchema());
    const long = `Öffentliche${"Bemerkung".repeat(9)}`;
    const names = [`${long}1`, `${long}2`, long.toUpperCase(), long.toLowerCase()];
    const fields = [field("Id", TEXT), ...names.map((name) => field(name, TEXT))];
    for (const naming of ["source", "snake_case"] as const) {
      const table = tableOf(fields, { table: `${long} ${naming}`, naming, indexes: names });
      await destination.prepare(table);
      assert.deepEqual(await destination.prepare(table), []);
      await destination.write(batchOf(table, [["a", ...names]]));
      assert.deepEqual(await valuesOf(destination, table, "a"), ["a", ...names]);
      assert.equal((await destination.find(table, names[1] ?? "", names[1] ?? "", 5)).length, 1);
    }
  });

  test("more columns than PostgreSQL has, and reserved names, are told", async () => {
    const destination = open(newSchema());
    const fields = Array.from({ length: 1597 }, (_, index) => field(`F${index}`, TEXT));
    await assert.rejects(destination.prepare(tableOf(fields)), {
      code: "CONFIG_INVALID",
      message: 'The table "property" would have 1597 columns; PostgreSQL allows 1596.',
    });
    await assert.rejects(destination.prepare(tableOf(fields, { table: "_lockstep_x" })), {
      code: "CONFIG_INVALID",
    });
    const system = tableOf(
      ["Id", "ctid", "xmin", "TABLEOID"].map((name) => field(name, TEXT)),
      {
        table: "System",
        naming: "source",
      },
    );
    await destination.prepare(system);
    await destination.write(batchOf(system, [["a", "b", "c", "d"]]));
    assert.deepEqual(await valuesOf(destination, system, "a"), ["a", "b", "c", "d"]);
  });

  test("a table that people made is refused", async () => {
    const schema = newSchema();
    await database.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.property (id text)`);
    await assert.rejects(open(schema).prepare(tableOf([field("Id", TEXT)])), {
      code: "DESTINATION_FOREIGN_TABLE",
      message: /was not made by Lockstep/,
    });
  });

  test("widened columns change their type and keep their values", async () => {
    const schema = newSchema();
    const destination = open(schema);
    const before = tableOf([
      field("Id", { kind: "integer", bits: 16 }),
      field("A", { kind: "integer", bits: 16 }),
      field("B", { kind: "date" }),
      field("C", { kind: "decimal", precision: 5, scale: 2 }),
      field("D", { kind: "json" }),
    ]);
    const wider = tableOf([
      field("Id", { kind: "integer", bits: 64 }),
      field("A", { kind: "double" }),
      field("B", TEXT),
      field("C", TEXT),
      field("D", TEXT),
    ]);
    await destination.prepare(before);
    await destination.write(batchOf(before, [[7, 5, "2024-05-01", "1.5", '{"a": 1}']]));
    await destination.prepare(wider);
    assert.deepEqual(await valuesOf(destination, wider, "7"), [
      "7",
      5,
      "2024-05-01",
      "1.5",
      '{"a": 1}',
    ]);
    await destination.write(batchOf(wider, [["9007199254740993", 0.5, "soon", "x", "y"]]));
    assert.equal(await destination.count(wider), 2);
  });

  test("a login with no right but to use the tables can write, and says what it cannot", async () => {
    const schema = newSchema();
    const table = tableOf([field("Id", TEXT), field("A", TEXT)]);
    await open(schema).prepare(table);
    const role = `worker_${schema}`;
    await database.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'least'; GRANT USAGE ON SCHEMA ${schema} TO ${role};
       GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`,
    );
    const worker = open(schema, database.url.replace(/\/\/[^@]+@/, `//${role}:least@`));
    assert.deepEqual(await worker.prepare(table), []);
    await worker.write(batchOf(table, [["a", "b"]]));
    assert.equal(await worker.count(table), 1);
    const grown = tableOf([field("Id", TEXT), field("A", TEXT), field("B", TEXT)]);
    await assert.rejects(worker.prepare(grown), { code: "HOME_READ_ONLY" });
    await assert.rejects(worker.backup([table], "x"), { code: "HOME_READ_ONLY" });
  });

  test("a backup can be read as a destination of its own", async () => {
    const destination = open(newSchema());
    const table = tableOf([field("Id", TEXT), field("A", TEXT)]);
    await destination.prepare(table);
    await destination.write(batchOf(table, [["a", "before"]]));
    const where = await destination.backup(
      [table, tableOf([field("Id", TEXT)], { table: "Gone" })],
      "plan 7",
    );
    await destination.write(batchOf(table, [["a", "after"]]));
    const copy = open(new URL(where).searchParams.get("schema") ?? "");
    assert.deepEqual(await copy.plan(table), []);
    assert.deepEqual(await valuesOf(copy, table, "a"), ["a", "before"]);
  });

  test("a step writes into the home's commit from a schema of its own", async () => {
    const [homeSchema, schema] = [newSchema(), newSchema()];
    const pool = openPool(`${database.url}?schema=${homeSchema}`);
    const home = await createPostgresHome({ database: pool, clock: createKitClock() });
    const destination = createPostgresDestination({ database: pool, schema, sharesHome: true });
    const table = tableOf([field("Id", TEXT)]);
    await destination.prepare(table);
    const lease = await home.acquireLease("mls", "one", 60_000);
    const step = destination.within?.(batchOf(table, [["a"]]));
    assert.ok(step);
    await home.commit({ lease, runId: "r", stream: "Property", at: 1, step });
    assert.equal(await destination.count(table), 1);
    const other = openPool(database.url);
    await assert.rejects(
      other.transaction(async (transaction) => step(transaction)),
      { code: "INTERNAL" },
    );
  });
});
