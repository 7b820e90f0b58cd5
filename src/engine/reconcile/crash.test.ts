import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { planReconcile, runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;

/** The process dies at the effect of that number: before it happens, or after and unanswered. */
function crashingAt(
  context: ReconcileContext,
  effect: number,
  moment: "before" | "after",
): { readonly context: ReconcileContext; readonly reached: () => boolean } {
  let count = 0;
  let isDead = false;
  const guard = <T extends object>(target: T, names: readonly string[]): T =>
    new Proxy(target, {
      get(inner, name, receiver) {
        const method: unknown = Reflect.get(inner, name, receiver);
        if (typeof method !== "function" || !names.includes(String(name))) return method;
        return async (...words: unknown[]) => {
          if (isDead) throw new Error("dead");
          count += 1;
          const isLast = count === effect;
          if (isLast) isDead = true;
          if (isLast && moment === "before") throw new Error("killed");
          const answer: unknown = await method.apply(inner, words);
          if (isLast) throw new Error("killed");
          return answer;
        };
      },
    });
  const effects = [
    "noteDigests",
    "stage",
    "linkStaged",
    "savePlanned",
    "savePlan",
    "intend",
    "settle",
    "commit",
  ];
  return {
    reached: () => isDead,
    context: {
      ...context,
      home: guard(context.home, effects),
      sides: context.sides.map((side) => ({
        ...side,
        connector: guard(side.connector, ["write"]),
      })),
    },
  };
}

function build(backend: ReconcileBackend): ReconcileWorld {
  const world = createReconcileWorld({
    backend,
    sides: [
      { name: "a", digests: true },
      { name: "b", assignsKeys: true, digests: true },
      { name: "c" },
    ],
  });
  for (let sku = 1; sku <= 25; sku += 1) {
    const side = ["a", "b", "c"][sku % 3] ?? "a";
    world.put(side, { sku: `s${sku}`, name: `n${sku}`, price: "1", tags: [] });
  }
  return world;
}

async function edited(backend: ReconcileBackend): Promise<ReconcileWorld> {
  const world = build(backend);
  await runReconcile(world.context, signal);
  world.tick();
  world.edit("a", "s1", { name: "edited" });
  world.edit("b", "s1", { price: "2" });
  world.edit("b", "s2", { tags: ["x"] });
  world.remove("c", "s3");
  world.remove("a", "s4");
  world.edit("b", "s4", { name: "edit beats delete" });
  world.put("b", { sku: "s99", name: "new", price: "9", tags: [] });
  return world;
}

for (const [name, make] of [
  ["a first sync", async (backend: ReconcileBackend) => build(backend)],
  ["a sync of edits, deletes and creates", edited],
] as const) {
  for (const [moment, backend] of [
    ["before", "memory"],
    ["after", "memory"],
    ...RECONCILE_BACKENDS.filter((one) => one !== "memory").map((one) => ["after", one] as const),
  ] as const) {
    test(`${name} that dies ${moment} any effect ends as if it had not (${backend})`, async () => {
      const calm = await make(backend);
      await runReconcile(calm.context, signal);
      const wanted = calm.items("a");
      assert.deepEqual(calm.items("b"), wanted);
      for (let effect = 1; ; effect += 1) {
        const world = await make(backend);
        const { context, reached } = crashingAt(world.context, effect, moment);
        const end = await runReconcile(context, signal).then(
          () => "done",
          (error: Error) => error.message,
        );
        if (!reached()) {
          assert.equal(end, "done");
          assert.ok(effect > 10, `only ${effect} effects were tried`);
          break;
        }
        await runReconcile(world.context, signal);
        await runReconcile(world.context, signal);
        for (const side of ["a", "b", "c"]) {
          assert.deepEqual(world.items(side), wanted, `side ${side} after a crash at ${effect}`);
          assert.equal(world.systems[side]?.rows("items").length, Object.keys(wanted).length);
        }
        const { head } = await planReconcile(world.context, signal);
        assert.deepEqual(
          Object.values(head.sides).flatMap((counts) => Object.values(counts)),
          [0, 0, 0, 0, 0, 0, 0, 0, 0],
        );
      }
    });
  }
}
