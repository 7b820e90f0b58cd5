import assert from "node:assert/strict";
import test from "node:test";
import { compileDecoder, type DecoderOptions } from "./coerce.ts";
import { exactNumber } from "./exact-number.ts";
import { createLookup } from "./lookup.ts";
import type { Problem } from "./record.ts";
import type { StreamSchema } from "./schema.ts";
import type { ValueType } from "./value.ts";

const TRAITS = { changes: false, deletions: false, sweep: true, count: true };

function decodeOne(
  type: ValueType,
  raw: unknown,
  options: DecoderOptions & { readonly isKey?: boolean; readonly lookup?: string } = {},
): unknown {
  const schema: StreamSchema = {
    name: "S",
    key: options.isKey ? ["F"] : [],
    fields: [
      { name: "F", type, nullable: true, ...(options.lookup ? { lookup: options.lookup } : {}) },
    ],
    traits: TRAITS,
  };
  const problems: Problem[] = [];
  const [value] = compileDecoder(schema, options)({ F: raw }, problems);
  return problems[0]?.code ?? value;
}

const MISMATCH = "RECORD_TYPE_MISMATCH";
const int32 = { kind: "integer", bits: 32 } as const;
const int64 = { kind: "integer", bits: 64 } as const;
const list = { kind: "list", of: { kind: "text" }, ordered: false } as const;

const CASES: readonly (readonly [ValueType, unknown, unknown])[] = [
  [{ kind: "text" }, "x", "x"],
  [{ kind: "text" }, "", ""],
  [{ kind: "text" }, null, null],
  [{ kind: "text" }, undefined, undefined],
  [{ kind: "text" }, 12, MISMATCH],
  [int32, 12, 12],
  [int32, 12.0, 12],
  [int32, -0, 0],
  [int32, 12.5, MISMATCH],
  [int32, 2_147_483_648, MISMATCH],
  [int32, "12", MISMATCH],
  [int32, exactNumber("12.0000000000000000"), 12],
  [{ kind: "integer", bits: 16 }, 40_000, MISMATCH],
  [int64, exactNumber("9007199254740993"), "9007199254740993"],
  [int64, "9223372036854775807", "9223372036854775807"],
  [int64, "9223372036854775808", MISMATCH],
  [int64, 12, "12"],
  [{ kind: "decimal" }, 2_950_000.0, "2950000"],
  [{ kind: "decimal" }, "12.50", "12.5"],
  [{ kind: "decimal" }, exactNumber("0.1000000000000000055"), "0.1000000000000000055"],
  [{ kind: "decimal" }, "abc", MISMATCH],
  [{ kind: "decimal" }, true, MISMATCH],
  [{ kind: "double" }, 1.5, 1.5],
  [{ kind: "double" }, exactNumber("1.00000000000000000001"), 1],
  [{ kind: "double" }, exactNumber("1e400"), MISMATCH],
  [{ kind: "double" }, "1.5", MISMATCH],
  [{ kind: "boolean" }, false, false],
  [{ kind: "boolean" }, 0, MISMATCH],
  [{ kind: "date" }, "2024-02-29", "2024-02-29"],
  [{ kind: "date" }, "TBD", MISMATCH],
  [{ kind: "timestamp" }, "2021-05-21T16:43:43.108+00:00", "2021-05-21T16:43:43.108Z"],
  [{ kind: "timestamp" }, "2021-05-21T16:43:43", "RECORD_ZONE_MISSING"],
  [{ kind: "timestamp" }, "2021-02-30T16:43:43Z", MISMATCH],
  [{ kind: "timestamp" }, 1_700_000_000, MISMATCH],
  [{ kind: "time" }, "07:30", "07:30:00"],
  [{ kind: "time" }, "07:30:01.250", "07:30:01.250"],
  [{ kind: "time" }, "24:00:00", MISMATCH],
  [{ kind: "binary" }, "-_8", "+/8="],
  [{ kind: "binary" }, "###", MISMATCH],
  [
    { kind: "json" },
    { a: [1, exactNumber("12345678901234567890")] },
    '{"a":[1,12345678901234567890]}',
  ],
  [list, ["b", "a", "b"], ["a", "b"]],
  [list, [], []],
  [list, "a,b", MISMATCH],
  [list, ["a", 1], MISMATCH],
  [{ ...list, ordered: true }, ["b", "a", "b"], ["b", "a", "b"]],
  [{ kind: "list", of: int32, ordered: false }, [10, 9, 10], [9, 10]],
];

for (const [type, raw, expected] of CASES) {
  test(`${type.kind}: ${JSON.stringify(raw)} becomes ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(decodeOne(type, raw), expected);
  });
}

test("text and number forms of a key are the same key", () => {
  assert.equal(decodeOne(int32, "1611952", { isKey: true }), 1_611_952);
  assert.equal(decodeOne(int32, "0337211", { isKey: true }), 337_211);
  assert.equal(decodeOne({ kind: "text" }, 1_611_952, { isKey: true }), "1611952");
  assert.equal(decodeOne(int32, "x", { isKey: true }), MISMATCH);
});

test("a zone rule converts local times, and overrules a wrong zone where told to", () => {
  const zoned = (applies: "missing" | "always", raw: string): unknown =>
    decodeOne({ kind: "timestamp" }, raw, {
      zones: new Map([["F", { zone: "America/Denver", applies }]]),
    });
  assert.equal(zoned("missing", "2026-07-01T06:00:00"), "2026-07-01T12:00:00Z");
  assert.equal(zoned("missing", "2026-07-01T06:00:00Z"), "2026-07-01T06:00:00Z");
  assert.equal(zoned("always", "2026-07-01T06:00:00Z"), "2026-07-01T12:00:00Z");
  assert.equal(zoned("always", "2026-07-01T06:00:00.5+00:00"), "2026-07-01T12:00:00.5Z");
});

test("lookups give display names, whichever form comes, and keep what they do not know", () => {
  const city = createLookup("City", [
    { name: "SaltLakeCity", display: "Salt Lake City" },
    { name: "Ogden", display: "Ogden" },
  ]);
  const lookups = new Map([["City", city]]);
  const one = (raw: unknown): unknown =>
    decodeOne({ kind: "text" }, raw, { lookups, lookup: "City" });
  assert.equal(one("SaltLakeCity"), "Salt Lake City");
  assert.equal(one("Salt Lake City"), "Salt Lake City");
  assert.equal(one("Gotham"), "Gotham");
  assert.equal(one(7), MISMATCH);
  const many = (raw: unknown): unknown => decodeOne(list, raw, { lookups, lookup: "City" });
  assert.deepEqual(many("SaltLakeCity,Ogden, Gotham,Ogden"), ["Gotham", "Ogden", "Salt Lake City"]);
  assert.deepEqual(many(["SaltLakeCity", "Salt Lake City"]), ["Salt Lake City"]);
  assert.deepEqual(many(""), []);
});

test("a display name with commas is matched whole in a joined text", () => {
  const lookups = new Map([
    [
      "View",
      createLookup("View", [
        { name: "LakeRiver", display: "Lake, River" },
        { name: "Lake", display: "Lake" },
        { name: "All", display: "City, Lake, River" },
      ]),
    ],
  ]);
  const many = (raw: string): unknown => decodeOne(list, raw, { lookups, lookup: "View" });
  assert.deepEqual(many("Lake, River,Lake"), ["Lake", "Lake, River"]);
  assert.deepEqual(many("City, Lake, River"), ["City, Lake, River"]);
  assert.deepEqual(many("Lake,River"), ["Lake", "River"]);
});

test("where a text could be a name or a display name, the service's form decides", () => {
  const members = [
    { name: "Uintah", display: "Uintah High" },
    { name: "Uintah2", display: "Uintah" },
  ];
  const read = (prefer: "name" | "display"): unknown =>
    decodeOne({ kind: "text" }, "Uintah", {
      lookups: new Map([["School", createLookup("School", members, prefer)]]),
      lookup: "School",
    });
  assert.equal(read("name"), "Uintah High");
  assert.equal(read("display"), "Uintah");
});

test("a problem names the field, the value and what was expected", () => {
  const schema: StreamSchema = {
    name: "S",
    key: ["Id"],
    fields: [
      { name: "Id", type: int32, nullable: false },
      { name: "Price", type: { kind: "decimal" }, nullable: true },
      { name: "toString", type: { kind: "text" }, nullable: true },
    ],
    traits: TRAITS,
  };
  const problems: Problem[] = [];
  const values = compileDecoder(schema)({ Id: 1, Price: "TBD", Other: {} }, problems);
  assert.deepEqual(values, [1, undefined, undefined]);
  assert.deepEqual(problems, [
    {
      code: "RECORD_TYPE_MISMATCH",
      message: 'Field "Price" holds the text "TBD": expected a decimal number.',
      field: "Price",
    },
  ]);
});
