import assert from "node:assert/strict";
import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Page } from "../../ports/connector.ts";
import { changes, changesHead, pagesOf, resumesEverywhere, sorted } from "./reading.ts";
import {
  type Behaviour,
  type ConnectorSubject,
  eachStream,
  peopleWho,
  withEvents,
} from "./subject.ts";

/** Changes that go by the system's own events. */
export function eventsBehaviours(behaviour: Behaviour): void {
  behaviour("events tell of deleted records among the changes", async (subject, t) => {
    await eachTold(subject, t, async (schema, head, told) => {
      const pages = await pagesOf(subject.connector, changes(schema, head));
      assert.deepEqual(recordsOf(pages), sorted(told.updated), schema.name);
      assert.deepEqual(tombstonesOf(pages), sorted(told.removed), schema.name);
    });
  });

  behaviour("no page of events has a key as a record and as gone", async (subject, t) => {
    await eachTold(subject, t, async (schema, head) => {
      for (const page of await pagesOf(subject.connector, changes(schema, head))) {
        const gone = new Set(tombstonesOf([page]));
        assert.deepEqual(
          recordsOf([page]).filter((key) => gone.has(key)),
          [],
        );
      }
    });
  });

  behaviour("events resume at every page edge, deletions too", async (subject, t) => {
    await eachTold(subject, t, async (schema, head, { updated, removed }) => {
      const request = (since: Cursor): ReturnType<typeof changes> => changes(schema, since);
      const pages = await resumesEverywhere(subject.connector, changes(schema, head), request);
      assert.deepEqual(recordsOf(pages), sorted(updated));
      assert.deepEqual(tombstonesOf(pages), sorted(removed));
    });
  });

  behaviour("an overlap changes nothing where changes go by events", async (subject, t) => {
    await eachTold(subject, t, async (schema, head) => {
      const end = (await pagesOf(subject.connector, changes(schema, head))).at(-1)?.cursor;
      assert.ok(end);
      const again = await pagesOf(subject.connector, changes(schema, end, 3_600_000));
      assert.deepEqual([recordsOf(again), tombstonesOf(again)], [[], []]);
    });
  });
}

/** For each stream with events: the head, then edits and deletions in turn over two pages. */
async function eachTold(
  subject: ConnectorSubject,
  t: Parameters<typeof peopleWho>[1],
  check: (
    schema: StreamSchema,
    head: Cursor,
    told: { readonly updated: readonly RecordKey[]; readonly removed: readonly RecordKey[] },
  ) => Promise<void>,
): Promise<void> {
  const people = peopleWho(subject, t, "update", "remove");
  if (!people) return;
  await eachStream(subject, t, withEvents, async (schema) => {
    const keys = (await subject.keys(schema.name)).slice(0, 2 * subject.pageSize + 1);
    const head = await changesHead(subject.connector, schema);
    const removed = keys.filter((_key, index) => index % 3 === 1);
    const updated = keys.filter((_key, index) => index % 3 !== 1);
    for (const key of keys.toReversed()) {
      // A deleted record was edited before: its events of both kinds come to one fact.
      await people.update(schema.name, [key]);
      if (removed.includes(key)) await people.remove(schema.name, key);
    }
    await check(schema, head, { updated, removed });
  });
}

const recordsOf = (pages: readonly Page[]): readonly RecordKey[] =>
  sorted([...new Set(pages.flatMap(({ records }) => records.map(({ key }) => key)))]);

const tombstonesOf = (pages: readonly Page[]): readonly RecordKey[] =>
  sorted([...new Set(pages.flatMap(({ tombstones }) => tombstones.map(({ key }) => key)))]);
