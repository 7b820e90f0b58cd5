import assert from "node:assert/strict";
import { type Behaviour, never, schemasOf } from "./subject.ts";

/** What a connector says of itself and its streams. */
export function discoveryBehaviours(behaviour: Behaviour): void {
  behaviour("check answers with one line", async ({ connector }) => {
    const { summary, facts } = await connector.check(never);
    assert.match(summary, /^[^\n]+$/);
    for (const fact of facts) assert.match(fact, /^[^\n]+$/);
  });

  behaviour("discover gives the same streams each time", async ({ connector }) => {
    const first = await connector.discover(never);
    assert.ok(first.length > 0);
    assert.deepEqual(await connector.discover(never), first);
    assert.equal(new Set(first.map((schema) => schema.name)).size, first.length);
  });

  behaviour("every key field and the time field exist, once", async ({ connector }) => {
    for (const schema of await connector.discover(never)) {
      const names = schema.fields.map((field) => field.name);
      assert.equal(new Set(names).size, names.length, `"${schema.name}" repeats a field`);
      assert.ok(schema.key.length > 0, `"${schema.name}" has no key`);
      assert.equal(new Set(schema.key).size, schema.key.length);
      for (const name of [...schema.key, ...(schema.modifiedAt ? [schema.modifiedAt] : [])]) {
        assert.ok(names.includes(name), `"${schema.name}" names "${name}", which is no field`);
      }
    }
  });

  behaviour("capabilities are positive and do not change", async (subject) => {
    const { connector } = subject;
    const before = connector.capabilities;
    const copy = structuredClone(before);
    assert.ok(Number.isInteger(copy.keysPerRead) && copy.keysPerRead > 0);
    assert.ok(Number.isInteger(copy.concurrency) && copy.concurrency > 0);
    assert.ok(Object.isFrozen(before), "capabilities can be written to");
    for (const schema of await schemasOf(subject)) await connector.head({ schema }, never);
    assert.deepEqual(connector.capabilities, copy);
  });

  behaviour("the head counts what the system shows, where it claims to", async (subject) => {
    for (const schema of await schemasOf(subject)) {
      const { count } = await subject.connector.head({ schema }, never);
      const expected = schema.traits.count ? (await subject.keys(schema.name)).length : undefined;
      assert.equal(count, expected, schema.name);
    }
  });

  behaviour("the head has cursors for the claimed traits and for no others", async (subject) => {
    for (const schema of await schemasOf(subject)) {
      const head = await subject.connector.head({ schema }, never);
      assert.equal(head.changes !== undefined, schema.traits.changes, schema.name);
      assert.equal(head.deletions !== undefined, schema.traits.deletions, schema.name);
    }
  });

  behaviour("one of the streams fills three pages", async (subject) => {
    const sizes = await Promise.all(
      subject.streams.map(async (stream) => (await subject.keys(stream)).length),
    );
    assert.ok(Math.max(...sizes) > 2 * subject.pageSize, "too few records to test paging");
  });
}
