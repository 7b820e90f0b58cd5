import assert from "node:assert/strict";
import test from "node:test";
import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Connector, Page, ReadRequest } from "../../ports/connector.ts";
import { createMemoryConnector, type MemoryConnectorOptions } from "./connector.ts";
import { createMemorySystem, type MemorySystem } from "./system.ts";

const THING: StreamSchema = {
  name: "Thing",
  key: ["Id"],
  modifiedAt: "ModifiedAt",
  traits: { changes: true, deletions: true, sweep: true, count: true },
  fields: [
    { name: "Id", type: { kind: "integer", bits: 32 }, nullable: false },
    { name: "Name", type: { kind: "text", maxLength: 5 }, nullable: true },
    { name: "ModifiedAt", type: { kind: "timestamp" }, nullable: false },
  ],
};
const query = { schema: THING };
const never = new AbortController().signal;
const WALK: ReadRequest = { kind: "walk", query, after: null, projection: "record" };
const key = (text: string): RecordKey => text as RecordKey;

/** Things 1 to `count`, each a second after the one before. */
function createThings(
  count: number,
  options: MemoryConnectorOptions = {},
): { readonly system: MemorySystem; readonly connector: Connector; readonly tick: () => void } {
  let now = Date.UTC(2026, 0, 1);
  const system = createMemorySystem({ streams: [THING], now: () => now });
  const tick = (): void => {
    now += 1_000;
  };
  for (let id = 1; id <= count; id += 1) {
    system.put("Thing", { Id: id, Name: `n${id}` });
    tick();
  }
  return { system, connector: createMemoryConnector(system, options), tick };
}

async function pagesOf(connector: Connector, request: ReadRequest): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for await (const page of connector.read(request, never)) pages.push(page);
  return pages;
}

const keysOf = (pages: readonly Page[]): readonly (readonly string[])[] =>
  pages.map((page) => page.records.map((record) => record.key));

const changesSince = (since: Cursor, overlapMs: number): ReadRequest => ({
  kind: "changes",
  query,
  since,
  overlapMs,
});

test("records out of sight leave short and empty pages behind", async () => {
  const { system, connector } = createThings(6, { pageSize: () => 2 });
  for (const hidden of ["2", "3", "4"]) system.hide("Thing", key(hidden));
  assert.deepEqual(keysOf(await pagesOf(connector, WALK)), [["1"], [], ["5", "6"]]);
  assert.equal((await connector.head(query, never)).count, 3);
});

test("hiding and showing again leaves no trace in changes or deletions", async () => {
  const { system, connector } = createThings(2);
  const head = await connector.head(query, never);
  system.hide("Thing", key("1"));
  system.unhide("Thing", key("1"));
  assert.deepEqual(await connector.head(query, never), head);
});

test("a silent edit changes the values and not the time", async () => {
  const { system } = createThings(1);
  const before = system.row("Thing", key("1"));
  system.edit("Thing", key("1"), { Name: "new" }, { silent: true });
  const after = system.row("Thing", key("1"));
  assert.equal(after?.values["Name"], "new");
  assert.equal(after?.time, before?.time);
});

test("a late commit is found by an overlap and not without one", async () => {
  const { system, connector } = createThings(3);
  const [page] = await pagesOf(
    connector,
    changesSince(JSON.stringify({ kind: "changes", time: "", key: null }) as Cursor, 0),
  );
  assert.ok(page);
  system.put("Thing", { Id: 9 }, { at: Date.UTC(2026, 0, 1) });
  assert.deepEqual(keysOf(await pagesOf(connector, changesSince(page.cursor, 0))), []);
  assert.deepEqual(keysOf(await pagesOf(connector, changesSince(page.cursor, 2_000))), [
    ["1", "9", "2", "3"],
  ]);
});

test("integer keys are walked by number", async () => {
  const { connector } = createThings(11, { pageSize: () => 100 });
  const [keys] = keysOf(await pagesOf(connector, WALK));
  assert.deepEqual(keys?.slice(-3), ["9", "10", "11"]);
});

test("what breaks the schema is told as bad, without its key where it has none", async () => {
  const { system, connector } = createThings(1);
  system.put("Thing", { Id: null, Name: "x" });
  system.put("Thing", { Id: 2, Name: 5 });
  system.put("Thing", { Id: 3, Name: "too long" });
  const [page] = await pagesOf(connector, WALK);
  assert.deepEqual(
    page?.bad.map((bad) => [bad.key, bad.problems[0]?.code, bad.problems[0]?.field]),
    [
      [undefined, "RECORD_KEY_MISSING", undefined],
      ["2", "RECORD_TYPE_MISMATCH", "Name"],
      ["3", "RECORD_TYPE_MISMATCH", "Name"],
    ],
  );
  const [marks] = await pagesOf(connector, { ...WALK, projection: "key" });
  assert.deepEqual([marks?.marks.map((mark) => mark.key), marks?.bad.length], [["1", "2", "3"], 1]);
});

test("people edit before a page is read, and the page shows it", async () => {
  const { system, connector } = createThings(2, {
    pageSize: () => 1,
    beforePage: async ({ kind }) => {
      assert.equal(kind, "walk");
      if (system.row("Thing", key("2"))) system.remove("Thing", key("2"));
    },
  });
  assert.deepEqual(keysOf(await pagesOf(connector, WALK)), [["1"]]);
});

test("a key that was deleted and made anew stands in the feed and is served", async () => {
  const { system, connector, tick } = createThings(2);
  const { deletions } = await connector.head(query, never);
  assert.ok(deletions);
  system.remove("Thing", key("1"));
  tick();
  system.put("Thing", { Id: 1 });
  const [page] = await pagesOf(connector, {
    kind: "deletions",
    query,
    since: deletions,
    overlapMs: 0,
  });
  assert.deepEqual(page?.tombstones, [{ key: "1", deletedAt: "2026-01-01T00:00:02Z" }]);
  assert.deepEqual(keysOf(await pagesOf(connector, { kind: "keys", query, keys: [key("1")] })), [
    ["1"],
  ]);
});

test("a new field is absent until a record is edited", async () => {
  const { system, connector } = createThings(2);
  system.addField("Thing", { name: "Extra", type: { kind: "text" }, nullable: true });
  system.edit("Thing", key("2"), { Extra: null });
  const [schema] = await connector.discover(never);
  assert.ok(schema);
  const [page] = await pagesOf(connector, { ...WALK, query: { schema } });
  assert.deepEqual(
    page?.records.map((record) => record.values.at(-1)),
    [undefined, null],
  );
});

test("a field that the system does not have is refused", async () => {
  const { connector } = createThings(1);
  const fields = [
    ...THING.fields,
    { name: "Old", type: { kind: "text" }, nullable: true } as const,
  ];
  await assert.rejects(pagesOf(connector, { ...WALK, query: { schema: { ...THING, fields } } }), {
    code: "FIELD_UNKNOWN",
    message: 'Stream "Thing" has no field "Old"; it has Id, Name, ModifiedAt.',
  });
});
