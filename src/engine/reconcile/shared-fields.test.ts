import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReconcileSpec } from "../../core/mapping/reconcile-spec.ts";
import type { Field, StreamSchema } from "../../model/schema.ts";
import type { ValueType } from "../../model/value.ts";
import { sharedFields } from "./shared-fields.ts";

const list = (ordered: boolean): ValueType => ({ kind: "list", of: { kind: "text" }, ordered });

/** The shared type of a field that one side has as `a`, the other as `b`, which takes more. */
function joined(a: ValueType, b: ValueType, takes?: Field["takes"]): ValueType | undefined {
  const sides = ["one", "two"].map((name) => ({ name, mapped: [], fieldOf: (own: string) => own }));
  const schemas = new Map(
    [{ type: a }, { type: b, takes }].map((field, index) => [
      ["one", "two"][index] ?? "",
      { key: ["id"], traits: {}, fields: [{ name: "x", ...field }] },
    ]),
  );
  const spec = { name: "s", fields: [], sides } as unknown as ReconcileSpec;
  return sharedFields(spec, schemas as unknown as ReadonlyMap<string, StreamSchema>)[0]?.type;
}

test("a list and a set share a set, whichever side is named first", () => {
  assert.deepEqual(joined(list(true), list(false)), list(false));
  assert.deepEqual(joined(list(false), list(true)), list(false));
  assert.deepEqual(joined(list(true), list(true)), list(true));
});

test("a word among the numbers of a file does not make a text of a column of numbers", () => {
  const [text, number, flag] = [
    { kind: "text" },
    { kind: "decimal" },
    { kind: "boolean" },
  ] as const;
  assert.deepEqual(joined(number, text, "number"), number);
  assert.deepEqual(joined(flag, text, "number"), text);
  assert.deepEqual(joined(number, text), text);
});
