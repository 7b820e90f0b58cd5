import assert from "node:assert/strict";
import { test } from "node:test";
import type { Problem } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import { withSide } from "../../testing/reconcile-sides.ts";
import { createReconcileWorld } from "../../testing/reconcile-world.ts";
import type { ReconcileContext, SideContext } from "./context.ts";
import { runReconcile } from "./run-reconcile.ts";

const signal = new AbortController().signal;
const item = { sku: "1", name: "one", price: "1", tags: [] };

test("who loses the lease stops before anything is written", async () => {
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }] });
  world.put("a", item);
  const { home, clock } = world.context;
  const reading = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<void>();
  const context: ReconcileContext = {
    ...world.context,
    clock: { ...clock, sleep: () => reading.promise },
    home: {
      ...home,
      renewLease: async () => {
        setImmediate(lost.resolve);
        throw new SyncError("HOME_FENCED", "Somebody else has the lease.");
      },
    },
  };
  const read = withSide(context, "a", (side) => {
    const { head } = side.connector;
    const whileLost: typeof head = async (query, stop) => {
      reading.resolve();
      await lost.promise;
      return head(query, stop);
    };
    return { ...side, connector: { ...side.connector, head: whileLost } };
  });
  await assert.rejects(runReconcile(read, signal), { code: "HOME_FENCED" });
  assert.deepEqual(world.items("b"), {});
});

const problem: Problem = {
  code: "RECORD_TYPE_MISMATCH",
  message: "The price is too low.",
  field: "price",
};

/** `a` has a record that `b` and `c` are to have; some sides refuse what they are told. */
function refusing(...refusers: readonly string[]) {
  const tried: string[] = [];
  const refuses = new Set(refusers);
  const away = new Set<string>();
  /** Sides that are away once they are written to. */
  const failing = new Set<string>();
  const world = createReconcileWorld({ sides: [{ name: "a" }, { name: "b" }, { name: "c" }] });
  const gone = new SyncError("CONNECTOR_UNREACHABLE", "Gone away.");
  const sides = world.context.sides.map((side): SideContext => {
    const { connector } = side;
    const heard = (): void => {
      if (away.has(side.name)) throw gone;
    };
    return {
      ...side,
      connector: {
        ...connector,
        head: async (query, stop) => {
          heard();
          return connector.head(query, stop);
        },
        write: async (query, operations, stop) => {
          tried.push(side.name);
          if (failing.has(side.name)) throw gone;
          if (!refuses.has(side.name))
            return (await connector.write?.(query, operations, stop)) ?? [];
          return operations.map(({ id }) => ({ kind: "rejected" as const, id, problem }));
        },
      },
    };
  });
  world.put("a", item);
  const context: ReconcileContext = { ...world.context, sides };
  const run = async (more: Partial<ReconcileContext> = {}): Promise<readonly string[]> => {
    tried.length = 0;
    world.tick(60_000);
    await runReconcile({ ...context, ...more }, signal);
    return [...tried].sort();
  };
  const parked = async () => {
    const all = await context.home.parked({ sync: context.sync });
    return all.map(({ stream }) => stream).sort();
  };
  return { world, context, refuses, away, failing, run, parked };
}

test("a refused write is parked with the side's own word on it", async () => {
  const { context, run } = refusing("b");
  await run();
  const parked = await context.home.parked({ sync: context.sync });
  assert.deepEqual(
    parked.map(({ problems }) => problems),
    [[problem]],
  );
});

test("one record is parked for each side that refuses it", async () => {
  const { run, parked } = refusing("b", "c");
  assert.deepEqual(await run(), ["b", "c"]);
  assert.deepEqual(await run(), []);
  assert.deepEqual(await parked(), ["b", "c"]);
});

test("a refused write stays parked while its side is away, and until nobody asks for it", async () => {
  const { world, away, run, parked } = refusing("b");
  await run();
  away.add("b");
  await run();
  assert.deepEqual(await parked(), ["b"]);
  away.clear();
  world.put("b", item);
  await run();
  assert.deepEqual(await parked(), []);
});

test("another configuration tries a refused write again", async () => {
  const { run } = refusing("b");
  await run();
  assert.deepEqual(await run(), []);
  assert.deepEqual(await run({ configuration: "another" }), ["b"]);
});

test("a deletion that one side refused goes on to the side that failed", async () => {
  const { world, refuses, failing, run } = refusing();
  world.put("a", { ...item, sku: "2" });
  await run();
  world.remove("a", "1");
  refuses.add("b");
  failing.add("c");
  await run();
  assert.deepEqual(Object.keys(world.items("c")), ["1", "2"]);
  failing.clear();
  await run();
  assert.deepEqual(Object.keys(world.items("c")), ["2"]);
});
