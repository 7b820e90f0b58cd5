import assert from "node:assert/strict";
import { test } from "node:test";
import type { SharedField } from "../../model/reconcile.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { digestSeed } from "./names.ts";

const fields: readonly SharedField[] = [{ name: "sku", type: { kind: "text" }, compare: {} }];
const schema: StreamSchema = {
  name: "items",
  key: ["sku"],
  fields: [{ name: "sku", type: { kind: "text" }, nullable: false }],
  traits: { changes: false, deletions: false, sweep: true, count: true, digests: "kind 1" },
};

test("the seed changes with all that shared values and their comparison depend on", () => {
  const seeds = [
    digestSeed("mapping", "filter", fields, schema),
    digestSeed("other", "filter", fields, schema),
    digestSeed("mapping", "other", fields, schema),
    digestSeed("mapping", "filter", [{ ...fields[0]!, compare: { trim: true } }], schema),
    digestSeed("mapping", "filter", fields, { ...schema, key: [] }),
    digestSeed("mapping", "filter", fields, { ...schema, fields: [] }),
    digestSeed("mapping", "filter", fields, {
      ...schema,
      traits: { ...schema.traits, digests: "kind 2" },
    }),
  ];
  assert.equal(new Set(seeds).size, seeds.length);
  for (const seed of seeds) assert.ok(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 48);
  const same = digestSeed("mapping", "filter", fields, { ...schema, traits: { ...schema.traits } });
  assert.equal(same, seeds[0]);
});
