import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cursor } from "../../model/cursor.ts";
import { KEPT_TEXTS, type Place, readCursor, writeCursor } from "./position.ts";
import type { SqlColumn, SqlView } from "./table.ts";

const SYSTEM = { name: "Test", ...KEPT_TEXTS };

/** Of a table whose key has two fields. */
const view = ((): SqlView => {
  const columns = ["a", "b"].map(
    (name): SqlColumn => ({
      field: { name, type: { kind: "text" }, nullable: false },
      sql: name,
      decode: String,
    }),
  );
  const traits = { changes: true, deletions: false, sweep: true, count: true };
  const schema = { name: "t", fields: columns.map(({ field }) => field), key: ["a", "b"], traits };
  const table = { schema, sql: "t", columns: new Map(), key: columns, mayLackKeys: false };
  return { table, schema, columns, modified: undefined, modifiedAt: -1, filter: "(1 = 1)" };
})();

test("a place comes back from its cursor", () => {
  const places: readonly Place<string>[] = [
    { time: null, key: null },
    { time: null, key: ["x", ""] },
    { time: "2026-01-01", key: ["x", "y"] },
  ];
  for (const place of places) {
    const cursor = writeCursor(KEPT_TEXTS, "changes", place);
    assert.deepEqual(readCursor(SYSTEM, view, cursor, "changes"), place);
  }
});

test("what is no place of the kind is refused, and of capture is expired", () => {
  const codeOf = (cursor: string): unknown => {
    try {
      return readCursor(SYSTEM, view, cursor as Cursor, "walk");
    } catch (error) {
      return (error as { code: unknown }).code;
    }
  };
  const refused = [
    "",
    "walk",
    "null",
    "7",
    "{}",
    '{"kind":"walk"}',
    '{"kind":"changes","key":null}',
    '{"kind":"walk","key":["x"]}',
    '{"kind":"walk","key":["x",7]}',
    '{"kind":"walk","key":"xy"}',
    '{"kind":"walk","time":7,"key":null}',
  ];
  assert.deepEqual(
    refused.map(codeOf),
    refused.map(() => "CURSOR_INVALID"),
  );
  assert.equal(codeOf('{"kind":"events","capture":"c","sequence":1}'), "CURSOR_EXPIRED");
});
