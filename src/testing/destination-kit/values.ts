import assert from "node:assert/strict";
import { isSyncError } from "../../model/sync-error.ts";
import { type Value, type ValueType, valuesEqual } from "../../model/value.ts";
import {
  type Behaviour,
  batch,
  field,
  INT16,
  INT32,
  INT64,
  key,
  row,
  streamOf,
  TEXT,
  tableOf,
  valuesOf,
} from "./subject.ts";

/** Values that every destination keeps as they are. */
const KEPT: readonly (readonly [name: string, type: ValueType, values: readonly Value[]])[] = [
  [
    "text",
    TEXT,
    [
      "",
      "007",
      " x ",
      "NULL",
      'it\'s "quoted" \\ and ; more',
      "line\r\nline\ttab",
      "🏠 é",
      "\u00e9",
      "e\u0301",
      "1e5",
      "true",
      "x".repeat(50_000),
      null,
    ],
  ],
  ["text of a declared length", { kind: "text", maxLength: 40 }, ["a".repeat(40), "é".repeat(40)]],
  ["integer of 16 bits", INT16, [0, -1, 32_767, -32_768, null]],
  ["integer of 32 bits", INT32, [0, 2_147_483_647, -2_147_483_648, null]],
  [
    "integer of 64 bits",
    INT64,
    ["0", "-7", "9007199254740993", "9223372036854775807", "-9223372036854775808", null],
  ],
  [
    "decimal(12,2)",
    { kind: "decimal", precision: 12, scale: 2 },
    ["0", "0.1", "0.01", "-0.5", "1234567890.12", "-9999999999.99", "500000", null],
  ],
  [
    "decimal(15,12)",
    { kind: "decimal", precision: 15, scale: 12 },
    ["0.123456789012", "-1.000000000001", "0.000000000001"],
  ],
  [
    "decimal without precision",
    { kind: "decimal" },
    [
      "1000000000000000000000",
      "0.1",
      "0.123456789012",
      "123456789012345678901234567890.123456789",
      "-0.00000000000000000001",
    ],
  ],
  [
    "double",
    { kind: "double" },
    [0, -0, 0.1, 0.30000000000000004, 1e21, -2.5e-7, 5, 9007199254740991, 1e300, null],
  ],
  ["boolean", { kind: "boolean" }, [true, false, null]],
  ["date", { kind: "date" }, ["1969-12-31", "1850-01-01", "2024-02-29", "9999-12-31", null]],
  [
    "timestamp",
    { kind: "timestamp" },
    [
      "2024-05-01T08:30:00Z",
      "2024-05-01T08:30:00.123456Z",
      "1969-07-20T20:17:40.1Z",
      "1899-12-31T23:59:59.999Z",
      null,
    ],
  ],
  ["time", { kind: "time" }, ["00:00:00", "23:59:59.999999", null]],
  ["binary", { kind: "binary" }, ["", "AAECAw==", "/+8=", null]],
  ["json", { kind: "json" }, ['{"b":1,"a":[1.0,null,"é"]}', "null", "[]", null]],
  [
    "list of text",
    { kind: "list", of: TEXT, ordered: false },
    [[], ["Pool", "a, b", "é \u2028", ""], ["1", "10", "2"], null],
  ],
  ["list of numbers", { kind: "list", of: INT32, ordered: true }, [[3, 1, 2, 1], [0]]],
];

/** Values that a destination keeps as they are or refuses, never anything between. */
const HOSTILE: readonly (readonly [name: string, type: ValueType, value: Value])[] = [
  ["NUL in text", TEXT, "a\0b"],
  ["half of a surrogate pair", TEXT, "\ud800z"],
  [
    "decimal with more digits than declared",
    { kind: "decimal", precision: 12, scale: 2 },
    "1234567890123456.78",
  ],
  [
    "decimal with more fraction than declared",
    { kind: "decimal", precision: 12, scale: 2 },
    "0.123456789012",
  ],
  [
    "decimal 1e21 in a short column",
    { kind: "decimal", precision: 12, scale: 2 },
    "1000000000000000000000",
  ],
  ["decimal of 400 digits", { kind: "decimal" }, `1${"0".repeat(398)}1`],
  ["text longer than declared", { kind: "text", maxLength: 3 }, "abcdef"],
  ["integer above 32 bits", INT32, 2 ** 40],
  ["integer above 64 bits", INT64, "9223372036854775808"],
  ["timestamp with nanoseconds", { kind: "timestamp" }, "2024-05-01T08:30:00.123456789Z"],
  ["not a number", { kind: "double" }, Number.NaN],
  ["NUL in a list", { kind: "list", of: TEXT, ordered: false }, ["a\0b"]],
];

export function valueBehaviours(behaviour: Behaviour): void {
  for (const [name, type, values] of KEPT) {
    behaviour(`values come back exactly: ${name}`, async ({ destination }) => {
      const table = tableOf(streamOf([field("Id", INT32), field("Value", type)]));
      await destination.prepare(table);
      const upserts = values.map((value, index) => row(String(index), [index, value]));
      await destination.write(batch(table, { upserts }));
      const rows = await destination.load(
        table,
        values.map((_value, index) => key(String(index))),
      );
      for (const [index, value] of values.entries()) {
        const stored = rows.get(key(String(index)))?.values[1];
        assert.ok(
          valuesEqual(stored, value),
          `${describe(value)} came back as ${describe(stored)}`,
        );
      }
    });
  }

  behaviour(
    "a value that does not fit is refused, never bent",
    async ({ destination }, context) => {
      for (const [name, type, value] of HOSTILE) {
        const schema = streamOf([field("Id", INT32), field("Value", type)], { name: `Of ${name}` });
        const table = tableOf(schema);
        await destination.prepare(table);
        const upserts = [row("1", [1, null]), row("2", [2, value])];
        const error = await destination.write(batch(table, { upserts })).catch((reason) => reason);
        if (error === undefined) {
          const stored = (await valuesOf(destination, table, "2"))?.[1];
          assert.ok(valuesEqual(stored, value), `${name} came back as ${describe(stored)}`);
          continue;
        }
        context.diagnostic(`refuses: ${name}`);
        assert.ok(isSyncError(error), `${name}: ${error}`);
        assert.equal(error.code, "RECORD_REFUSED", `${name}: ${error.message}`);
        assert.equal(error.context.key, "2");
        assert.equal(await destination.count(table), 0, `${name}: a part of the batch was written`);
      }
    },
  );

  behaviour("null and absent are null in a new row", async ({ destination }) => {
    const table = tableOf(streamOf([field("Id", INT32), field("A", TEXT), field("B", TEXT)]));
    await destination.prepare(table);
    await destination.write(batch(table, { upserts: [row("1", [1, null, undefined])] }));
    assert.deepEqual(await valuesOf(destination, table, "1"), [1, null, null]);
  });

  behaviour("absent leaves what is stored, null takes it away", async ({ destination }) => {
    const table = tableOf(
      streamOf([field("Id", INT32), field("A", TEXT), field("B", TEXT), field("C", TEXT)]),
    );
    await destination.prepare(table);
    const first = [row("1", [1, "a", "b", "c"]), row("2", [2, "a", "b", "c"])];
    await destination.write(batch(table, { upserts: first }));
    const second = [
      row("1", [1, undefined, null, "new"]),
      row("2", [2, "new", undefined, undefined]),
    ];
    await destination.write(batch(table, { upserts: second, at: 2000 }));
    assert.deepEqual(await valuesOf(destination, table, "1"), [1, "a", null, "new"]);
    assert.deepEqual(await valuesOf(destination, table, "2"), [2, "new", "b", "c"]);
  });
}

function describe(value: Value | undefined): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > 80 ? `${text.slice(0, 80)}… (${text.length})` : text;
}
