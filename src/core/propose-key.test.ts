import assert from "node:assert/strict";
import { test } from "node:test";
import type { Field } from "../model/schema.ts";
import { proposeFields } from "./propose-fields.ts";
import { proposeKey, type SideSample } from "./propose-key.ts";

const integer = (name: string): Field => ({
  name,
  type: { kind: "integer", bits: 32 },
  nullable: false,
});
const text = (name: string): Field => ({ name, type: { kind: "text" }, nullable: true });
const people = ["ann", "bob", "cy", "dan", "eve"];

/** The same people, counted up in another order on each side. */
function sample(key: string, names: readonly string[], others: readonly string[] = []): SideSample {
  const fields = [integer(key), text("mail"), ...others.map(text)];
  const rows = names.map((name, at) => [at + 1, `${name}@x.org`, ...others.map(() => name)]);
  return { fields, rows, key: [key], filled: [key, ...others] };
}

test("what a system counts up or computes itself is no match, and shared with nobody", () => {
  const left = sample("id", people, ["label"]);
  const right = sample("id", people.toReversed(), ["label"]);
  const found = proposeKey(left, right);
  const pairs = [{ left: "mail", right: "mail" }];
  assert.deepEqual([found?.pairs, found?.matched], [pairs, 5]);
  assert.deepEqual(proposeFields(left, right, pairs), []);
});

test("where nothing else tells records apart, what a system counts up is proposed", () => {
  const bare = ({ fields, rows, ...rest }: SideSample): SideSample => ({
    ...rest,
    fields: fields.slice(0, 1),
    rows: rows.map((row) => row.slice(0, 1)),
  });
  const found = proposeKey(bare(sample("id", people)), bare(sample("no", people)));
  assert.deepEqual(found?.pairs, [{ left: "id", right: "no" }]);
});

test("a key that one side counts up and another keeps goes before what is alike together", () => {
  const counted = sample("id", people, []);
  const fields = [integer("id"), text("kind"), text("size")];
  const rows = people.map((_, at) => [at + 1, `k${at % 2}`, `s${at}`]);
  const left: SideSample = { ...counted, fields, rows };
  const twice = (all: typeof rows): typeof rows =>
    all.map((row, at) => [row[0] ?? 0, row[1] ?? "", `s${at % 3}`]);
  const found = proposeKey({ ...left, rows: twice(rows) }, { fields, rows: twice(rows), key: [] });
  assert.deepEqual(found?.pairs, [{ left: "id", right: "id" }]);
});
