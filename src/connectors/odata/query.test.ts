import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  after,
  allOf,
  anyOf,
  type FieldRef,
  literal,
  queryUrl,
  recordPath,
  upTo,
} from "./query.ts";

const text: FieldRef = { name: "MediaKey", literal: { kind: "string" } };
const number: FieldRef = { name: "Id", literal: { kind: "bare" } };
const time: FieldRef = { name: "At", literal: { kind: "bare" } };
const status = {
  kind: "enum",
  enum: {
    name: "Odata.Models.StandardStatus",
    isFlags: false,
    members: [{ name: "ActiveUnderContract", display: "Active Under Contract", value: 2n }],
  },
} as const;

test("literals are written as their type wants", () => {
  assert.equal(literal({ kind: "string" }, "O'Brien"), "'O''Brien'");
  assert.equal(literal({ kind: "bare" }, "2019-09-01T10:00:00Z"), "2019-09-01T10:00:00Z");
  assert.equal(literal({ kind: "duration" }, "P1D"), "duration'P1D'");
  const qualified = "Odata.Models.StandardStatus'ActiveUnderContract'";
  assert.equal(literal(status, "Active Under Contract"), qualified);
  assert.equal(literal(status, "ActiveUnderContract"), qualified);
});

test("reading on after several fields compares them in order", () => {
  assert.equal(after([number], ["7"]), "Id gt 7");
  assert.equal(after([time, text], ["T", "a"]), "At gt T or (At eq T and MediaKey gt 'a')");
  assert.equal(
    after([time, number, text], ["T", "7", "a"]),
    "At gt T or (At eq T and Id gt 7) or (At eq T and Id eq 7 and MediaKey gt 'a')",
  );
});

test("the part up to a key is all that is not after it", () => {
  assert.equal(upTo([number], ["7"]), "Id le 7");
  assert.equal(upTo([text], ["O'Brien ' or 1"]), "MediaKey le 'O''Brien '' or 1'");
  assert.equal(
    upTo([time, number, text], ["T", "7", "a"]),
    "At lt T or (At eq T and Id lt 7) or (At eq T and Id eq 7 and MediaKey le 'a')",
  );
});

test("parentheses stand only where they are needed", () => {
  assert.equal(allOf([undefined, "a eq 1", ""]), "a eq 1");
  assert.equal(allOf(["a eq 1", "b eq 2"]), "a eq 1 and b eq 2");
  assert.equal(allOf(["a eq 1 or c eq 3", "b eq ' or '"]), "(a eq 1 or c eq 3) and b eq ' or '");
  assert.equal(anyOf(["a eq 1 and b eq 2"]), "a eq 1 and b eq 2");
});

test("URLs encode a space as %20 and what would end an option", () => {
  assert.equal(
    queryUrl("https://h/odata/", "Property", {
      filter: "City eq 'A & B+C #1'",
      orderBy: ["At asc", "Id asc"],
      select: ["Id", "At"],
      top: 5,
      isCounted: true,
    }),
    "https://h/odata/Property?$filter=City%20eq%20'A%20%26%20B%2BC%20%231'&$orderby=At%20asc,Id%20asc&$select=Id,At&$top=5&$count=true",
  );
  assert.equal(queryUrl("https://h/odata", "$metadata"), "https://h/odata/$metadata");
  assert.equal(recordPath("Property", [number], ["1611952"]), "Property(1611952)");
  assert.equal(recordPath("Media", [text], ["a/b'c"]), "Media('a%2Fb''c')");
  assert.equal(recordPath("Pair", [number, text], ["1", "x"]), "Pair(Id=1,MediaKey='x')");
});

test("any text survives the way into a URL and back", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }).filter((value) => value.isWellFormed()),
      (value) => {
        const url = queryUrl("https://h/odata", "S", {
          filter: `A eq ${literal({ kind: "string" }, value)}`,
        });
        assert.ok(!/[ +]/.test(url));
        const filter = new URL(url).searchParams.get("$filter") ?? "";
        assert.equal(filter.slice("A eq '".length, -1).replaceAll("''", "'"), value);
      },
    ),
  );
});
