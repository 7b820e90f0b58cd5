import assert from "node:assert/strict";
import {
  type Behaviour,
  changedKeys,
  changesOf,
  commitOf,
  created,
  FIELDS,
  key,
  log,
  takeLease,
  updated,
} from "./subject.ts";

export function logBehaviours(behaviour: Behaviour): void {
  reading(behaviour);
  filtering(behaviour);
  transitions(behaviour);
}

function reading(behaviour: Behaviour): void {
  behaviour("each kind of change comes back as it was", async ({ home }) => {
    const lease = await takeLease(home);
    const price = { field: "ListPrice", before: "100", after: "90.5" };
    const tags = { field: "Tags", before: ["a"], after: null };
    await log(home, lease, [
      { ...created("a", ["a", null, "Active"]), sourceTime: "2024-05-01T08:30:00.123456Z" },
      updated("b", [price, tags]),
      { kind: "delete", key: key("c"), fields: [], image: '["c","7","Closed"]' },
      { kind: "create", key: key("d"), fields: [] },
    ]);
    const common = { sync: "kit", stream: "Property", runId: "run", at: 1000 };
    const changes = await changesOf(home, { oldestFirst: true });
    const [a, b, c, d] = changes.map(({ id: _id, ...change }) => change);
    assert.deepEqual(a, {
      ...common,
      kind: "create",
      key: "a",
      fields: [],
      after: { ListingKey: "a", ListPrice: null, StandardStatus: "Active" },
      sourceTime: "2024-05-01T08:30:00.123456Z",
    });
    assert.deepEqual(b, { ...common, kind: "update", key: "b", fields: [price, tags] });
    assert.deepEqual(c, {
      ...common,
      kind: "delete",
      key: "c",
      fields: [],
      before: { ListingKey: "c", ListPrice: "7", StandardStatus: "Closed" },
    });
    assert.deepEqual(d, { ...common, kind: "create", key: "d", fields: [] });
  });

  behaviour("hostile values come back exactly", async ({ home }) => {
    const lease = await takeLease(home);
    const values = [
      "",
      null,
      0,
      0.1,
      1e21,
      false,
      "9007199254740993",
      " x ",
      "a\0b",
      "\ud800",
      "\u00e9",
      "e\u0301",
      "🏠",
      "x".repeat(50_000),
      [1, "b", [null]],
      '{"a":1.0}',
    ];
    const fields = values.map((value, index) => ({
      field: `F${index} "é;`,
      before: value,
      after: values.at(-1 - index) ?? null,
    }));
    await log(home, lease, [updated("u", fields), created("c", values)], {
      log: {
        fieldNames: fields.map(({ field }) => field),
        entries: [updated("u", fields), created("c", values)],
      },
    });
    const [image, update] = await changesOf(home);
    assert.deepEqual(update?.fields, fields);
    assert.deepEqual(Object.values(image?.after ?? {}), values);
    for (const { field } of fields) {
      assert.deepEqual(await changedKeys(home, { fields: [field] }), ["u"], field);
    }
  });

  behaviour("images are named by the fields of their own commit", async ({ home }) => {
    const lease = await takeLease(home);
    const commit = (fieldNames: readonly string[], id: string) =>
      home.commit(commitOf(lease, { log: { fieldNames, entries: [created(id, [id, "x"])] } }));
    await commit(["Id", "Old"], "a");
    await commit(["Id", "New"], "b");
    await commit(["Id", "Old"], "c");
    const images = (await changesOf(home, { oldestFirst: true })).map(({ after }) => after);
    assert.deepEqual(images, [
      { Id: "a", Old: "x" },
      { Id: "b", New: "x" },
      { Id: "c", Old: "x" },
    ]);
  });

  behaviour("a long log is read whole, in both directions", async ({ home }) => {
    const lease = await takeLease(home);
    const names = Array.from({ length: 1700 }, (_, index) => `K${index}`);
    for (let start = 0; start < names.length; start += 600) {
      await log(
        home,
        lease,
        names.slice(start, start + 600).map((name) => created(name)),
      );
    }
    assert.deepEqual(await changedKeys(home, { oldestFirst: true }), names);
    assert.deepEqual(await changedKeys(home), names.toReversed());
    const ids = (await changesOf(home, { oldestFirst: true })).map(({ id }) => id);
    assert.ok(ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? id)));
    assert.equal((await changedKeys(home, { limit: 777 })).length, 777);
    const rest = await changedKeys(home, { oldestFirst: true, afterId: ids[1000] ?? 0 });
    assert.deepEqual(rest, names.slice(1001));
  });

  behaviour("reading holds no lock, and ends where it began", async ({ home }) => {
    const lease = await takeLease(home);
    const names = Array.from({ length: 1200 }, (_, index) => `K${index}`);
    await log(
      home,
      lease,
      names.map((name) => created(name)),
    );
    let read = 0;
    for await (const _change of home.changes({ oldestFirst: true })) {
      read += 1;
      if (read % 400 === 1) await log(home, lease, [created(`new ${read}`)]);
    }
    assert.equal(read, 1200);
    assert.equal((await changesOf(home)).length, 1203);
  });
}

function filtering(behaviour: Behaviour): void {
  behaviour("a filter's conditions all hold", async ({ home }) => {
    const lease = await takeLease(home);
    const other = await takeLease(home, "other");
    const price = { field: "ListPrice", before: "1", after: "2" };
    await log(home, lease, [created("a"), created("b")], { at: 1000, runId: "r1" });
    await log(home, lease, [updated("a", [price])], { at: 2000, runId: "r2" });
    await log(home, lease, [created("m")], { at: 3000, runId: "r2", stream: "Member" });
    await log(home, other, [created("a")], { at: 4000, runId: "r3" });
    const status = { field: "StandardStatus", before: "Active", after: "Closed" };
    await log(
      home,
      lease,
      [updated("b", [status]), { kind: "delete", key: key("a"), fields: [] }],
      {
        at: 5000,
        runId: "r4",
      },
    );

    const cases: readonly (readonly [Parameters<typeof changedKeys>[1], readonly string[]])[] = [
      [{}, ["a", "b", "a", "m", "a", "b", "a"]],
      [{ sync: "kit" }, ["a", "b", "m", "a", "b", "a"]],
      [{ sync: "other" }, ["a"]],
      [{ sync: "nobody" }, []],
      [{ stream: "Property" }, ["a", "b", "a", "a", "b", "a"]],
      [{ stream: "Member" }, ["m"]],
      [{ sync: "kit", stream: "Property" }, ["a", "b", "a", "b", "a"]],
      [{ runId: "r2" }, ["m", "a"]],
      [{ runId: "r2", stream: "Property" }, ["a"]],
      [{ key: key("a") }, ["a", "a", "a", "a"]],
      [{ key: key("a"), sync: "kit" }, ["a", "a", "a"]],
      [{ key: key("a"), kinds: ["delete"] }, ["a"]],
      [{ key: key("A") }, []],
      [{ kinds: ["update"] }, ["b", "a"]],
      [{ kinds: ["create", "delete"] }, ["a", "a", "m", "b", "a"]],
      [{ kinds: [] }, []],
      [{ fields: ["ListPrice"] }, ["a"]],
      [{ fields: ["ListPrice", "StandardStatus"] }, ["b", "a"]],
      [{ fields: ["ListPrice"], since: 2001 }, []],
      [{ fields: ["listprice"] }, []],
      [{ fields: [] }, []],
      [{ fields: ["ListPrice"], sync: "other" }, []],
      [{ since: 4000 }, ["a", "b", "a"]],
      [{ since: 4001 }, ["a", "b"]],
      [{ until: 2000 }, ["b", "a"]],
      [{ since: 2000, until: 5000 }, ["a", "m", "a"]],
      [{ since: 9000 }, []],
      [{ until: 1 }, []],
      [{ limit: 2 }, ["a", "b"]],
      [{ limit: 0 }, []],
      [{ limit: 1, oldestFirst: true, stream: "Member" }, ["m"]],
    ];
    for (const [filter, wanted] of cases) {
      const words = JSON.stringify(filter);
      assert.deepEqual(await changedKeys(home, filter), wanted, words);
      if (filter?.limit !== undefined) continue;
      const oldestFirst = await changedKeys(home, { ...filter, oldestFirst: true });
      assert.deepEqual(oldestFirst, wanted.toReversed(), words);
    }
  });

  behaviour("a clock that went back loses no change", async ({ home }) => {
    const lease = await takeLease(home);
    for (const [id, at] of [
      ["a", 5000],
      ["b", 2000],
      ["c", 3000],
      ["d", 6000],
    ] as const) {
      await log(home, lease, [created(id)], { at });
    }
    assert.deepEqual(await changedKeys(home, { since: 3000 }), ["d", "c", "a"]);
    assert.deepEqual(await changedKeys(home, { until: 5000 }), ["c", "b"]);
    assert.deepEqual(await changedKeys(home, { since: 2500, until: 5500 }), ["c", "a"]);
  });
}

function transitions(behaviour: Behaviour): void {
  behaviour("transitions are found by before and after", async ({ home }) => {
    const lease = await takeLease(home);
    const to = (id: string, before: string | null, after: string | null) =>
      updated(id, [{ field: "StandardStatus", before, after }]);
    await log(home, lease, [
      created("new"),
      to("a", "Active", "Pending"),
      to("b", "Active", "ActiveUnderContract"),
      to("c", "Active Under Contract", "pending"),
      to("d", null, "Active"),
      to("e", "Pending", null),
      updated("f", [{ field: "MlsStatus", before: "Active", after: "Pending" }]),
    ]);
    const find = (before?: string, after?: string, field = "StandardStatus") =>
      changedKeys(home, {
        oldestFirst: true,
        transition: {
          field,
          ...(before === undefined ? {} : { before }),
          ...(after === undefined ? {} : { after }),
        },
      });
    assert.deepEqual(await find("Active", "Pending"), ["a"]);
    assert.deepEqual(await find("ACTIVE", " pend ing"), ["a"]);
    assert.deepEqual(await find("Active Under Contract"), ["c"]);
    assert.deepEqual(await find("Active", "active under contract"), ["b"]);
    assert.deepEqual(await find(undefined, "Pending"), ["a", "c"]);
    assert.deepEqual(await find("Active"), ["a", "b"]);
    assert.deepEqual(await find(), ["a", "b", "c", "d", "e"]);
    assert.deepEqual(await find("Active", "Pending", "MlsStatus"), ["f"]);
    assert.deepEqual(await find("Active", "Pending", "Unknown"), []);
    assert.deepEqual(await find("Closed"), []);
  });

  behaviour("transitions of long values are told apart to the end", async ({ home }) => {
    const lease = await takeLease(home);
    const long = "x".repeat(5000);
    const to = (id: string, after: string) => updated(id, [{ field: "F", before: "-", after }]);
    await log(home, lease, [to("a", `${long}1`), to("b", `${long}2`), to("c", `${long}1`)]);
    const transition = { field: "F", after: `${long}1` };
    assert.deepEqual(await changedKeys(home, { transition }), ["c", "a"]);
    assert.deepEqual(await changedKeys(home, { transition, limit: 1 }), ["c"]);
  });

  behaviour("transitions among many other changes are all found", async ({ home }) => {
    const lease = await takeLease(home);
    const entries = Array.from({ length: 1500 }, (_, index) =>
      updated(`K${index}`, [
        { field: "Views", before: index, after: index + 1 },
        ...(index % 2 === 0 ? [{ field: "Status", before: "Active", after: "Pending" }] : []),
      ]),
    );
    await log(home, lease, entries, { log: { fieldNames: FIELDS, entries } });
    const transition = { field: "Status", before: "active", after: "pending" };
    const found = await changedKeys(home, { transition, oldestFirst: true });
    assert.deepEqual(
      found,
      Array.from({ length: 750 }, (_, index) => `K${index * 2}`),
    );
    const fields = await changedKeys(home, { fields: ["Status", "Views"] });
    assert.equal(fields.length, 1500);
    assert.equal(new Set(fields).size, 1500);
  });
}
