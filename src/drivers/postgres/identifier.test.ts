import assert from "node:assert/strict";
import { test } from "node:test";
import { fitIdentifier, qualified, quoteIdentifier } from "./identifier.ts";

test("identifiers are quoted, whatever they hold", () => {
  assert.equal(quoteIdentifier('a"b'), '"a""b"');
  assert.equal(qualified("my schema", "select"), '"my schema"."select"');
});

test("a name too long for PostgreSQL is cut the same way every time, and stays apart", () => {
  const long = "é".repeat(40);
  assert.equal(fitIdentifier("x".repeat(63)), "x".repeat(63));
  assert.equal(fitIdentifier(long), fitIdentifier(long));
  assert.ok(Buffer.byteLength(fitIdentifier(long)) <= 63);
  assert.match(fitIdentifier(long), /^é{27}_[0-9a-f]{8}$/);
  assert.notEqual(fitIdentifier(`${long}1`), fitIdentifier(`${long}2`));
  assert.equal(Buffer.byteLength(fitIdentifier("x".repeat(64), 58)), 58);
});
