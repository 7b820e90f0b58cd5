import assert from "node:assert/strict";
import type { Value, ValueType } from "../../model/value.ts";
import {
  type Behaviour,
  batch,
  DECIMAL,
  field,
  INT32,
  INT64,
  key,
  LISTING,
  listing,
  row,
  seed,
  streamOf,
  TEXT,
  tableOf,
} from "./subject.ts";

export function lookupBehaviours(behaviour: Behaviour): void {
  finding(behaviour);
  orphans(behaviour);
}

function finding(behaviour: Behaviour): void {
  behaviour("find gives the rows of one canonical value", async ({ destination }) => {
    const cases: readonly (readonly [ValueType, Value, Value])[] = [
      [TEXT, "Active", "active"],
      [TEXT, "007", "7"],
      [DECIMAL, "500000.5", "500000"],
      [INT64, "9007199254740993", "9007199254740992"],
      [INT32, 7, 8],
      [{ kind: "boolean" }, true, false],
      [{ kind: "double" }, 0.1, 0.2],
      [{ kind: "list", of: TEXT, ordered: false }, ["a", "b"], ["a"]],
    ];
    for (const [index, [type, wanted, other]] of cases.entries()) {
      const schema = streamOf([field("Id", TEXT), field("F", type)], { name: `Stream${index}` });
      const table = tableOf(schema, { indexes: ["F"] });
      const values: readonly Value[] = [wanted, other, wanted, null];
      await seed(
        destination,
        table,
        values.map((value, place) => row(`r${place}`, [`r${place}`, value])),
      );
      const found = await destination.find(table, "F", wanted, 10);
      assert.deepEqual(
        found.map((stored) => stored.key),
        ["r0", "r2"],
      );
      assert.deepEqual(found[0]?.values, ["r0", wanted]);
      assert.equal((await destination.find(table, "F", wanted, 1)).length, 1);
      const nulls = await destination.find(table, "F", null, 10);
      assert.deepEqual(
        nulls.map((stored) => stored.key),
        ["r3"],
      );
    }
  });

  behaviour("find by the key, and by a value no column can have", async ({ destination }) => {
    const table = tableOf(streamOf([field("Id", INT64), field("Count", INT32)]));
    await seed(destination, table, [row("7", ["7", 1])]);
    assert.equal((await destination.find(table, "Id", "7", 5)).length, 1);
    assert.deepEqual(await destination.find(table, "Id", "seven", 5), []);
    assert.deepEqual(await destination.find(table, "Count", "one", 5), []);
  });
}

function orphans(behaviour: Behaviour): void {
  const media = (type: ValueType) =>
    streamOf([field("MediaKey", TEXT), field("ResourceRecordKey", type)], { name: "Media" });

  behaviour("orphans are living children without a living parent", async ({ destination }) => {
    const parent = tableOf(LISTING);
    const child = tableOf(media(TEXT));
    await seed(destination, parent, [listing("A"), listing("B")]);
    await seed(destination, child, [
      row("m1", ["m1", "A"]),
      row("m2", ["m2", "B"]),
      row("m3", ["m3", "C"]),
      row("m4", ["m4", null]),
      row("m5", ["m5", "D"]),
      row("m6", ["m6", "a"]),
    ]);
    await destination.write(batch(parent, { deletes: [key("B")] }));
    await destination.write(batch(child, { deletes: [key("m5")] }));
    const found = await destination.orphans(child, "ResourceRecordKey", parent, "ListingKey");
    assert.equal(found.count, 3);
    assert.deepEqual(found.sample.toSorted(), ["m2", "m3", "m6"]);
  });

  behaviour("a key as number and as text is one key", async ({ destination }) => {
    const types: readonly (readonly [ValueType, ValueType])[] = [
      [INT64, TEXT],
      [TEXT, INT64],
      [INT64, INT32],
      [DECIMAL, INT64],
      [TEXT, TEXT],
    ];
    const canonical = (type: ValueType, text: string): Value =>
      type === INT32 ? Number(text) : text;
    for (const [index, [ofChild, ofParent]] of types.entries()) {
      const parents = streamOf([field("Id", ofParent), field("Number", ofParent)]);
      const parent = tableOf(parents, { table: `Parent${index}`, indexes: ["Number"] });
      const child = tableOf(media(ofChild), { table: `Child${index}` });
      await seed(destination, parent, [
        row("7", [canonical(ofParent, "7"), canonical(ofParent, "7")]),
        row("900719925", [canonical(ofParent, "900719925"), canonical(ofParent, "900719925")]),
      ]);
      const numbers =
        ofChild === TEXT ? ["7", "900719925", "8", "007", "x"] : ["7", "900719925", "8"];
      await seed(
        destination,
        child,
        numbers.map((text) => row(`m${text}`, [`m${text}`, canonical(ofChild, text)])),
      );
      const lonely = ofChild === TEXT ? ["m007", "m8", "mx"] : ["m8"];
      for (const [spec, name] of [
        [parent, "Id"],
        [parent, "Number"],
        [{ ...parent, indexes: [] }, "Number"],
      ] as const) {
        const found = await destination.orphans(child, "ResourceRecordKey", spec, name);
        assert.deepEqual(found, { count: lonely.length, sample: lonely });
      }
    }
  });

  behaviour("without a parent table every child is an orphan", async ({ destination }) => {
    const parent = tableOf(LISTING);
    const child = tableOf(media(TEXT));
    assert.deepEqual(await destination.orphans(child, "ResourceRecordKey", parent, "ListingKey"), {
      count: 0,
      sample: [],
    });
    const names = Array.from({ length: 12 }, (_, index) => `m${index + 10}`);
    await seed(
      destination,
      child,
      names.map((name) => row(name, [name, "A"])),
    );
    const found = await destination.orphans(child, "ResourceRecordKey", parent, "ListingKey");
    assert.deepEqual(found, { count: 12, sample: names.slice(0, 10) });
  });
}
