import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReconcileSpec } from "../../core/mapping/reconcile-spec.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { ValueType } from "../../model/value.ts";
import { sharedFields } from "./shared-fields.ts";

const list = (ordered: boolean): ValueType => ({ kind: "list", of: { kind: "text" }, ordered });

/** The shared type of a field that one side has as `a`, the other as `b`. */
function joined(a: ValueType, b: ValueType): ValueType | undefined {
  const sides = ["one", "two"].map((name) => ({ name, mapped: [], fieldOf: (own: string) => own }));
  const schemas = new Map(
    [a, b].map((type, index) => [
      ["one", "two"][index] ?? "",
      { key: ["id"], traits: {}, fields: [{ name: "x", type }] },
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
