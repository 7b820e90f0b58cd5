import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { createScene, type Scene } from "./scene.ts";

interface ListsScene extends Scene {
  /** The one record's list in a file of JSON lines. */
  list(name: "a" | "b"): unknown;
  write(name: "a" | "b", items: readonly string[]): void;
}

/** Two files of JSON lines that have one record, with a list. */
function scene(t: TestContext, type: "set" | "list", a: string[], b: string[]): ListsScene {
  const made = createScene(t);
  const path = (name: string): string => join(made.directory, `${name}.jsonl`);
  const write: ListsScene["write"] = (name, items) =>
    writeFileSync(path(name), `${JSON.stringify({ id: "1", tags: items })}\n`);
  write("a", a);
  write("b", b);
  const fields = { tags: "list" };
  made.configure({
    systems: {
      a: { connector: "file", path: "./a.jsonl", key: "id", fields },
      b: { connector: "file", path: "./b.jsonl", key: "id", fields },
    },
    sync: {
      sides: { a: { system: "a", stream: "a" }, b: { system: "b", stream: "b" } },
      match: "id",
      fields: { id: null, tags: { type, policy: "merge" } },
    },
  });
  const list = (name: string): unknown => JSON.parse(readFileSync(path(name), "utf8")).tags;
  return { ...made, list, write };
}

describe("lists are compared as they are declared", () => {
  test("a set: another order is nothing new, and all that anybody added or took out counts", async (t) => {
    const at = scene(t, "set", ["red", "blue"], ["blue", "red"]);
    assert.equal((await at.cli("run")).exit, 0);
    assert.deepEqual(at.list("a"), ["red", "blue"], "nobody's order is changed without need");
    at.write("b", ["red", "blue"]);
    assert.equal((await at.cli("plan")).exit, 0);
    at.write("a", ["red", "blue", "green"]);
    at.write("b", ["red"]);
    assert.equal((await at.cli("run")).exit, 0);
    for (const side of ["a", "b"] as const) {
      assert.deepEqual(new Set(at.list(side) as string[]), new Set(["red", "green"]));
    }
    assert.equal((await at.cli("plan")).exit, 0);
  });

  test("a sequence: another order is another value", async (t) => {
    const at = scene(t, "list", ["red", "blue"], ["red", "blue"]);
    assert.equal((await at.cli("run")).exit, 0);
    at.write("a", ["blue", "red"]);
    assert.equal((await at.cli("run")).exit, 0);
    assert.deepEqual(at.list("b"), ["blue", "red"]);
    at.write("a", ["blue"]);
    at.write("b", ["red"]);
    assert.equal((await at.cli("run")).exit, 4, "a person decides");
  });
});
