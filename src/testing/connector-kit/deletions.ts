import assert from "node:assert/strict";
import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import {
  deletions,
  deletionsHead,
  keysOf,
  keysRead,
  pagesOf,
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
  peopleWho,
  withDeletions,
} from "./subject.ts";

const HOUR_MS = 3_600_000;

/** Learning of what was deleted: from the feed where there is one, by absence everywhere. */
export function deletionsBehaviours(behaviour: Behaviour): void {
  behaviour("a deleted record is gone from walks and key lists", async (subject, t) => {
    const people = peopleWho(subject, t, "remove");
    if (!people) return;
    await eachStream(subject, t, everyStream, async (schema) => {
      const [gone, kept] = await subject.keys(schema.name);
      assert.ok(gone !== undefined && kept !== undefined);
      await people.remove(schema.name, gone);
      assert.ok(!keysOf(await pagesOf(subject.connector, walk(schema))).includes(gone));
      const read = await pagesOf(subject.connector, keysRead(schema, [gone, kept]));
      assert.deepEqual(keysOf(read), [kept]);
      if (!schema.traits.sweep) return;
      const marks = keysOf(await pagesOf(subject.connector, walk(schema, null, "key")));
      assert.ok(!marks.includes(gone));
    });
  });

  behaviour("a head taken before deletions finds their tombstones", async (subject, t) => {
    await eachThinned(subject, t, async (schema, head, removed) => {
      const found = keysOf(await pagesOf(subject.connector, deletions(schema, head)));
      assert.deepEqual(sorted(found), sorted(removed), schema.name);
    });
  });

  behaviour("deletions resume at every page edge", async (subject, t) => {
    await eachThinned(subject, t, async (schema, head) => {
      await resumesEverywhere(subject.connector, deletions(schema, head), (since) =>
        deletions(schema, since),
      );
    });
  });

  behaviour("an overlap of deletions repeats and does not skip", async (subject, t) => {
    await eachThinned(subject, t, async (schema, head, removed) => {
      const cursor = (await pagesOf(subject.connector, deletions(schema, head))).at(-1)?.cursor;
      assert.ok(cursor);
      const again = keysOf(await pagesOf(subject.connector, deletions(schema, cursor, HOUR_MS)));
      assert.deepEqual(sorted(again), sorted(removed), schema.name);
    });
  });

  behaviour("a tombstone's time is canonical", async (subject, t) => {
    await eachThinned(subject, t, async (schema, head) => {
      for (const page of await pagesOf(subject.connector, deletions(schema, head))) {
        for (const { deletedAt } of page.tombstones) {
          if (deletedAt !== undefined) {
            assert.match(deletedAt, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/);
          }
        }
      }
    });
  });

  behaviour("deletions that are not claimed are refused", async (subject, t) => {
    const unclaimed = {
      reason: "every stream claims the trait `deletions`",
      when: (schema: StreamSchema): boolean => !schema.traits.deletions,
    };
    await eachStream(subject, t, unclaimed, async (schema) => {
      const since = JSON.stringify({}) as Cursor;
      const error = await syncErrorOf(() => pagesOf(subject.connector, deletions(schema, since)));
      assert.equal(error.code, "CONNECTOR_UNSUPPORTED");
    });
  });
}

/** For each stream with a feed: the head, then more than a page of deletions, then `check`. */
async function eachThinned(
  subject: ConnectorSubject,
  t: Parameters<typeof peopleWho>[1],
  check: (schema: StreamSchema, head: Cursor, removed: readonly RecordKey[]) => Promise<void>,
): Promise<void> {
  const people = peopleWho(subject, t, "remove");
  if (!people) return;
  await eachStream(subject, t, withDeletions, async (schema) => {
    const head = await deletionsHead(subject.connector, schema);
    const removed = (await subject.keys(schema.name)).slice(0, subject.pageSize + 2);
    for (const key of removed.toReversed()) await people.remove(schema.name, key);
    await check(schema, head, removed);
  });
}
