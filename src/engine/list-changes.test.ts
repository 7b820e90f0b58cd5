import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChangeFilter } from "../model/change.ts";
import type { RecordKey } from "../model/record.ts";
import type { ReplicateSpec } from "../model/replicate.ts";
import type { Home } from "../ports/home.ts";
import { type Backend, createReplicaWorld, type ReplicaWorld } from "../testing/replica-world.ts";
import { countChanges } from "./count-changes.ts";
import { listChanges } from "./list-changes.ts";
import type { ChangesRequest } from "./results.ts";

const key = (number: number): RecordKey => String(number) as RecordKey;

/** Each change as `key kind categories`, in the order given. */
async function listed(
  home: Home,
  specs: readonly ReplicateSpec[],
  request: ChangesRequest,
): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const change of listChanges(home, specs, request)) {
    lines.push(`${change.key} ${change.kind} ${change.categories.join("+")}`);
  }
  return lines;
}

/** Four listings, then a day of edits: price of 1, status of 2, both of 3, remarks of 4, 1 gone. */
async function busyWorld(backend: Backend): Promise<ReplicaWorld> {
  const world = createReplicaWorld({ backend });
  for (let number = 1; number <= 4; number += 1) world.list(number);
  world.photo("p", 1);
  await world.run("full");
  const edits: readonly (readonly [number, Record<string, string>])[] = [
    [1, { Price: "90" }],
    [2, { Status: "Pending" }],
    [3, { Status: "Pending", Price: "80" }],
    [4, { Remarks: "new words" }],
    [2, { Status: "Closed" }],
  ];
  for (const [number, values] of edits) {
    world.advance(60_000);
    world.system.edit("Listing", key(number), values);
    await world.run("incremental");
  }
  world.system.edit("Media", "p" as RecordKey, { Url: "/other.jpg" });
  world.system.remove("Listing", key(1));
  await world.run("incremental");
  await world.run("deletions", { streams: ["Listing"] });
  return world;
}

const CASES: readonly (readonly [string, ChangesRequest, readonly string[]])[] = [
  [
    "status",
    { categories: ["status"] },
    ["2 update updated+status", "3 update updated+status+price", "2 update updated+status"],
  ],
  ["price", { categories: ["price"] }, ["3 update updated+status+price", "1 update updated+price"]],
  [
    "status or price: each change once",
    { categories: ["status", "price"], oldestFirst: true },
    [
      "1 update updated+price",
      "2 update updated+status",
      "3 update updated+status+price",
      "2 update updated+status",
    ],
  ],
  [
    "deleted or price, merged newest first",
    { categories: ["deleted", "price"] },
    ["1 delete deleted", "3 update updated+status+price", "1 update updated+price"],
  ],
  ["new of a stream", { categories: ["new"], stream: "Media" }, ["p create new"]],
  [
    "updated with a limit",
    { categories: ["updated"], limit: 2 },
    ["p update updated", "2 update updated+status"],
  ],
  ["limit none", { limit: 0 }, []],
  ["fields", { fields: ["Remarks"] }, ["4 update updated"]],
  [
    "fields and a category",
    { fields: ["Price"], categories: ["status"] },
    ["3 update updated+status+price"],
  ],
  ["fields of new ones", { fields: ["Price"], categories: ["new", "deleted"] }, []],
  [
    "any transition",
    { transition: {} },
    ["2 update updated+status", "3 update updated+status+price", "2 update updated+status"],
  ],
  [
    "transition from",
    { transition: { before: "Active" } },
    ["3 update updated+status+price", "2 update updated+status"],
  ],
  [
    "transition from and to",
    { transition: { before: "pending", after: "Closed" } },
    ["2 update updated+status"],
  ],
  [
    "transition of a named field",
    { transition: { field: "Price", after: "90" } },
    ["1 update updated+price"],
  ],
  [
    "transition and fields",
    { transition: { after: "Pending" }, fields: ["Price"] },
    ["3 update updated+status+price"],
  ],
  [
    "one key",
    { key: key(2), categories: ["status"] },
    ["2 update updated+status", "2 update updated+status"],
  ],
  ["a stream without monitored fields", { stream: "Media", categories: ["status"] }, []],
];

for (const backend of ["memory", "sqlite"] as const) {
  test(`changes by category, field and transition (${backend})`, async (t) => {
    const world = await busyWorld(backend);
    const { home, spec } = world.context;
    for (const [name, request, expected] of CASES) {
      await t.test(name, async () => {
        assert.deepEqual(await listed(home, [spec], request), expected);
        assert.deepEqual(await listed(home, [spec], { ...request, sync: "mls" }), expected);
        assert.deepEqual(await listed(home, [spec], { ...request, sync: "other" }), []);
      });
    }
    await t.test("counted, by report and by log alike", async () => {
      const runs = (await home.runs({ sync: "mls" })).map(({ runId }) => runId);
      const counts = await countChanges(home, spec, runs);
      const media = { stream: "Media", new: 1, updated: 1, status: 0, price: 0, deleted: 0 };
      assert.deepEqual(counts, [
        {
          stream: "Listing",
          new: 4,
          updated: 5,
          status: 3,
          price: 2,
          deleted: 1,
          transitions: [
            { field: "Status", before: "Active", after: "Pending", count: 2 },
            { field: "Status", before: "Pending", after: "Closed", count: 1 },
          ],
        },
        { ...media, transitions: [] },
      ]);
      const killed: Home = { ...home, run: async (id) => withoutReport(await home.run(id)) };
      assert.deepEqual(await countChanges(killed, spec, runs), counts);
      assert.deepEqual(await countChanges(home, spec, ["no such run"]), []);
    });
    await world.close();
  });
}

function withoutReport<T extends { readonly report?: unknown }>(run: T | undefined): T | undefined {
  if (run === undefined) return undefined;
  const { report: _report, ...rest } = run;
  return rest as T;
}

test("conditions go down to the log, so that its indexes answer", async () => {
  const asked: ChangeFilter[] = [];
  const { context } = createReplicaWorld();
  const home: Home = {
    ...context.home,
    changes(filter) {
      asked.push(filter);
      return context.home.changes(filter);
    },
  };
  const spec = context.spec;
  await listed(home, [spec], { categories: ["deleted", "status"], since: 5, limit: 3 });
  await listed(home, [spec], { transition: { after: "Closed" }, runId: "r" });
  assert.deepEqual(asked, [
    { since: 5, kinds: ["delete"] },
    { since: 5, kinds: ["update"], fields: ["Status"] },
    { runId: "r", transition: { field: "Status", after: "Closed" } },
  ]);
});

test("breaking off closes every reading", async () => {
  const { context, list, run } = createReplicaWorld();
  for (let number = 1; number <= 5; number += 1) list(number);
  await run("full");
  let open = 0;
  const home: Home = {
    ...context.home,
    async *changes(filter) {
      open += 1;
      try {
        yield* context.home.changes(filter);
      } finally {
        open -= 1;
      }
    },
  };
  const request: ChangesRequest = { categories: ["new", "status"] };
  for await (const change of listChanges(home, [context.spec], request)) {
    assert.equal(change.kind, "create");
    assert.equal(open > 0, true);
    break;
  }
  assert.equal(open, 0);
});
