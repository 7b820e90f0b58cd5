import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryConnector } from "../../connectors/memory/connector.ts";
import { createMemorySystem, type MemorySystem } from "../../connectors/memory/system.ts";
import type { FieldMapping } from "../../core/mapping/field-mapping.ts";
import type { ReconcileSpec, SideSpec } from "../../core/mapping/reconcile-spec.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import { createReconcileWorld } from "../../testing/reconcile-world.ts";
import { openReconcile } from "./open-reconcile.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;

const SCHEMA: StreamSchema = {
  name: "items",
  key: ["sku"],
  fields: [
    { name: "sku", type: { kind: "text" }, nullable: false },
    { name: "stock", type: { kind: "integer", bits: 32 }, nullable: true },
    { name: "state", type: { kind: "text" }, nullable: true },
  ],
  traits: {
    changes: false,
    deletions: false,
    sweep: true,
    count: true,
    write: { batch: 10, expects: "atomic", assignsKeys: false },
  },
};

/** Words that the label has for those of the shop; others it does not know. */
const WORDS: FieldMapping["steps"] = [{ kind: "table", pairs: [["ON", "active"]] }];

function sideSpec(name: string, fields: readonly FieldMapping[]): SideSpec {
  return {
    name,
    system: name,
    stream: "items",
    direction: "both",
    observe: "whole",
    overlapMs: 0,
    refreshMs: 0,
    digests: false,
    clockOffsetMs: 0,
    create: true,
    update: true,
    remove: "delete",
    whenLeaving: "keep",
    mapped: [],
    unmapped: [],
    compile: () => ({
      mapping: { fields, onCreate: [] },
      accepts: () => true,
      problems: [],
    }),
    mappingText: "",
    filterText: "",
    fieldOf: (shared) => shared,
  };
}

const plain = (shared: string, direction: FieldMapping["direction"]): FieldMapping => ({
  shared,
  direction,
  from: { kind: "field", name: shared },
  steps: [],
});

/** A shop, and a label that is only told stock and state; one lamp on both, and all agreed. */
async function agreed() {
  const { context: parts } = createReconcileWorld({ sides: [] });
  const systems: Record<string, MemorySystem> = {};
  const connectors = new Map(
    ["shop", "label"].map((name) => {
      const system = createMemorySystem({ streams: [SCHEMA], now: parts.clock.now });
      systems[name] = system;
      return [name, createMemoryConnector(system)] as const;
    }),
  );
  const spec: ReconcileSpec = {
    name: "inventory",
    sides: [
      sideSpec(
        "shop",
        ["sku", "stock", "state"].map((name) => plain(name, "both")),
      ),
      sideSpec("label", [
        plain("sku", "both"),
        plain("stock", "write"),
        { ...plain("state", "write"), steps: WORDS },
      ]),
    ],
    match: ["sku"],
    fields: SCHEMA.fields.map(({ name, type }) => ({ name, type, compare: {} })),
    deletes: parts.rules.deletes,
    guard: parts.guard,
    leaseMs: parts.leaseMs,
    buryMs: parts.buryMs,
    configuration: "test",
    compilePolicies: (fields) => ({ chains: fields.map(() => []), problems: [] }),
  };
  const context = await openReconcile(spec, { ...parts, connectors }, signal);
  const { shop, label } = systems as { readonly shop: MemorySystem; readonly label: MemorySystem };
  shop.put("items", { sku: "lamp", stock: 7, state: "active" });
  await runReconcile(context, signal);
  const row = (system: MemorySystem) => system.rows("items")[0]?.values;
  assert.deepEqual(row(label), { sku: "lamp", stock: 7, state: "ON" });
  return { context, label, row, shop };
}

const CASES: readonly {
  readonly title: string;
  readonly found: Readonly<Record<string, Value>>;
  readonly becomes: Readonly<Record<string, Value>>;
}[] = [
  {
    title: "a value that drifted is written again",
    found: { stock: 9, state: "ON" },
    becomes: { stock: 7, state: "ON" },
  },
  {
    title: "null is a value that drifted",
    found: { stock: null, state: null },
    becomes: { stock: 7, state: "ON" },
  },
  {
    title: "what is absent is not known, and left alone",
    found: { state: "ON" },
    becomes: { state: "ON" },
  },
  {
    title: "what cannot be understood is no problem, and left alone",
    found: { stock: 7, state: "BROKEN" },
    becomes: { stock: 7, state: "BROKEN" },
  },
];

for (const { title, found, becomes } of CASES) {
  test(`a field that is only written: ${title}`, async () => {
    const { context, label, shop, row } = await agreed();
    label.put("items", { sku: "lamp", ...found });
    const { head } = await runReconcile(context, signal);
    assert.deepEqual(row(label), { sku: "lamp", ...becomes });
    assert.deepEqual(row(shop), { sku: "lamp", stock: 7, state: "active" });
    assert.deepEqual(head.notes, []);
    assert.equal(head.records.inReview, 0);
    const { head: next } = await planReconcile(context, signal);
    const none = { creates: 0, updates: 0, deletes: 0 };
    assert.deepEqual(next.sides, { shop: none, label: none });
  });
}

test("a field that is only written is told each new value, and has no say in it", async () => {
  const { context, label, shop, row } = await agreed();
  label.put("items", { sku: "lamp", stock: 9, state: "ON" });
  shop.put("items", { sku: "lamp", stock: 8, state: "active" });
  await runReconcile(context, signal);
  assert.deepEqual(row(label), { sku: "lamp", stock: 8, state: "ON" });
  assert.deepEqual(await context.home.conflicts({ sync: "inventory" }), []);
});

test("a deletion goes on though only a written field differs", async () => {
  const { context, label, shop } = await agreed();
  shop.put("items", { sku: "other", stock: 1, state: "active" });
  await runReconcile(context, signal);
  label.put("items", { sku: "lamp", stock: 9, state: "ON" });
  shop.remove("items", shop.rows("items").find(({ values }) => values["sku"] === "lamp")!.id);
  await runReconcile(context, signal);
  assert.deepEqual(
    label.rows("items").map(({ values }) => values["sku"]),
    ["other"],
  );
});
