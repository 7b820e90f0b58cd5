import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  createReconcileWorld,
  RECONCILE_BACKENDS,
  type ReconcileBackend,
  type ReconcileWorld,
  type WorldSide,
} from "../../testing/reconcile-world.ts";
import { runReconcile, underLease } from "./run-reconcile.ts";
import { verifySides } from "./verify-sides.ts";

const signal = new AbortController().signal;
const item = (sku: string) => ({ sku, name: "one", price: "1", tags: [] });

/** Ten records on two sides; `b` tells digests. */
async function agreed(backend: ReconcileBackend, role: WorldSide["role"] = {}) {
  const world = createReconcileWorld({
    backend,
    sides: [{ name: "a" }, { name: "b", digests: true, role }],
  });
  for (let sku = 1; sku <= 10; sku += 1) {
    world.put("a", item(`${sku}`));
    world.put("b", item(`${sku}`));
  }
  await run(world);
  return world;
}

async function run(world: ReconcileWorld): Promise<void> {
  world.tick(60_000);
  await runReconcile(world.context, signal);
}

async function verified({ context }: ReconcileWorld) {
  const { sides } = await underLease(context, signal, (work) => verifySides(work));
  const { read, fields, lossy } = sides.find(({ side }) => side === "b") ?? assert.fail();
  return { read, fields, lossy };
}

for (const backend of RECONCILE_BACKENDS)
  describe(`verify where digests are told, home in ${backend}`, () => {
    test("what is seen to agree is not read again", async () => {
      const world = await agreed(backend);
      await verified(world);
      assert.deepEqual(await verified(world), { read: 0, fields: {}, lossy: {} });
      world.edit("a", "1", { name: "uno" });
      await run(world);
      assert.deepEqual(await verified(world), { read: 0, fields: {}, lossy: {} });
      // Written again as it was: another row, whose values are known.
      world.edit("b", "2", {});
      await run(world);
      assert.equal((await verified(world)).read, 1);
      assert.deepEqual(await verified(world), { read: 0, fields: {}, lossy: {} });
    });

    test("what a side may not be told is looked at each time it is verified", async () => {
      const world = await agreed(backend, { update: false });
      await verified(world);
      world.edit("a", "1", { name: "uno" });
      await run(world);
      for (let times = 0; times < 3; times += 1) {
        if (times === 1) world.edit("b", "1", {});
        assert.deepEqual(await verified(world), { read: 1, fields: {}, lossy: { name: 1 } });
      }
    });
  });
