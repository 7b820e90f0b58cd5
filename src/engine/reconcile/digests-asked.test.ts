import assert from "node:assert/strict";
import { test } from "node:test";
import type { NamedValues } from "../../connectors/memory/system.ts";
import type { Page, ReadRequest } from "../../ports/connector.ts";
import {
  createReconcileWorld,
  type ReconcileWorld,
  type WorldSide,
} from "../../testing/reconcile-world.ts";
import type { ReconcileContext } from "./context.ts";
import { planReconcile, runReconcile, underLease } from "./run-reconcile.ts";
import { verifySides } from "./verify-sides.ts";

const signal = new AbortController().signal;
const item = (sku: string, name = "n"): NamedValues => ({ sku, name, price: "1", tags: [] });

interface Scene {
  readonly world: ReconcileWorld;
  /** Kinds of the reads of `a` since it was last asked. */
  reads(): readonly string[];
}

/** Two sides that agree on forty records; `a` tells digests. */
async function agreed(a: Partial<WorldSide> = {}): Promise<Scene> {
  let reads: string[] = [];
  const read = ({ kind }: { readonly kind: string }): undefined => {
    reads.push(kind);
  };
  const world = createReconcileWorld({
    sides: [
      { name: "a", digests: true, connector: { faults: { read } }, ...a },
      { name: "b", digests: true },
    ],
  });
  for (let sku = 1; sku <= 40; sku += 1) {
    for (const side of ["a", "b"]) world.put(side, item(`s${sku}`));
  }
  await runReconcile(world.context, signal);
  return {
    world,
    reads: () => {
      const before = reads;
      reads = [];
      return before;
    },
  };
}

/** What `a` is asked for by buckets, or by such requests, comes as `change` makes it. */
function listedOtherwise(
  { context }: ReconcileWorld,
  change: (page: Page) => Page,
  isChanged = (request: ReadRequest): boolean =>
    request.kind === "walk" && request.buckets !== undefined,
): ReconcileContext {
  const sides = context.sides.map((side) => {
    if (side.name !== "a") return side;
    const { read } = side.connector;
    async function* changed(request: ReadRequest, stop: AbortSignal): AsyncIterable<Page> {
      for await (const page of read(request, stop)) yield isChanged(request) ? change(page) : page;
    }
    return { ...side, connector: { ...side.connector, read: changed } };
  });
  return { ...context, sides };
}

test("nobody adds up digests where no record is linked yet", async () => {
  const { reads } = await agreed();
  assert.deepEqual(reads(), ["head", "walk", "head"]);
});

test("where most records are not as they are known, a walk costs less", async () => {
  const { world, reads } = await agreed();
  reads();
  for (let sku = 1; sku <= 40; sku += 1) world.edit("a", `s${sku}`, { name: "edited" });
  await planReconcile(world.context, signal);
  assert.deepEqual(reads(), ["digests", "head", "walk", "head"]);
});

test("a new record that is listed without its digest is read", async () => {
  const { world } = await agreed();
  world.put("a", item("new"));
  const undigested = listedOtherwise(world, (page) => ({
    ...page,
    marks: page.marks.map(({ key }) => ({ key })),
  }));
  await runReconcile(undigested, signal);
  assert.deepEqual(world.items("b")["new"], item("new"));
});

test("records that are listed without a key are told of", async () => {
  const { world } = await agreed();
  world.edit("a", "s3", { name: "edited" });
  const problems = [{ code: "RECORD_KEY_MISSING" as const, message: "It has no key." }];
  const keyless = listedOtherwise(world, (page) => ({ ...page, bad: [{ image: "{}", problems }] }));
  const { head } = await planReconcile(keyless, signal);
  assert.deepEqual(head.notes, ["a: 1 record could not be read and is left alone."]);
});

test("a record that a listing lacks is read by its key before it is gone, twice if it is there", async () => {
  const { world, reads } = await agreed();
  world.edit("a", "s3", { name: "edited" });
  reads();
  const lacking = listedOtherwise(world, (page) => ({
    ...page,
    marks: page.marks.filter(({ key }) => !key.includes("s3")),
  }));
  await runReconcile(lacking, signal);
  assert.equal(world.items("b")["s3"]?.["name"], "edited");
  assert.deepEqual(reads(), ["digests", "walk", "keys", "keys"]);
});

test("a fault of the program is none of the digests", async () => {
  const { world } = await agreed();
  const sides = world.context.sides.map((side) => ({
    ...side,
    connector: {
      ...side.connector,
      sumDigests: async () => {
        throw new TypeError("a fault");
      },
    },
  }));
  await assert.rejects(planReconcile({ ...world.context, sides }, signal), /a fault/);
});

test("what is seen not to agree is known by its digest all the same", async () => {
  const { world, reads } = await agreed({ role: { update: false } });
  world.edit("b", "s3", { name: "edited" });
  await runReconcile(world.context, signal);
  world.tick();
  world.edit("a", "s3", {});
  reads();
  await underLease(world.context, signal, (work) => verifySides(work));
  assert.deepEqual(reads(), ["digests", "walk", "keys"]);
  await planReconcile(world.context, signal);
  assert.deepEqual(reads(), ["digests"]);
});

test("an edit that a verification came upon is still one for the next run", async () => {
  const { world } = await agreed();
  world.edit("a", "s3", { name: "edited" });
  await underLease(world.context, signal, (work) => verifySides(work));
  await runReconcile(world.context, signal);
  assert.equal(world.items("b")["s3"]?.["name"], "edited");
});

test("where most records are new, a walk costs less", async () => {
  const { world, reads } = await agreed();
  reads();
  for (let sku = 1; sku <= 600; sku += 1) world.put("a", item(`new${sku}`));
  await planReconcile(world.context, signal);
  assert.deepEqual(reads(), ["digests", "head", "walk", "head"]);
});

test("a linked record whose digest nobody knows is asked for, though no other differs", async () => {
  const { world } = await agreed();
  world.put("a", item("new"));
  const undigested = listedOtherwise(
    world,
    (page) => ({ ...page, records: page.records.map(({ digest: _, ...record }) => record) }),
    ({ kind }) => kind === "keys",
  );
  await runReconcile(undigested, signal);
  assert.deepEqual(world.items("b")["new"], item("new"));
  world.remove("a", "new");
  await runReconcile(world.context, signal);
  assert.equal(world.items("b")["new"], undefined);
});

test("however many records differ, each is read", async () => {
  const { world } = await agreed({ connector: { keysPerRead: 3 } });
  for (let sku = 1; sku <= 8; sku += 1) world.edit("a", `s${sku}`, { name: "edited" });
  await runReconcile(world.context, signal);
  const edited = Object.values(world.items("b")).filter(({ name }) => name === "edited");
  assert.equal(edited.length, 8);
});
