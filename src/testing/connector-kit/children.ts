import assert from "node:assert/strict";
import { fieldIndex, type StreamSchema } from "../../model/schema.ts";
import type { Children, StreamQuery } from "../../ports/connector.ts";
import { pagesOf, recordsOf, sorted, syncErrorOf, walk } from "./reading.ts";
import { type Behaviour, type ConnectorSubject, never, schemasOf } from "./subject.ts";

/** Listing what belongs to records, and changes told by another field than the stream's own. */
export function childrenBehaviours(behaviour: Behaviour): void {
  behaviour("what belongs to records is listed whole, both ways", async (subject, t) => {
    const { connector, belonging } = subject;
    const children = connector.children?.bind(connector);
    if (belonging === undefined || children === undefined) {
      return t.skip("the subject's system has no relations");
    }
    const parent = await schemaNamed(subject, belonging.parent);
    const child = await schemaNamed(subject, belonging.child);
    const parents = recordsOf(await pagesOf(connector, walk(parent))).slice(
      0,
      connector.capabilities.keysPerRead,
    );
    const at = fieldIndex(parent, belonging.parentField);
    const values = parents.map((record) => record.values[at] ?? null);
    const rows = recordsOf(await pagesOf(connector, walk(child)));
    const link = fieldIndex(child, belonging.field);
    const expected = (value: unknown): readonly string[] =>
      sorted(
        rows.filter((row) => String(row.values[link]) === String(value)).map(({ key }) => key),
      );
    const keys = parents.map(({ key }) => key);
    const { relation, field } = belonging;
    const expanded = byName(
      await children({ kind: "expanded", query: { schema: parent }, keys, relation }, never),
    );
    const listed = byName(
      await children({ kind: "listed", query: { schema: child }, field, values }, never),
    );
    assert.deepEqual([...expanded.keys()].sort(), sorted(keys));
    for (const [index, key] of keys.entries()) {
      const value = values[index];
      const entry = expanded.get(key);
      assert.deepEqual(keysIn(child, entry), expected(value), key);
      assert.equal(String(entry?.record?.[belonging.parentField]), String(value));
      assert.deepEqual(keysIn(child, listed.get(String(value))), expected(value), key);
    }
    assert.ok([...expanded.values()].some((entry) => entry.rows.length > 0));
  });

  behaviour(
    "a record that is gone is left out, a value of none has an empty list",
    async (of, t) => {
      const { connector, belonging, people } = of;
      const children = connector.children?.bind(connector);
      if (belonging === undefined || children === undefined || people?.remove === undefined) {
        return t.skip("the subject's system has no relations, or lets nobody remove records");
      }
      const query = { schema: await schemaNamed(of, belonging.parent) };
      const child = { schema: await schemaNamed(of, belonging.child) };
      const [gone, kept] = await of.keys(belonging.parent);
      assert.ok(gone !== undefined && kept !== undefined);
      await people.remove(belonging.parent, gone);
      const { relation, field } = belonging;
      const found = await children(
        { kind: "expanded", query, keys: [gone, kept], relation },
        never,
      );
      assert.deepEqual(
        found.map((entry) => entry.of),
        [kept],
      );
      const none = "-1";
      const listed = await children({ kind: "listed", query: child, field, values: [none] }, never);
      assert.deepEqual(listed, [{ of: none, rows: [] }]);
      assert.deepEqual(await children({ kind: "expanded", query, keys: [], relation }, never), []);
    },
  );

  behaviour("a relation or a field that does not exist is FIELD_UNKNOWN", async (subject, t) => {
    const { connector, belonging } = subject;
    const children = connector.children?.bind(connector);
    if (belonging === undefined || children === undefined) {
      return t.skip("the subject's system has no relations");
    }
    const query = { schema: await schemaNamed(subject, belonging.parent) };
    const expanded = { kind: "expanded", query, keys: [], relation: "Nothing" } as const;
    const wrong = await syncErrorOf(() => children(expanded, never));
    assert.equal(wrong.code, "FIELD_UNKNOWN");
    const listed = { kind: "listed", query, field: "Nothing", values: ["1"] } as const;
    assert.equal((await syncErrorOf(() => children(listed, never))).code, "FIELD_UNKNOWN");
  });

  behaviour("changes are told by another field where it is named", async (subject, t) => {
    const { connector, retimed } = subject;
    if (retimed === undefined)
      return t.skip("the subject's system tells changes by one field only");
    const full = await schemaNamed(subject, retimed.stream);
    const schema = { ...full, modifiedAt: retimed.field };
    const query: StreamQuery = { schema, changedBy: retimed.field };
    const { changes } = await connector.head(query, never);
    assert.ok(changes !== undefined);
    const [first, second] = await subject.keys(retimed.stream);
    assert.ok(first !== undefined && second !== undefined);
    await retimed.touch([first, second]);
    const request = { kind: "changes", query, since: changes, overlapMs: 0 } as const;
    const pages = await pagesOf(connector, request);
    const read = new Map(recordsOf(pages).map((record) => [record.key, record]));
    for (const key of [first, second]) {
      const record = read.get(key);
      assert.equal(record?.modifiedAt, record?.values[fieldIndex(schema, retimed.field)]);
      assert.ok(record?.modifiedAt !== undefined);
    }
    const last = pages.at(-1)?.cursor;
    assert.ok(last !== undefined);
    const after = await pagesOf(connector, { ...request, since: last });
    assert.deepEqual(recordsOf(after), []);
  });

  behaviour("changes by a field that does not exist are FIELD_UNKNOWN", async (subject, t) => {
    const { connector, retimed } = subject;
    if (retimed === undefined)
      return t.skip("the subject's system tells changes by one field only");
    const schema = await schemaNamed(subject, retimed.stream);
    const query = { schema, changedBy: "NothingChangeTimestamp" };
    const error = await syncErrorOf(() => connector.head(query, never));
    assert.equal(error.code, "FIELD_UNKNOWN");
  });
}

async function schemaNamed(subject: ConnectorSubject, name: string): Promise<StreamSchema> {
  const schema = (await schemasOf(subject)).find((each) => each.name === name);
  assert.ok(schema, `the subject has no stream "${name}"`);
  return schema;
}

function byName(children: readonly Children[]): ReadonlyMap<string, Children> {
  return new Map(children.map((entry) => [entry.of, entry]));
}

function keysIn({ key }: StreamSchema, entry: Children | undefined): readonly string[] {
  const [field = ""] = key;
  return (entry?.rows ?? []).map((row) => String(row[field])).sort();
}
