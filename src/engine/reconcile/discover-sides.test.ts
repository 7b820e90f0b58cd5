import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryConnector } from "../../connectors/memory/connector.ts";
import { createMemorySystem } from "../../connectors/memory/system.ts";
import type { FieldMapping } from "../../core/mapping/field-mapping.ts";
import type { ReconcileSpec, SideSpec } from "../../core/mapping/reconcile-spec.ts";
import type { ErrorCode } from "../../model/error-codes.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Connector } from "../../ports/connector.ts";
import { createReconcileWorld } from "../../testing/reconcile-world.ts";
import { openReconcile } from "./open-reconcile.ts";
import { applyReconcile, planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;

const SCHEMA: StreamSchema = {
  name: "items",
  key: ["sku"],
  fields: [
    { name: "sku", type: { kind: "text" }, nullable: false },
    { name: "stock", type: { kind: "integer", bits: 32 }, nullable: true },
  ],
  traits: {
    changes: false,
    deletions: false,
    sweep: true,
    count: true,
    write: { batch: 10, expects: "atomic", assignsKeys: false },
  },
};

const fields = SCHEMA.fields.map(
  ({ name }): FieldMapping => ({
    shared: name,
    direction: "both",
    from: { kind: "field", name },
    steps: [],
  }),
);

const sideSpec = (name: string): SideSpec => ({
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
  compile: () => ({ mapping: { fields, onCreate: [] }, accepts: () => true, problems: [] }),
  mappingText: "",
  filterText: "",
  fieldOf: (shared) => shared,
});

/** Sides of which some are away, already as they are asked what they have. */
function sidesOf(...names: readonly string[]) {
  const { context: parts } = createReconcileWorld({ sides: [] });
  const away = new Map<string, ErrorCode>();
  const systems = names.map((name) => ({
    name,
    system: createMemorySystem({ streams: [SCHEMA], now: parts.clock.now }),
  }));
  const connectors = new Map(
    systems.map(({ name, system }): [string, Connector] => {
      const connector = createMemoryConnector(system);
      const discover: Connector["discover"] = async (stop) => {
        const code = away.get(name);
        if (code !== undefined) throw new SyncError(code, `${name} is away.`);
        return connector.discover(stop);
      };
      return [name, { ...connector, discover }];
    }),
  );
  const spec: ReconcileSpec = {
    name: "inventory",
    sides: names.map(sideSpec),
    match: ["sku"],
    fields: SCHEMA.fields.map(({ name, type }) => ({ name, type, compare: {} })),
    deletes: parts.rules.deletes,
    guard: parts.guard,
    leaseMs: parts.leaseMs,
    buryMs: parts.buryMs,
    configuration: "test",
    compilePolicies: (shared) => ({ chains: shared.map(() => []), problems: [] }),
  };
  const open = (goesOnWithout = true) =>
    openReconcile(spec, { ...parts, connectors, goesOnWithout }, signal);
  const [first] = systems;
  const put = (sku: string, stock: number) => first?.system.put("items", { sku, stock });
  const found = () =>
    systems.map(({ system }) => system.rows("items").map(({ values }) => values["stock"]));
  return { away, open, put, found };
}

test("the others go on without a side that is away as the run begins, and it comes after", async () => {
  const { away, open, put, found } = sidesOf("a", "b", "c");
  put("lamp", 1);
  await runReconcile(await open(), signal);
  away.set("c", "CONNECTOR_UNREACHABLE");
  put("lamp", 2);
  put("rug", 5);
  const { head, outcome, applied } = await runReconcile(await open(), signal);
  assert.deepEqual(found(), [[2, 5], [2, 5], [1]]);
  assert.deepEqual([head.unread, outcome], [["c"], "partial"]);
  assert.deepEqual(head.notes, ["c could not be read and is left as it is: c is away."]);
  assert.deepEqual(applied.troubles, []);
  away.clear();
  await runReconcile(await open(), signal);
  assert.deepEqual(found(), [
    [2, 5],
    [2, 5],
    [2, 5],
  ]);
});

test("of a plan that was kept, nothing is sent to a side that is away by now", async () => {
  const { away, open, put, found } = sidesOf("a", "b", "c");
  put("lamp", 1);
  const { head } = await planReconcile(await open(), signal);
  away.set("c", "CONNECTOR_TIMEOUT");
  const { applied } = await applyReconcile(await open(), head, signal);
  assert.deepEqual(found(), [[1], [1], []]);
  assert.equal(applied.sides["c"]?.unsent, 1);
  assert.deepEqual(applied.troubles, ["c failed: c is away."]);
});

test("a run does not begin without a side that was never met, or with one side alone", async () => {
  const { away, open } = sidesOf("a", "b", "c");
  away.set("c", "CONNECTOR_UNAVAILABLE");
  await assert.rejects(open(), { code: "CONNECTOR_UNAVAILABLE" });
  away.clear();
  await open();
  away.set("b", "CONNECTOR_UNAVAILABLE").set("c", "CONNECTOR_TIMEOUT");
  await assert.rejects(open(), { code: "CONNECTOR_UNAVAILABLE" });
});

test("what time does not mend stops the run, and so does a side that is asked for itself", async () => {
  const { away, open } = sidesOf("a", "b", "c");
  await open();
  away.set("c", "CONNECTOR_UNAUTHORIZED");
  await assert.rejects(open(), { code: "CONNECTOR_UNAUTHORIZED" });
  away.set("c", "CONNECTOR_UNREACHABLE");
  await assert.rejects(open(false), { code: "CONNECTOR_UNREACHABLE" });
});
