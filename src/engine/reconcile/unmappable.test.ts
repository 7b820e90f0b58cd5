import assert from "node:assert/strict";
import { test } from "node:test";
import type { NamedValues } from "../../connectors/memory/system.ts";
import type { Problem, Values } from "../../model/record.ts";
import { createReconcileWorld } from "../../testing/reconcile-world.ts";
import type { SideContext } from "./context.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = (sku: string, name: string): NamedValues => ({ sku, name, price: "1", tags: [] });

/** `b` has no word for these names, and understands none of its own that is called "?". */
function build() {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  const unknown = new Set<unknown>();
  const unmapped = (values: Values, at: number, message: string) => {
    const problem: Problem = { code: "RECORD_UNMAPPABLE", message, field: "name" };
    return { values: values.with(at, undefined), problems: [problem] };
  };
  const withoutWord = (side: SideContext): SideContext => ({
    ...side,
    mapping: {
      ...side.mapping,
      toSide: (shared, kind) => {
        const { values } = side.mapping.toSide(shared, kind);
        const at = side.mapping.writtenTo(1) ?? -1;
        if (!unknown.has(values[at])) return { values, problems: [] };
        return unmapped(values, at, `No word for "${String(values[at])}".`);
      },
      toShared: (own) => {
        const { values } = side.mapping.toShared(own);
        if (values[1] !== "?") return { values, problems: [] };
        return unmapped(values, 1, "What is a name of ?");
      },
    },
  });
  const sides = world.context.sides.map((side) => (side.name === "b" ? withoutWord(side) : side));
  const context = { ...world.context, sides };
  const run = async () => {
    world.tick(60_000);
    return (await runReconcile(context, signal)).head;
  };
  return { world, context, unknown, run };
}

test("no record is made with a value left out, until all of it can be written", async () => {
  const { world, context, unknown, run } = build();
  unknown.add("odd");
  world.put("a", item("1", "odd"));
  const head = await run();
  assert.deepEqual(head.notes, ['"1": b: No word for "odd".']);
  assert.deepEqual(world.items("b"), {});
  const { head: next } = await planReconcile(context, signal);
  assert.deepEqual(next.notes, head.notes, "it is told until it is mended");
  assert.deepEqual(await context.home.planned(next.plan, 0, 10), []);
  unknown.clear();
  await run();
  assert.equal(world.items("b")["1"]?.["name"], "odd");
});

test("of an edit the rest is written, and what is left out once it can be", async () => {
  const { world, unknown, run } = build();
  world.put("a", item("1", "one"));
  await run();
  unknown.add("odd");
  world.edit("a", "1", { name: "odd", price: "2" });
  const head = await run();
  assert.deepEqual(head.notes, ['"1": b: No word for "odd".']);
  assert.deepEqual(world.items("b")["1"], { ...item("1", "one"), price: "2" });
  unknown.clear();
  await run();
  assert.deepEqual(world.items("b")["1"], { ...item("1", "odd"), price: "2" });
});

test("a value that cannot be understood is told with its record, and is no edit", async () => {
  const { world, context, run } = build();
  world.put("a", item("1", "one"));
  await run();
  world.edit("b", "1", { name: "?", price: "2" });
  const head = await run();
  assert.deepEqual(head.notes, ['"1": b: What is a name of ?']);
  assert.deepEqual(world.items("a")["1"], { ...item("1", "one"), price: "2" });
  const { head: next } = await planReconcile(context, signal);
  assert.deepEqual(next.notes, head.notes, "it is told until it is mended");
  assert.deepEqual(await context.home.planned(next.plan, 0, 10), []);
  world.edit("b", "1", { name: "uno" });
  assert.deepEqual((await run()).notes, []);
  assert.equal(world.items("a")["1"]?.["name"], "uno");
});

test("so is one that nobody had read before", async () => {
  const { world, context, run } = build();
  world.put("a", item("1", "one"));
  world.put("b", item("1", "?"));
  const directions: SideContext["role"]["directions"] = context.rules.fields.map((_, index) =>
    index === 1 ? "none" : "both",
  );
  const unread = world.context.sides.map((side) =>
    side.name === "b" ? { ...side, role: { ...side.role, directions } } : side,
  );
  const rules = { ...context.rules, roles: unread.map(({ role }) => role) };
  assert.deepEqual(
    (await runReconcile({ ...context, rules, sides: unread }, signal)).head.notes,
    [],
  );
  assert.deepEqual((await run()).notes, ['"1": b: What is a name of ?']);
});
