import assert from "node:assert/strict";
import type { Cursor } from "../../model/cursor.ts";
import { type RecordKey, recordKey } from "../../model/record.ts";
import { fieldIndex, projectSchema, type StreamSchema } from "../../model/schema.ts";
import type { Value } from "../../model/value.ts";
import type { Page } from "../../ports/connector.ts";
import { isCanonical } from "./canonical.ts";
import {
  keysOf,
  pagesOf,
  recordsOf,
  resumesEverywhere,
  sorted,
  syncErrorOf,
  walk,
} from "./reading.ts";
import {
  type Behaviour,
  type ConnectorSubject,
  eachStream,
  everyStream,
  never,
  peopleWho,
  schemasOf,
  withSweep,
} from "./subject.ts";

/** Reading a stream from end to end. */
export function walkBehaviours(behaviour: Behaviour): void {
  behaviour("a walk gives every record once", async (subject, t) => {
    await eachStream(subject, t, everyStream, async (schema) => {
      const found = keysOf(await pagesOf(subject.connector, walk(schema)));
      assert.deepEqual(sorted(found), sorted(await subject.keys(schema.name)), schema.name);
    });
  });

  behaviour("records match their schema", async (subject, t) => {
    await eachStream(subject, t, everyStream, async (schema) => {
      for (const record of recordsOf(await pagesOf(subject.connector, walk(schema)))) {
        assert.equal(record.values.length, schema.fields.length);
        const parts = schema.key.map((name) => record.values[fieldIndex(schema, name)] ?? null);
        assert.ok(!parts.includes(null), `"${schema.name}" gave a record without a key`);
        assert.equal(record.key, recordKey(parts));
        if (schema.modifiedAt !== undefined) {
          const time = record.values[fieldIndex(schema, schema.modifiedAt)] ?? undefined;
          assert.equal(record.modifiedAt, time);
        }
        schema.fields.forEach((field, index) => {
          assertCanonical(schema, index, record.values[index]);
          if (!field.nullable) assert.notEqual(record.values[index], null, field.name);
        });
      }
    });
  });

  behaviour("two walks of a quiet system are equal", async (subject, t) => {
    await eachStream(subject, t, everyStream, async (schema) => {
      const first = recordsOf(await pagesOf(subject.connector, walk(schema)));
      assert.deepEqual(recordsOf(await pagesOf(subject.connector, walk(schema))), first);
    });
  });

  behaviour("a walk resumes at every page edge", async (subject, t) => {
    await eachStream(subject, t, everyStream, async (schema) => {
      await resumesEverywhere(subject.connector, walk(schema), (after) => walk(schema, after));
    });
  });

  behaviour("a page is never larger than the page size", async (subject, t) => {
    await eachStream(subject, t, everyStream, async (schema) => {
      for (const page of await pagesOf(subject.connector, walk(schema))) {
        assert.ok(page.records.length + page.bad.length <= subject.pageSize);
      }
    });
  });

  behaviour("cursors are JSON text and outlive the connector", async (subject, t) => {
    if (!subject.reopen) return t.skip("the subject cannot be opened twice");
    for (const schema of await schemasOf(subject)) {
      const pages = await pagesOf(subject.connector, walk(schema));
      const next = await subject.reopen();
      for (const [index, page] of pages.entries()) {
        const after = JSON.stringify(JSON.parse(page.cursor)) as Cursor;
        const rest = keysOf(await pagesOf(next, walk(schema, after)));
        assert.deepEqual(rest, keysOf(pages.slice(index + 1)));
      }
      await next.close();
    }
  });

  behaviour("a cursor that is none is refused", async (subject) => {
    for (const schema of await schemasOf(subject)) {
      for (const text of ["no cursor", "{}", "null", '"text"']) {
        const error = await syncErrorOf(() =>
          pagesOf(subject.connector, walk(schema, text as Cursor)),
        );
        assert.equal(error.code, "CURSOR_INVALID", text);
      }
    }
  });

  behaviour("a walk of keys gives the same keys and times", async (subject, t) => {
    await eachStream(subject, t, withSweep, async (schema) => {
      const records = recordsOf(await pagesOf(subject.connector, walk(schema)));
      const marks = (await pagesOf(subject.connector, walk(schema, null, "key"))).flatMap(
        (page) => page.marks,
      );
      assert.deepEqual(
        new Map(marks.map((mark) => [mark.key, mark.modifiedAt])),
        new Map(records.map((record) => [record.key, record.modifiedAt])),
      );
      assert.equal(marks.length, records.length);
    });
  });

  behaviour("a walk of keys resumes at every page edge", async (subject, t) => {
    await eachStream(subject, t, withSweep, async (schema) => {
      await resumesEverywhere(subject.connector, walk(schema, null, "key"), (after) =>
        walk(schema, after, "key"),
      );
    });
  });

  behaviour("a walk of keys that is not claimed is refused", async (subject, t) => {
    const unclaimed = {
      reason: "every stream claims the trait `sweep`",
      when: (schema: StreamSchema): boolean => !schema.traits.sweep,
    };
    await eachStream(subject, t, unclaimed, async (schema) => {
      const error = await syncErrorOf(() => pagesOf(subject.connector, walk(schema, null, "key")));
      assert.equal(error.code, "CONNECTOR_UNSUPPORTED");
    });
  });

  behaviour("a projection gives the named fields in its own order", async (subject, t) => {
    await eachStream(subject, t, everyStream, async (schema) => {
      const last = schema.fields.at(-1);
      assert.ok(last);
      const small = projectSchema(schema, [last.name]);
      const whole = recordsOf(await pagesOf(subject.connector, walk(schema)));
      const expected = whole.map((record) =>
        small.fields.map((field) => record.values[fieldIndex(schema, field.name)]),
      );
      const records = recordsOf(await pagesOf(subject.connector, walk(small)));
      assert.deepEqual(
        records.map((record) => record.values),
        expected,
      );
    });
  });

  behaviour("a filter leaves what it says", async (subject, t) => {
    const { filter } = subject;
    if (!filter) return t.skip("the subject names no filter");
    const schema = (await schemasOf(subject)).find(({ name }) => name === filter.stream);
    assert.ok(schema);
    const query = { schema, filter: filter.text };
    const found = keysOf(
      await pagesOf(subject.connector, { kind: "walk", query, after: null, projection: "record" }),
    );
    const expected = await filter.keys();
    assert.deepEqual(sorted(found), sorted(expected));
    assert.ok(found.length > 0 && found.length < (await subject.keys(schema.name)).length);
    const { count } = await subject.connector.head(query, never);
    if (schema.traits.count) assert.equal(count, expected.length);
  });

  behaviour("edits during a walk make it miss no record that was there", async (subject, t) => {
    const people = peopleWho(subject, t, "create", "update", "remove");
    if (!people) return;
    await eachStream(subject, t, everyStream, async (schema) => {
      const before = await subject.keys(schema.name);
      const removed = new Set<RecordKey>();
      const pages = await walkWith(subject, schema, async () => {
        const [first, second] = (await subject.keys(schema.name)).slice(-2);
        if (first !== undefined && second !== undefined) {
          await people.update(schema.name, [first]);
          await people.remove(schema.name, second);
          removed.add(second);
        }
        await people.create(schema.name);
      });
      const found = new Set(keysOf(pages));
      assert.ok(removed.size > 0 || before.length < 2, "nothing was edited during the walk");
      const missed = before.filter((key) => !found.has(key) && !removed.has(key));
      assert.deepEqual(missed, [], schema.name);
    });
  });

  behaviour("a record that breaks its schema is told, with its key", async (subject, t) => {
    const people = peopleWho(subject, t, "spoil");
    if (!people) return;
    await eachStream(subject, t, everyStream, async (schema) => {
      const before = await subject.keys(schema.name);
      const key = before[Math.floor(before.length / 2)];
      assert.ok(key !== undefined);
      await people.spoil(schema.name, key);
      const pages = await pagesOf(subject.connector, walk(schema));
      const bad = pages.flatMap((page) => page.bad);
      assert.deepEqual(
        bad.map((entry) => entry.key),
        [key],
      );
      assert.ok(bad[0]?.problems[0]?.code.startsWith("RECORD_"));
      assert.doesNotThrow(() => JSON.parse(bad[0]?.image ?? ""));
      assert.deepEqual(sorted(keysOf(pages)), sorted(before));
    });
  });

  behaviour("a stream that does not exist is refused", async (subject) => {
    const [schema] = await schemasOf(subject);
    assert.ok(schema);
    const unknown = { ...schema, name: "NoSuchStream" };
    const error = await syncErrorOf(() => pagesOf(subject.connector, walk(unknown)));
    assert.equal(error.intent, "halt");
    await assert.rejects(subject.connector.head({ schema: unknown }, never));
  });
}

function assertCanonical(schema: StreamSchema, index: number, value: Value | undefined): void {
  const field = schema.fields[index];
  if (field === undefined || value === undefined || value === null) return;
  assert.ok(
    isCanonical(field.type, value),
    `"${schema.name}.${field.name}" is not canonical for ${field.type.kind}: ${JSON.stringify(value)}`,
  );
}

/** A walk between whose first three pages somebody edits. */
async function walkWith(
  subject: ConnectorSubject,
  schema: StreamSchema,
  edit: () => Promise<void>,
): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for await (const page of subject.connector.read(walk(schema), never)) {
    pages.push(page);
    if (pages.length <= 3) await edit();
  }
  return pages;
}
