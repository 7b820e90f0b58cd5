import assert from "node:assert/strict";
import { test } from "node:test";
import type { CaptureRequest } from "../../ports/connector.ts";
import { type CaptureSql, captured, captureSteps } from "./captures.ts";
import type { Capture, SqlTable } from "./table.ts";

const SQL: CaptureSql = {
  outbox: "outbox",
  registry: "registry",
  tables: ["tables"],
  triggers: (stream, key) => [`triggers of ${stream} by ${key.join()}`],
  removal: (stream) => [`removal of ${stream}`],
};

const known = (key: readonly string[], works = true): Capture => ({
  id: "one",
  key,
  keepDays: 14,
  works,
});

/** The statements for each stream; of an INSERT or UPDATE only its first words. */
function stepsOf(
  captures: Readonly<Record<string, Capture>>,
  request: Omit<CaptureRequest, "dryRun">,
): Readonly<Record<string, readonly string[]>> {
  const found = captureSteps(
    SQL,
    new Map(Object.entries(captures)),
    { dryRun: true, ...request },
    () => ["a", "b"],
  );
  const short = (sql: string): string => /^(?:INSERT|UPDATE) .*?registry/.exec(sql)?.[0] ?? sql;
  return Object.fromEntries(found.map(({ stream, statements }) => [stream, statements.map(short)]));
}

test("a capture is installed once, and anew where it would not tell of this key", () => {
  const install = { action: "install", streams: ["s"] } as const;
  const anew = ["tables", "removal of s", "triggers of s by a,b", "INSERT INTO registry"];
  assert.deepEqual(stepsOf({}, install), { s: anew.filter((each) => each !== "removal of s") });
  assert.deepEqual(stepsOf({ s: known(["a", "b"]) }, install), { s: [] });
  assert.deepEqual(stepsOf({ s: known(["a", "b"]) }, { ...install, keepDays: 3 }), {
    s: ["UPDATE registry"],
  });
  for (const other of [known(["a"]), known(["b", "a"]), known(["a", "b"], false)]) {
    assert.deepEqual(stepsOf({ s: other }, install), { s: anew });
  }
});

test("with the last capture go the tables", () => {
  const captures = { s: known(["a"]), t: known(["a"]) };
  assert.deepEqual(stepsOf(captures, { action: "uninstall", streams: ["s", "u"] }), {
    s: ["removal of s"],
    u: [],
  });
  assert.deepEqual(stepsOf(captures, { action: "uninstall" }), {
    s: ["removal of s"],
    t: ["removal of t", "DROP TABLE outbox", "DROP TABLE registry"],
  });
});

test("a capture by another key, or in another order of it, is none", () => {
  const traits = { changes: false, deletions: false, sweep: true, count: true };
  const schema = { name: "s", fields: [], key: ["a", "b"], traits };
  const table: SqlTable = { schema, sql: "s", columns: new Map(), key: [], mayLackKeys: false };
  const isCaptured = (capture: Capture): boolean => captured(table, capture) !== table;
  assert.equal(isCaptured(known(["a", "b"])), true);
  assert.equal(captured(table, known(["a", "b"])).schema.traits.events, true);
  for (const capture of [known(["b", "a"]), known(["a"]), known(["a", "b"], false)]) {
    assert.equal(isCaptured(capture), false);
  }
});
