import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFilter } from "./filter-parser.ts";
import { RequestError } from "./request-error.ts";

test("a pair keyset parses with 'and' binding closer than 'or'", () => {
  const filter = parseFilter("T gt 2024-01-02T03:04:05Z or T eq 2024-01-02T03:04:05Z and K gt 7");
  assert.equal(filter.kind, "or");
  assert.deepEqual(filter.kind === "or" && filter.operands.map((each) => each.kind), [
    "compare",
    "and",
  ]);
});

test("a list of a thousand keys does not nest", () => {
  const text = Array.from({ length: 1_000 }, (_, key) => `K eq '${key}'`).join(" or ");
  const filter = parseFilter(text);
  assert.equal(filter.kind === "or" && filter.operands.length, 1_000);
});

test("literals keep what was written", () => {
  const literals = [
    ["'O''Brien'", { kind: "string", text: "O'Brien" }],
    ["12.50", { kind: "number", text: "12.50" }],
    ["-3", { kind: "number", text: "-3" }],
    ["9007199254740993", { kind: "number", text: "9007199254740993" }],
    ["2024-10-15T04:26:10.660765Z", { kind: "timestamp", micros: 1_728_966_370_660_765 }],
    ["2024-10-15T04:26:10-07:00", { kind: "timestamp", micros: 1_728_991_570_000_000 }],
    ["2024-02-29", { kind: "date", text: "2024-02-29" }],
    ["true", { kind: "boolean", value: true }],
    ["null", { kind: "null" }],
    ["Odata.Models.City'Provo'", { kind: "enum", enumName: "City", members: ["Provo"] }],
  ] as const;
  for (const [text, literal] of literals) {
    assert.deepEqual(parseFilter(`A eq ${text}`), {
      kind: "compare",
      operator: "eq",
      left: { kind: "property", name: "A" },
      right: { kind: "literal", literal },
    });
  }
});

test("a distance is measured from a property to a point, whichever stands first", () => {
  const to = {
    kind: "geography",
    srid: "3956",
    point: { type: "Point", coordinates: [-111.5, 40] },
  };
  for (const inner of [
    "A,geography'SRID=3956;POINT(-111.5 40)'",
    "geography'SRID=3956;POINT(-111.5 40)', A",
  ]) {
    assert.deepEqual(parseFilter(`geo.distance(${inner}) lt 2.5`), {
      kind: "compare",
      operator: "lt",
      left: { kind: "distance", name: "A", to },
      right: { kind: "literal", literal: { kind: "number", text: "2.5" } },
    });
  }
});

test("what is not understood is refused", () => {
  const refused = [
    "",
    " ",
    "A",
    "A eq",
    "eq 1",
    "A = 1",
    "A eq 1 and",
    "A eq 1 or or B eq 2",
    "(A eq 1",
    "A eq 1)",
    "A eq 'open",
    "A eq 1 B eq 2",
    "A eq 12abc",
    "A eq 2024-02-30",
    "A eq 2024-13-01T00:00:00Z",
    "A eq 2024-01-01T25:00:00Z",
    "A eq 2024-01-01T00:00:00",
    "contains(A,'x')",
    "geo.distance(A,geography'SRID=3956;POINT(1)') lt 1",
    "geo.distance(A,geography'POINT(1 2)') lt 1",
    "geo.distance(A,geography'SRID=3956;POINT(40.5 -111.9)') lt 1",
    "geo.distance(A,B) lt 1",
    "geo.distance(A) lt 1",
    "geo.distance(geography'SRID=3956;POINT(1 2)',geography'SRID=3956;POINT(1 2)') lt 1",
    "geo.intersects(A,geography'SRID=3956;POINT(1 2)')",
    "A/any(x:x eq 1)",
    "A in ()",
    "A in (B)",
    "A eq B'x'",
    "A add 1 eq 2",
    "tolower(A) eq 'x'",
    `${"(".repeat(5_000)}A eq 1${")".repeat(5_000)}`,
  ];
  const parsed = refused.filter((text) => text !== "A" && !throwsBadRequest(text));
  assert.deepEqual(parsed, []);
});

function throwsBadRequest(text: string): boolean {
  try {
    parseFilter(text);
    return false;
  } catch (error) {
    assert.ok(error instanceof RequestError, `${text} threw ${String(error)}`);
    assert.equal(error.status, 400);
    return true;
  }
}
