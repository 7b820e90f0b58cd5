import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { parse } from "csv-parse/sync";
import type { Value } from "../../model/value.ts";
import { field, INT32, streamOf, TEXT, tableOf } from "../../testing/destination-kit/subject.ts";
import {
  byName,
  createFileScene,
  type FileScene,
  LISTING,
  lines,
  listing,
  NAMES,
  replayFeeds,
  TABLE,
} from "../../testing/file-scene.ts";

/** Values that files have lost before. */
const HOSTILE: readonly (readonly Value[])[] = [
  ["1", "0.123456789012345678901", "9007199254740993", "", [], ["0.10", "2"], true, 0.1],
  ["2", null, null, null, null, null, null, null],
  ["007", "-1", "-9223372036854775808", " x ", ["a,b", 'q"q', ""], [], false, 1e21],
  ["", "1000000000000000000000", "0", 'say "hi", \r\n; \n\r', ["é"], ["1"], true, -2.5e-7],
  ["=1+1", "5", "7", "e\u0301 é 🏠 \u2028 \ufeffx \0", ["null"], null, true, 3],
  ["NULL", "5", "7", "null", ["\\"], null, true, 3],
  ["x", "5", "7", "x".repeat(50_000), ["\\"], null, true, 3],
];

let scene: FileScene;

beforeEach(() => {
  scene = createFileScene();
});
afterEach(() => scene.close());

/** Every number as its own text, so that no digit is lost on the way. */
const exactly = (text: string): Record<string, unknown> =>
  JSON.parse(text, (_name, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" ? `#${context?.source}` : value,
  ) as Record<string, unknown>;
suite("published files", () => {
  test("JSONL holds every value exactly", async () => {
    await scene.open();
    for (const values of HOSTILE) await scene.change("create", values);
    await scene.publish();
    const text = scene.read("Property.jsonl");
    const rows = new Map(lines(text).map((line) => [exactly(line)["ListingKey"], exactly(line)]));
    assert.equal(rows.size, HOSTILE.length);
    for (const values of HOSTILE) {
      const [key, price, big, remarks, features, steps, isNew, ratio] = values;
      const found = rows.get(key);
      assert.deepEqual(found, {
        ListingKey: key,
        ListPrice: price === null ? null : `#${price}`,
        Big: big === null ? null : `#${big}`,
        Remarks: remarks,
        Features: features,
        Steps: Array.isArray(steps) ? steps.map((step: Value) => `#${step}`) : null,
        IsNew: isNew,
        Ratio: ratio === null ? null : `#${JSON.stringify(ratio)}`,
      });
    }
    assert.deepEqual(replayFeeds(scene.feeds().map((name) => scene.feed(name))), scene.snapshot());
  });

  test("CSV holds every value exactly, null apart from the empty text", async () => {
    await scene.open({ format: "csv" });
    for (const values of HOSTILE) await scene.change("create", values);
    await scene.publish();
    const cells = parse(scene.read("Property.csv"), {
      cast: (cell, { quoting }) => (cell === "" && !quoting ? null : cell),
    }) as (string | null)[][];
    assert.deepEqual(cells[0], NAMES);
    const rows = new Map(cells.slice(1).map((each) => [each[0], each]));
    assert.equal(rows.size, HOSTILE.length);
    for (const values of HOSTILE) {
      const wanted = values.map((value, index) =>
        value === null
          ? null
          : index === 5
            ? `[${(value as string[]).join(",")}]`
            : Array.isArray(value)
              ? JSON.stringify(value)
              : String(value),
      );
      assert.deepEqual(rows.get(String(values[0])), wanted);
    }
    const [name = ""] = scene.feeds();
    const told = parse(scene.feed(name), { columns: true }) as Record<string, string>[];
    assert.deepEqual(
      told.map(({ position, kind, key }) => [position, kind, key]),
      HOSTILE.map(([key], index) => [String(3 * index + 3), "create", key]),
    );
    assert.deepEqual(JSON.parse(told[2]?.["after"] ?? ""), {
      ...byName(HOSTILE[2] ?? []),
      ListPrice: -1,
      Big: Number("-9223372036854775808"),
    });
  });

  test("numbers can be texts, and names follow the sync's naming", async () => {
    await scene.open({ numbers: "text" });
    await scene.change("create", HOSTILE[0] ?? []);
    await scene.publish({ table: { ...TABLE, naming: "snake_case" } });
    assert.equal(
      scene.read("property.jsonl"),
      '{"listing_key":"1","list_price":"0.123456789012345678901","big":"9007199254740993","remarks":"","features":[],"steps":["0.10","2"],"is_new":true,"ratio":0.1}\n',
    );
  });

  test("a feed file is of one run's changes, and says which", async () => {
    await scene.open();
    await scene.change("create", listing("a", "1"));
    await scene.change("create", listing("b", "2"));
    await scene.publish();
    await scene.publish();
    await scene.change("update", listing("a", "1.50"), listing("a", "1"));
    await scene.change("delete", listing("b", "2"));
    await scene.publish();
    assert.deepEqual(scene.feeds(), [
      "001-000000000000-000000000006.jsonl",
      "001-000000000006-000000000012.jsonl",
    ]);
    assert.equal(
      scene.feed(scene.feeds()[1]),
      `{"position":9,"kind":"update","key":"a","categories":["updated","price"],"at":"2023-11-14T22:13:20.009Z","sourceTime":null,"run":"run 9","sync":"mls","stream":"Property","before":{"ListPrice":1},"after":{"ListPrice":1.50}}
{"position":12,"kind":"delete","key":"b","categories":["deleted"],"at":"2023-11-14T22:13:20.012Z","sourceTime":null,"run":"run 12","sync":"mls","stream":"Property","before":{"ListingKey":"b","ListPrice":2,"Big":null,"Remarks":"of b","Features":null,"Steps":null,"IsNew":null,"Ratio":null},"after":null}
`,
    );
  });

  test("nothing new writes nothing; a snapshot that a person touched is made good", async () => {
    await scene.open();
    await scene.change("create", listing("a", "1"));
    await scene.publish();
    const text = scene.read("Property.jsonl");
    const path = join(scene.folder, "Property.jsonl");
    await scene.publish({ confirm: () => assert.fail("it was about to write") });
    for (const spoil of [
      () => writeFileSync(path, "mine\n"),
      () => writeFileSync(path, text),
      () => rmSync(path),
    ]) {
      spoil();
      await scene.publish();
      assert.equal(scene.read("Property.jsonl"), text);
    }
    assert.equal(scene.feeds().length, 1);
  });

  test("a feed that was taken away or edited is not told again", async () => {
    await scene.open();
    await scene.change("create", listing("a", "1"));
    await scene.publish();
    rmSync(join(scene.feedFolder, scene.feeds()[0] ?? ""));
    await scene.publish();
    assert.deepEqual(scene.feeds(), []);
    await scene.change("create", listing("b", "2"));
    await scene.publish();
    assert.deepEqual(scene.feeds(), ["001-000000000003-000000000006.jsonl"]);
  });

  test("where Lockstep's notes are lost, the files tell what was published", async () => {
    await scene.open();
    await scene.change("create", listing("a", "1"));
    await scene.publish();
    rmSync(join(scene.folder, ".lockstep", "Property.json"));
    await scene.change("create", listing("b", "2"));
    await scene.publish();
    assert.deepEqual(scene.feeds(), [
      "001-000000000000-000000000003.jsonl",
      "001-000000000003-000000000006.jsonl",
    ]);
    writeFileSync(join(scene.folder, ".lockstep", "Property.json"), "{half");
    await assert.rejects(scene.publish(), { code: "HOME_UNREADABLE" });
  });

  test("a home put back or made anew begins another log, and repeats nothing", async () => {
    await scene.open();
    await scene.change("create", listing("a", "1"));
    await scene.publish();
    await scene.change("create", listing("b", "2"));
    await scene.publish();
    scene.log.pop();
    await scene.change("update", listing("a", "3"), listing("a", "1"));
    scene.log[1] = { ...(scene.log[1] ?? assert.fail()), runId: "after the backup" };
    await scene.publish();
    scene.log = scene.log.slice(1).map((entry) => ({ ...entry, id: 1, runId: "of a new home" }));
    await scene.publish();
    await scene.publish();
    assert.deepEqual(scene.feeds(), [
      "001-000000000000-000000000003.jsonl",
      "001-000000000003-000000000006.jsonl",
      "002-000000000003-000000000006.jsonl",
      "003-000000000000-000000000001.jsonl",
    ]);
  });

  test("another format or other columns make the snapshot anew", async () => {
    await scene.open();
    await scene.change("create", listing("a", "1"));
    await scene.publish();
    await scene.destination().close();
    await scene.open({ format: "csv" });
    await scene.publish();
    assert.deepEqual(scene.names(), ["Property.csv", "changes"]);
    const wider = tableOf(streamOf([...LISTING.fields, field("City", TEXT)]), { sync: "mls" });
    await scene.destination().prepare(wider);
    await scene.publish({ table: wider });
    assert.match(scene.read("Property.csv"), /,Ratio,City\r\n/);
  });

  test("names of tables are safe as names of files", async () => {
    await scene.open({ changes: false });
    for (const [table, file] of [
      ["../up", "%2E%2E%2Fup.jsonl"],
      ["a b.c", "a%20b%2Ec.jsonl"],
      ["Größe", "Größe.jsonl"],
    ] as const) {
      const spec = tableOf(streamOf([field("Id", INT32)]), { sync: "mls", table });
      await scene.destination().prepare(spec);
      await scene.publish({ table: spec });
      assert.ok(scene.names().includes(file), scene.names().join());
    }
  });

  test("a folder that cannot be written is told, nothing is lost, the next run publishes", async () => {
    await scene.open();
    await scene.change("create", listing("a", "1"));
    writeFileSync(join(scene.folder, "changes"), "a file of that name");
    await assert.rejects(scene.publish(), {
      code: "DESTINATION_UNWRITABLE",
      message: `The file "${scene.feedFolder}" cannot be written: a part of its path is a file, not a folder.`,
    });
    rmSync(join(scene.folder, "changes"));
    mkdirSync(join(scene.folder, "Property.jsonl"));
    await assert.rejects(scene.publish(), {
      code: "DESTINATION_UNWRITABLE",
      message: `The file "${join(scene.folder, "Property.jsonl")}" cannot be written: a folder has its name.`,
    });
    assert.equal(await scene.destination().count(TABLE), 1);
    rmSync(join(scene.folder, "Property.jsonl"), { recursive: true });
    await scene.publish();
    assert.equal(scene.feeds().length, 1);
    assert.equal(scene.snapshot().size, 1);
    assert.deepEqual(
      readdirSync(scene.folder).filter((name) => name.includes("writing")),
      [],
    );
  });

  test("a run that lost its lease, or was stopped, shows nothing", async () => {
    await scene.open();
    await scene.change("create", listing("a", "1"));
    await assert.rejects(
      scene.publish({ confirm: () => Promise.reject(new Error("fenced")) }),
      /fenced/,
    );
    const signal = AbortSignal.abort(new Error("stopped"));
    await assert.rejects(scene.publish({ signal }), /stopped/);
    assert.deepEqual(scene.names(), ["changes"]);
    assert.deepEqual(scene.feeds(), []);
  });
});
