import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { compileDecoder } from "../../model/coerce.ts";
import { canonicalDecimal } from "../../model/decimal.ts";
import { exactJson, numberText } from "../../model/exact-number.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { parseExactJson } from "./exact-json.ts";

const SCHEMA: StreamSchema = {
  name: "S",
  key: ["Big"],
  fields: [
    { name: "Big", type: { kind: "integer", bits: 64 }, nullable: false },
    { name: "Price", type: { kind: "decimal" }, nullable: true },
    { name: "Geo", type: { kind: "json" }, nullable: true },
  ],
  traits: { changes: false, deletions: false, sweep: true, count: true },
};
const decode = compileDecoder(SCHEMA);

const decimals = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat(30))
  .map(([digits, scale]) => {
    const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, "0");
    const point = text.length - scale;
    const plain = scale === 0 ? text : `${text.slice(0, point)}.${text.slice(point)}`;
    return digits < 0n ? `-${plain}` : plain;
  });

test("bare decimals and 64-bit integers come through JSON with every digit", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      decimals,
      fc.string(),
      (big, price, noise) => {
        const text = `{"Noise": ${JSON.stringify(noise)}, "Big": ${big}, "Price":${price}}`;
        const raw = parseExactJson(text) as Record<string, unknown>;
        assert.deepEqual(decode(raw, []).slice(0, 2), [String(big), canonicalDecimal(price)]);
        assert.equal(raw["Noise"], noise);
      },
    ),
    { numRuns: 500 },
  );
});

test("numbers with exponents come through", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const raw = parseExactJson(`{"Price":${value}}`) as Record<string, unknown>;
      assert.equal(decode(raw, [])[1], canonicalDecimal(String(value)));
    }),
  );
  const raw = parseExactJson('{"Price":1.2345678901234567890e5}') as Record<string, unknown>;
  assert.equal(decode(raw, [])[1], "123456.7890123456789");
});

test("whatever JSON.parse gives without risky numbers is given", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      assert.deepEqual(JSON.parse(exactJson(parseExactJson(text))), JSON.parse(text));
    }),
  );
});

test("raw JSON keeps its digits", () => {
  const raw = parseExactJson('{"Geo":{"coordinates":[-111.8982480000000001,40.5]}}');
  assert.equal(
    decode(raw as Record<string, unknown>, [])[2],
    '{"coordinates":[-111.8982480000000001,40.5]}',
  );
  const list =
    '["\\"12345678901234567890",12345678901234567890, -1e400,{"a\\\\":1.10000000000000000}]';
  assert.equal(exactJson(parseExactJson(list)), list.replace(", -", ",-"));
});

test("strings that hold numbers, quotes and backslashes come through beside exact numbers", () => {
  const texts = fc.string({
    unit: fc.constantFrom('"', "\\", ":", ",", "[", "1234567890123456", " "),
  });
  fc.assert(
    fc.property(fc.array(texts), (values) => {
      const text = JSON.stringify([...values, 7]).replace("7]", "12345678901234567890]");
      const parsed = parseExactJson(text) as readonly unknown[];
      assert.deepEqual(parsed.slice(0, -1), values);
      assert.equal(numberText(parsed.at(-1)), "12345678901234567890");
    }),
  );
});

test("what is no JSON throws SyntaxError", () => {
  for (const text of [
    "",
    "{",
    '{"a":12345678901234567890',
    '{"a":01234567890123456789}',
    '{"a":1.2.3456789012345678}',
    "[1234567890123456789012x]",
    "<html>",
  ]) {
    assert.throws(() => parseExactJson(text), SyntaxError);
  }
});
