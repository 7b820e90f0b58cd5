import assert from "node:assert/strict";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { after, test } from "node:test";
import { openSqlite } from "../../drivers/sqlite/database.ts";
import { type Relation, relationOf } from "../agreements/sql.ts";
import { createAgreementSql } from "./agreement-sql.ts";

const database = openSqlite(":memory:");
after(() => database.close());
database.exec("CREATE TABLE kept (key TEXT NOT NULL, digest INTEGER)");

const COLUMNS = { key: "text", digest: "bigint" } as const;
const ROWS: Relation["rows"] = [
  { key: "plain", digest: 1 },
  { key: 'say "it" \\ once,\nor \u0000 never', digest: null },
  { key: "é, e\u0301, 🎉, \u2028 and '", digest: 2 ** 52 - 1 },
  { key: '{"a": [1, 2]}', digest: 0 },
  { key: "007", digest: -5 },
  { key: "", digest: 2 ** 53 - 1 },
];

const sql = createAgreementSql(database);

function numbered(from: number, count: number): Relation {
  return relationOf(
    COLUMNS,
    Array.from({ length: count }, (_, nth) => ({ key: `k${from + nth}`, digest: from + nth })),
  );
}

async function read(relation: Relation): Promise<readonly unknown[]> {
  return sql.all(`SELECT r.key, r.digest FROM ${sql.relation(1, relation)} AS r`, [relation]);
}

/** Rows that the home still holds of what statements were given. */
function held(): number {
  const tables = database.prepare("SELECT name FROM temp.sqlite_schema").all();
  const counts = tables.map(([name]) =>
    database.prepare(`SELECT count(*) FROM temp."${name}"`).get(),
  );
  return counts.reduce((sum, row) => sum + Number(row?.[0]), 0);
}

test("the rows of a relation are what was given", async () => {
  assert.deepEqual(
    await read(relationOf(COLUMNS, ROWS as never)),
    ROWS.map(({ key, digest }) => [key, digest]),
  );
});

test("of any number, in their order, and none is left of those before", async () => {
  for (const count of [0, 1, 24, 25, 26, 1003, 2]) {
    const relation = numbered(count, count);
    const rows = relation.rows.map(({ key, digest }) => [key, digest]);
    assert.deepEqual(await read(relation), rows);
  }
  assert.equal(held(), 0);
});

test("a statement may read two of one shape, and other parameters stand between them", async () => {
  const [some, others] = [numbered(0, 5), numbered(3, 5)];
  const rows = await sql.all(
    `SELECT r.key FROM ${sql.relation(1, some)} AS r CROSS JOIN ${sql.relation(3, others)} AS o
     WHERE r.key = o.key AND r.digest > $2 ORDER BY r.key`,
    [some, 3, others],
  );
  assert.deepEqual(rows, [["k4"]]);
});

test("statements of one transaction share one or have their own", async () => {
  const [first, second] = [numbered(0, 30), numbered(30, 2)];
  const insert = (relation: Relation): { sql: string; parameters: readonly [Relation] } => ({
    sql: `INSERT INTO kept SELECT r.key, r.digest FROM ${sql.relation(1, relation)} AS r`,
    parameters: [relation],
  });
  await sql.write([insert(first), insert(second), insert(second), insert(first)]);
  const [row] = await sql.all("SELECT count(*), sum(digest) FROM kept", []);
  assert.deepEqual(row, [64, 2 * (435 + 61)]);
  assert.equal(held(), 0);
});

test("a transaction that fails leaves nothing behind for the next", async () => {
  // Its shape is new, so that the failed transaction takes the table itself back.
  const shape = { key: "text", other: "text" } as const;
  const refused = relationOf(shape, [{ key: null, other: "x" }]);
  const taken = relationOf(shape, [{ key: "taken", other: "y" }]);
  const insert = `INSERT INTO kept SELECT r.key, NULL FROM ${sql.relation(1, refused)} AS r`;
  await assert.rejects(sql.write([{ sql: insert, parameters: [refused] }]));
  await sql.write([{ sql: insert, parameters: [taken] }]);
  assert.deepEqual(await sql.all("SELECT key FROM kept WHERE key = 'taken'", []), [["taken"]]);
  assert.equal(held(), 0);
});

const OPEN_FILES = "/proc/self/fd";
const noList = existsSync(OPEN_FILES) ? false : `there is no ${OPEN_FILES} to see open files in`;

test("long texts are held in memory, not in a temporary file", { skip: noList }, async () => {
  const rows = Array.from({ length: 1000 }, (_, at) => ({ key: "x".repeat(20_000), digest: at }));
  assert.equal((await read(relationOf(COLUMNS, rows))).length, 1000);
  const open = readdirSync(OPEN_FILES).map((file) => {
    try {
      return readlinkSync(`${OPEN_FILES}/${file}`);
    } catch {
      return "closed by now";
    }
  });
  assert.deepEqual(
    open.filter((path) => path.includes("etilqs")),
    [],
  );
});
