import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SyncError } from "../../model/sync-error.ts";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { planReconcile, runReconcile, underLease } from "./run-reconcile.ts";
import { keepOfSync } from "./sync-state.ts";

const signal = new AbortController().signal;
const item = (sku: string) => ({ sku, name: "n", price: "1", tags: [] });

/** Both sides have two records, and tell their changes; `b` may be away. */
async function inStep(backend: ReconcileBackend) {
  const state = { isAway: false };
  const read = () =>
    state.isAway ? { error: new SyncError("CONNECTOR_UNREACHABLE", "Away.") } : undefined;
  const world = createReconcileWorld({
    backend,
    sides: [
      { name: "a", observe: "changes" },
      { name: "b", observe: "changes", connector: { faults: { read } } },
    ],
  });
  world.put("a", item("1"));
  world.put("a", item("2"));
  // The feed is read again from where it ended, the record that stands there included.
  world.tick();
  world.put("a", item("3"));
  await runReconcile(world.context, signal);
  return { world, state };
}

/** How many records are looked at, and what comes of it. */
async function looks(context: ReconcileContext): Promise<readonly unknown[]> {
  const { head } = await planReconcile(context, signal);
  const written = Object.values(head.sides).some((one) => one.creates + one.updates > 0);
  return [head.records.compared, written];
}

const notUpdated = (context: ReconcileContext, side: string): ReconcileContext => {
  const change = <T extends { readonly update: boolean }>(role: T): T => ({
    ...role,
    update: false,
  });
  const { rules, sides } = context;
  return {
    ...context,
    rules: {
      ...rules,
      roles: rules.roles.map((role) => (role.side === side ? change(role) : role)),
    },
    sides: sides.map((one) => (one.name === side ? { ...one, role: change(one.role) } : one)),
  };
};

for (const backend of RECONCILE_BACKENDS)
  describe(`records are judged anew, home in ${backend}`, () => {
    test("a home that does not know by what records were judged writes nothing because of it", async () => {
      const { world } = await inStep(backend);
      const { context } = world;
      assert.deepEqual(await looks(context), [0, false]);
      await underLease(context, signal, (work, runId) =>
        keepOfSync(work, runId, { judged: undefined, told: undefined }),
      );
      assert.deepEqual(await looks(context), [3, false]);
      assert.deepEqual(await looks(context), [3, false], "a plan judges nothing");
      await runReconcile(context, signal);
      assert.deepEqual(await looks(context), [0, false]);
    });

    test("a side that is away then is looked at once it is back, and the other but once", async () => {
      const { world, state } = await inStep(backend);
      const changed = notUpdated(world.context, "a");
      state.isAway = true;
      const away = await runReconcile(changed, signal);
      assert.deepEqual(away.head.unread, ["b"]);
      assert.equal(away.head.observed["a"]?.seen, 3);
      const again = await runReconcile(changed, signal);
      assert.equal(again.head.observed["a"]?.seen, undefined, "read by its changes");
      state.isAway = false;
      const back = await runReconcile(changed, signal);
      assert.equal(back.head.observed["b"]?.seen, 3);
      assert.deepEqual(await looks(changed), [0, false]);
    });

    test("a side that tells digests is walked once", async () => {
      const walks: string[] = [];
      const read = ({ kind }: { readonly kind: string }) => void walks.push(kind);
      const world = createReconcileWorld({
        backend,
        sides: [{ name: "a" }, { name: "b", digests: true, connector: { faults: { read } } }],
      });
      for (const sku of ["1", "2", "3"]) world.put("a", item(sku));
      const { context } = world;
      await runReconcile(context, signal);
      // Another filter makes other digests.
      const sides = context.sides.map((side) => ({
        ...side,
        query: { ...side.query, ...(side.name === "b" ? { digestSeed: 2 } : {}) },
      }));
      const changed = notUpdated({ ...context, sides }, "a");
      const walked = async (): Promise<number> => {
        walks.length = 0;
        await runReconcile(changed, signal);
        return walks.filter((kind) => kind === "walk").length;
      };
      assert.equal(await walked(), 1);
      assert.equal(await walked(), 0);
    });
  });
