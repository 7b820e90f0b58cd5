import assert from "node:assert/strict";
import type { RecordKey } from "../../model/record.ts";
import type { Destination, TableSpec } from "../../ports/destination.ts";
import {
  type Behaviour,
  batch,
  field,
  INT32,
  INT64,
  key,
  LISTING,
  listing,
  rejected,
  row,
  seed,
  streamOf,
  TEXT,
  tableOf,
  valuesOf,
} from "./subject.ts";

const MARKED: TableSpec = tableOf(LISTING);
const REMOVED: TableSpec = tableOf(LISTING, { deletes: "remove" });

/** Every row of the table as pages of `size` give it. */
async function walk(destination: Destination, table: TableSpec, size: number): Promise<string[]> {
  const keys: string[] = [];
  let after: RecordKey | null = null;
  for (;;) {
    const page = await destination.scan(table, after, size);
    const pageKeys = page.map((stored) => stored.key);
    assert.deepEqual(await destination.scanKeys(table, after, size), pageKeys);
    assert.ok(!pageKeys.some((again) => keys.includes(again)), "a page repeats a key");
    keys.push(...pageKeys);
    after = pageKeys.at(-1) ?? null;
    if (after === null) return keys;
  }
}

export function rowBehaviours(behaviour: Behaviour): void {
  writing(behaviour);
  deleting(behaviour);
  keys(behaviour);
  walking(behaviour);
}

function writing(behaviour: Behaviour): void {
  behaviour("a row is loaded with its hash and time of change", async ({ destination }) => {
    await seed(destination, MARKED, [listing("a", "250.5")]);
    const rows = await destination.load(MARKED, [key("a"), key("absent")]);
    assert.deepEqual(
      [...rows.values()],
      [
        {
          key: "a",
          values: ["a", "250.5", "Active", "2024-05-01T08:30:00.123456Z"],
          hash: "hash of a",
          changedAt: 1000,
        },
      ],
    );
  });

  behaviour(
    "marks tell hash and record time of the rows among the keys",
    async ({ destination }) => {
      const undated = row("b", ["b", null, null, null]);
      await seed(destination, MARKED, [listing("a"), undated, listing("c")]);
      const marks = await destination.marks(MARKED, ["b", "nobody", "a", "a"].map(key));
      const modifiedAt = "2024-05-01T08:30:00.123456Z";
      assert.equal(marks.size, 2);
      assert.deepEqual(marks.get(key("a")), { hash: "hash of a", deleted: false, modifiedAt });
      assert.deepEqual(marks.get(key("b")), { hash: "hash of b", deleted: false });
      assert.equal((await destination.marks(MARKED, [])).size, 0);
    },
  );

  behaviour("writing a batch twice equals writing it once", async ({ destination }) => {
    await seed(destination, MARKED, [listing("a"), listing("b"), listing("c")]);
    const again = batch(MARKED, {
      upserts: [listing("a", "999"), listing("d")],
      deletes: [key("b"), key("nobody")],
      rehash: [{ key: key("c"), hash: "other" }],
      at: 2000,
    });
    await destination.write(again);
    const everyone = ["a", "b", "c", "d", "nobody"].map(key);
    const once = await destination.load(MARKED, everyone);
    await destination.write(again);
    assert.deepEqual(await destination.load(MARKED, everyone), once);
    assert.equal(once.size, 4);
  });

  behaviour("an empty batch changes nothing", async ({ destination }) => {
    await seed(destination, MARKED, [listing("a")]);
    await destination.write(batch(MARKED, { at: 2000 }));
    assert.equal((await destination.load(MARKED, [key("a")])).get(key("a"))?.changedAt, 1000);
  });

  behaviour("a refused record leaves nothing of its batch", async ({ destination }) => {
    const table = tableOf(streamOf([field("Id", TEXT), field("Count", INT64)]));
    await seed(destination, table, [row("old", ["old", "1"])]);
    const upserts = [row("new", ["new", "2"]), row("old", ["old", "3"]), row("bad", ["bad", "4x"])];
    const refusal = destination.write(batch(table, { upserts, deletes: [key("old")], at: 2000 }));
    // A destination without types has nothing to refuse here.
    const error = await refusal.catch((reason) => reason);
    if (error === undefined) return assert.equal(await destination.count(table), 2);
    assert.equal((await rejected(refusal, "RECORD_REFUSED")).context.key, "bad");
    assert.deepEqual(await valuesOf(destination, table, "old"), ["old", "1"]);
    assert.equal(await destination.count(table), 1);
  });

  behaviour("rehash replaces the hash and nothing else", async ({ destination }) => {
    await seed(destination, MARKED, [listing("a")]);
    const rehash = [
      { key: key("a"), hash: "other" },
      { key: key("nobody"), hash: "x" },
    ];
    await destination.write(batch(MARKED, { rehash, at: 2000 }));
    const stored = (await destination.load(MARKED, [key("a")])).get(key("a"));
    assert.equal(stored?.hash, "other");
    assert.equal(stored.changedAt, 1000);
    assert.equal(await destination.count(MARKED), 1);
  });

  behaviour("a page of 1000 rows is written and marked as a whole", async ({ destination }) => {
    const names = Array.from({ length: 1000 }, (_, index) => `K${index}`);
    await seed(
      destination,
      MARKED,
      names.map((name) => listing(name)),
    );
    assert.equal(await destination.count(MARKED), 1000);
    assert.equal((await destination.marks(MARKED, names.map(key))).size, 1000);
  });
}

function deleting(behaviour: Behaviour): void {
  behaviour("a removed row is gone", async ({ destination }) => {
    await seed(destination, REMOVED, [listing("a"), listing("b")]);
    await destination.write(batch(REMOVED, { deletes: [key("a"), key("nobody")] }));
    assert.equal(await destination.count(REMOVED), 1);
    assert.equal((await destination.marks(REMOVED, [key("a")])).size, 0);
    assert.equal((await destination.load(REMOVED, [key("a")])).size, 0);
    assert.deepEqual(await destination.scanKeys(REMOVED, null, 10), ["b"]);
  });

  behaviour("a marked row is out of every list, but not lost", async ({ destination }) => {
    await seed(destination, MARKED, [listing("a"), listing("b")]);
    await destination.write(batch(MARKED, { deletes: [key("a")], at: 2000 }));
    assert.equal(await destination.count(MARKED), 1);
    assert.deepEqual(await walk(destination, MARKED, 10), ["b"]);
    const found = await destination.find(MARKED, "StandardStatus", "Active", 10);
    assert.deepEqual(
      found.map((stored) => stored.key),
      ["b"],
    );
    assert.equal((await destination.marks(MARKED, [key("a")])).get(key("a"))?.deleted, true);
    const stored = (await destination.load(MARKED, [key("a")])).get(key("a"));
    assert.equal(stored?.deletedAt, 2000);
    assert.equal(stored.changedAt, 2000);
    assert.equal(stored.values[1], "100");
  });

  behaviour("marking a marked row again keeps its first time", async ({ destination }) => {
    await seed(destination, MARKED, [listing("a")]);
    for (const at of [2000, 3000]) {
      await destination.write(batch(MARKED, { deletes: [key("a")], at }));
    }
    const stored = (await destination.load(MARKED, [key("a")])).get(key("a"));
    assert.equal(stored?.deletedAt, 2000);
    assert.equal(stored.changedAt, 2000);
  });

  behaviour("an upsert brings a marked row back", async ({ destination }) => {
    await seed(destination, MARKED, [listing("a")]);
    await destination.write(batch(MARKED, { deletes: [key("a")], at: 2000 }));
    await destination.write(batch(MARKED, { upserts: [listing("a", "7")], at: 3000 }));
    const stored = (await destination.load(MARKED, [key("a")])).get(key("a"));
    assert.equal(stored?.deletedAt, undefined);
    assert.equal(stored?.changedAt, 3000);
    assert.equal(await destination.count(MARKED), 1);
    assert.deepEqual(await walk(destination, MARKED, 10), ["a"]);
  });
}

function keys(behaviour: Behaviour): void {
  behaviour("keys that look alike are different rows", async ({ destination }) => {
    const names = [
      "007",
      "7",
      "x",
      " x ",
      "X",
      "\u00e9",
      "e\u0301",
      "🏠",
      "",
      "a/b'\"",
      "k".repeat(500),
    ];
    await seed(
      destination,
      MARKED,
      names.map((name) => listing(name)),
    );
    assert.equal(await destination.count(MARKED), names.length);
    const rows = await destination.load(MARKED, names.map(key));
    for (const name of names) assert.equal(rows.get(key(name))?.values[0], name);
    assert.deepEqual((await walk(destination, MARKED, 3)).toSorted(), names.toSorted());
    await destination.write(batch(MARKED, { deletes: [key("7")] }));
    assert.equal((await destination.marks(MARKED, [key("007")])).get(key("007"))?.deleted, false);
  });

  behaviour("integer keys are exact, and in the order of numbers", async ({ destination }) => {
    for (const type of [INT64, INT32]) {
      const isWide = type === INT64;
      const schema = streamOf([field("Id", type), field("Name", TEXT)], {
        name: isWide ? "Wide" : "Narrow",
      });
      const table = tableOf(schema);
      const names = isWide
        ? ["-9223372036854775808", "-5", "0", "2", "10", "9007199254740993", "9223372036854775807"]
        : ["-5", "0", "2", "10", "2147483647"];
      const upserts = names.map((name) => row(name, [isWide ? name : Number(name), name]));
      await seed(destination, table, upserts.toReversed());
      const rows = await destination.load(table, names.map(key));
      for (const [index, name] of names.entries()) {
        assert.deepEqual(rows.get(key(name))?.values, upserts[index]?.values);
      }
      assert.deepEqual((await walk(destination, table, 2)).toSorted(), names.toSorted());
      await destination.write(batch(table, { deletes: [key("10")] }));
      assert.equal(await destination.count(table), names.length - 1);
    }
  });

  behaviour("a key of several fields is one identity", async ({ destination }) => {
    const fields = [field("Name", TEXT), field("Market", TEXT), field("Number", INT64)];
    const table = tableOf(streamOf(fields, { key: ["Market", "Number"] }));
    const id = (market: string, number: string): RecordKey => key(JSON.stringify([market, number]));
    const entry = (market: string, number: string, name: string) => ({
      key: id(market, number),
      values: [name, market, number],
      hash: name,
    });
    await seed(destination, table, [entry("a", "1", "one"), entry("a", "2", "two")]);
    const more = [entry("b", "1", "three"), entry("a", "1", "ONE")];
    await destination.write(batch(table, { upserts: more, deletes: [id("a", "2")] }));
    assert.equal(await destination.count(table), 2);
    assert.equal(
      (await destination.load(table, [id("a", "1")])).get(id("a", "1"))?.values[0],
      "ONE",
    );
    assert.equal((await destination.marks(table, [id("b", "1"), id("b", "2")])).size, 1);
    assert.deepEqual(await walk(destination, table, 1), [id("a", "1"), id("b", "1")]);
  });

  behaviour("a key that no row can have is not found", async ({ destination }) => {
    const table = tableOf(streamOf([field("Id", INT64), field("Name", TEXT)]));
    await seed(destination, table, [row("7", ["7", "seven"])]);
    const strange = ["007", "7.0", " 7", "7x", "", "99999999999999999999"].map(key);
    assert.equal((await destination.marks(table, strange)).size, 0);
    assert.equal((await destination.load(table, strange)).size, 0);
    await destination.write(batch(table, { deletes: strange }));
    assert.equal(await destination.count(table), 1);
  });
}

function walking(behaviour: Behaviour): void {
  behaviour("scans of every page size give each living row once", async ({ destination }) => {
    const names = Array.from({ length: 23 }, (_, index) => `K${(index * 7) % 23}`);
    await seed(
      destination,
      MARKED,
      names.map((name) => listing(name)),
    );
    await destination.write(batch(MARKED, { deletes: [key("K3"), key("K22")] }));
    const whole = await walk(destination, MARKED, 100);
    const living = names.filter((name) => name !== "K3" && name !== "K22");
    assert.deepEqual(whole.toSorted(), living.toSorted());
    for (const size of [1, 2, 7, 20, 21, 22]) {
      assert.deepEqual(await walk(destination, MARKED, size), whole);
    }
  });

  behaviour("a scan goes on after a key that is gone", async ({ destination }) => {
    await seed(
      destination,
      REMOVED,
      ["a", "b", "c"].map((name) => listing(name)),
    );
    await destination.write(batch(REMOVED, { deletes: [key("b")] }));
    assert.deepEqual(await destination.scanKeys(REMOVED, key("b"), 10), ["c"]);
  });
}
