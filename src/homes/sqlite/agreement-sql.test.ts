import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openSqlite } from "../../drivers/sqlite/database.ts";
import { type Parameter, relationText } from "../agreements/sql.ts";
import { createAgreementSql } from "./agreement-sql.ts";

const database = openSqlite(":memory:");
after(() => database.close());

const ROWS: readonly Readonly<Record<"key" | "digest", Parameter>>[] = [
  { key: "plain", digest: 1 },
  { key: 'say "it" \\ once,\nor \u0000 never', digest: null },
  { key: "é, e\u0301, 🎉, \u2028 and '", digest: 2 ** 52 - 1 },
  { key: '{"a": [1, 2]}', digest: 0 },
  { key: "007", digest: -5 },
  { key: "", digest: 2 ** 53 - 1 },
];

/** The name that this SQLite knows best, by asking it. */
function newest(): "jsonb_each" | "json_each" {
  try {
    database.prepare("SELECT 1 FROM jsonb_each('[]')");
    return "jsonb_each";
  } catch {
    return "json_each";
  }
}

// With a newer SQLite the rows of a relation are not parsed twice; both must say the same.
for (const each of new Set(["json_each", newest()] as const)) {
  test(`the rows of a relation are what was given, by ${each}`, async () => {
    const sql = createAgreementSql(database, each);
    const relation = sql.relation(1, { key: "text", digest: "bigint" });
    const rows = await sql.all(`SELECT r.key, r.digest FROM ${relation} AS r`, [
      relationText(ROWS),
    ]);
    assert.deepEqual(
      rows,
      ROWS.map(({ key, digest }) => [key, digest]),
    );
  });
}

test("the newer way is taken where this SQLite has it", () => {
  const columns = { key: "text" } as const;
  const [taken, best] = [createAgreementSql(database), createAgreementSql(database, newest())];
  assert.equal(taken.relation(1, columns), best.relation(1, columns));
});
