import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { postgresMissing, postgresServer } from "../../../test/postgres/server.ts";
import { openPostgres } from "./database.ts";
import { packColumns, unpack } from "./packed.ts";
import { parsePostgresUrl } from "./url.ts";

/** Texts made of what packing is made of. */
const texts = fc.array(
  fc.oneof(
    fc.constantFrom(
      "\x1e",
      "\x1d",
      "\x1f",
      "\x1c",
      "\x02",
      "\x03",
      "\x1e\x1e\x1f",
      "a",
      "é",
      "{",
      "\\",
    ),
    fc.string({ unit: "grapheme", maxLength: 3 }),
  ),
  { maxLength: 4 },
);
const value = fc.option(
  texts.map((parts) => parts.join("").replaceAll("\0", "")),
  { nil: null },
);
const table = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }))
  .chain(([rows, columns]) =>
    fc.tuple(
      fc.array(fc.string({ maxLength: 3 }), { minLength: rows, maxLength: rows }),
      fc.array(fc.array(value, { minLength: rows, maxLength: rows }), {
        minLength: columns,
        maxLength: columns,
      }),
    ),
  );

test("packed columns come back as they were", { skip: postgresMissing }, async () => {
  const made = await (await postgresServer()).createDatabase();
  const database = openPostgres(parsePostgresUrl(made.url));
  try {
    await fc.assert(
      fc.asyncProperty(table, async ([keys, columns]) => {
        const safeKeys = keys.map((key) => key.replaceAll("\0", ""));
        const { parameters } = packColumns([safeKeys, ...columns]);
        const arrays = [safeKeys, ...columns].map((_column, index) => unpack(index, "text"));
        const names = arrays.map((_array, index) => `c${index}`).join(", ");
        const rows = await database.all(
          `SELECT ${names} FROM unnest(${arrays.join(", ")}) AS r (${names}) WHERE c0 IS NOT NULL`,
          parameters,
        );
        assert.deepEqual(
          rows,
          safeKeys.map((key, row) => [key, ...columns.map((column) => column[row])]),
        );
      }),
      { numRuns: 300 },
    );
  } finally {
    await database.close();
  }
});
