import assert from "node:assert/strict";
import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import {
  changes,
  changesHead,
  keysOf,
  pagesOf,
  recordsOf,
  resumesEverywhere,
  syncErrorOf,
} from "./reading.ts";
import {
  type Behaviour,
  type ConnectorSubject,
  eachStream,
  never,
  peopleWho,
  withChanges,
  withTimedChanges,
} from "./subject.ts";

const HOUR_MS = 3_600_000;

/** Reading what was created and updated. */
export function changesBehaviours(behaviour: Behaviour): void {
  behaviour("a head taken before edits finds those edits", async (subject, t) => {
    const people = peopleWho(subject, t, "create", "update");
    if (!people) return;
    await eachStream(subject, t, withChanges, async (schema) => {
      const [first] = await subject.keys(schema.name);
      assert.ok(first !== undefined);
      const head = await changesHead(subject.connector, schema);
      await people.update(schema.name, [first]);
      const created = await people.create(schema.name);
      const found = keysOf(await pagesOf(subject.connector, changes(schema, head)));
      assert.ok(found.includes(first), `${schema.name}: the update was not found`);
      assert.ok(found.includes(created), `${schema.name}: the new record was not found`);
    });
  });

  behaviour("changes come oldest first", async (subject, t) => {
    await eachEdited(
      subject,
      t,
      async (schema, head) => {
        const times = recordsOf(await pagesOf(subject.connector, changes(schema, head))).flatMap(
          (record) => record.modifiedAt ?? [],
        );
        assert.deepEqual(times, [...times].sort(byInstant));
      },
      withTimedChanges,
    );
  });

  behaviour("changes resume at every page edge", async (subject, t) => {
    await eachEdited(subject, t, async (schema, head, edited) => {
      const pages = await resumesEverywhere(subject.connector, changes(schema, head), (since) =>
        changes(schema, since),
      );
      assert.deepEqual(
        missing(
          edited,
          pages.flatMap((page) => keysOf([page])),
        ),
        [],
      );
    });
  });

  behaviour("changes that tie over a page edge are all found", async (subject, t) => {
    const people = peopleWho(subject, t, "update");
    if (!people) return;
    await eachStream(subject, t, withChanges, async (schema) => {
      const tied = (await subject.keys(schema.name)).slice(0, 2 * subject.pageSize + 1);
      const head = await changesHead(subject.connector, schema);
      await people.update(schema.name, tied);
      const pages = await resumesEverywhere(subject.connector, changes(schema, head), (since) =>
        changes(schema, since),
      );
      assert.deepEqual(missing(tied, keysOf(pages)), []);
    });
  });

  behaviour("after the last page nothing more has changed", async (subject, t) => {
    await eachEdited(subject, t, async (schema, head) => {
      const last = (await pagesOf(subject.connector, changes(schema, head))).at(-1);
      assert.ok(last);
      const rest = await pagesOf(subject.connector, changes(schema, last.cursor));
      assert.deepEqual(keysOf(rest), []);
    });
  });

  behaviour("a cursor for changes outlives the connector", async (subject, t) => {
    const { reopen } = subject;
    if (!reopen) return t.skip("the subject cannot be opened twice");
    await eachEdited(subject, t, async (schema, head, edited) => {
      const next = await reopen();
      const since = JSON.stringify(JSON.parse(head)) as Cursor;
      const found = keysOf(await pagesOf(next, changes(schema, since)));
      assert.deepEqual(missing(edited, found), []);
      await next.close();
    });
  });

  behaviour("an overlap repeats and does not skip", async (subject, t) => {
    await eachEdited(
      subject,
      t,
      async (schema, head) => {
        const read = await pagesOf(subject.connector, changes(schema, head));
        const cursor = read.at(-1)?.cursor;
        assert.ok(cursor);
        const again = await pagesOf(subject.connector, changes(schema, cursor, HOUR_MS));
        assert.ok(keysOf(again).length > 0, `${schema.name}: the overlap repeated nothing`);
        const newest = Math.max(...recordsOf(read).map((record) => instant(record.modifiedAt)));
        const within = recordsOf(read).filter(
          (record) => instant(record.modifiedAt) > newest - HOUR_MS,
        );
        const found = new Set(keysOf(again));
        assert.deepEqual(
          within.filter((record) => !found.has(record.key)).map((record) => record.key),
          [],
        );
      },
      withTimedChanges,
    );
  });

  behaviour("a change made during the read is found by it or after it", async (subject, t) => {
    const people = peopleWho(subject, t, "create", "update");
    if (!people) return;
    await eachEdited(subject, t, async (schema, head, edited) => {
      const late: RecordKey[] = [];
      const found: RecordKey[] = [];
      let cursor = head;
      for await (const page of subject.connector.read(changes(schema, head), never)) {
        if (late.length === 0) {
          late.push(await people.create(schema.name));
          await people.update(schema.name, edited.slice(0, 1));
        }
        found.push(...keysOf([page]));
        cursor = page.cursor;
      }
      found.push(...keysOf(await pagesOf(subject.connector, changes(schema, cursor, HOUR_MS))));
      assert.deepEqual(missing([...late, ...edited], found), []);
    });
  });

  behaviour("a deleted record does not come back as a change", async (subject, t) => {
    const people = peopleWho(subject, t, "remove");
    if (!people) return;
    await eachEdited(subject, t, async (schema, head, edited) => {
      const [gone] = edited;
      assert.ok(gone !== undefined);
      await people.remove(schema.name, gone);
      const pages = await pagesOf(subject.connector, changes(schema, head));
      const found = recordsOf(pages).map(({ key }) => key);
      assert.ok(!found.includes(gone));
      assert.deepEqual(missing(edited.slice(1), found), []);
    });
  });

  behaviour("changes that are not claimed are refused", async (subject, t) => {
    const unclaimed = {
      reason: "every stream claims the trait `changes`",
      when: (schema: StreamSchema): boolean => !schema.traits.changes,
    };
    await eachStream(subject, t, unclaimed, async (schema) => {
      const since = JSON.stringify({}) as Cursor;
      const error = await syncErrorOf(() => pagesOf(subject.connector, changes(schema, since)));
      assert.equal(error.code, "CONNECTOR_UNSUPPORTED");
    });
  });
}

/**
 * For each stream with changes: the head, then edits of more than two pages of records, one by
 * one, then `check` with the head and the keys edited.
 */
async function eachEdited(
  subject: ConnectorSubject,
  t: Parameters<typeof peopleWho>[1],
  check: (schema: StreamSchema, head: Cursor, edited: readonly RecordKey[]) => Promise<void>,
  applies: Parameters<typeof eachStream>[2] = withChanges,
): Promise<void> {
  const people = peopleWho(subject, t, "update");
  if (!people) return;
  await eachStream(subject, t, applies, async (schema) => {
    const edited = (await subject.keys(schema.name)).slice(0, 2 * subject.pageSize + 1);
    const head = await changesHead(subject.connector, schema);
    for (const key of edited.toReversed()) await people.update(schema.name, [key]);
    await check(schema, head, edited);
  });
}

const missing = (expected: readonly RecordKey[], found: readonly RecordKey[]): RecordKey[] => {
  const held = new Set(found);
  return expected.filter((key) => !held.has(key));
};

const instant = (time: string | undefined): number => Date.parse(time ?? "");

/** Timestamps with unequal fractions do not sort as text. */
const byInstant = (a: string, b: string): number => instant(a) - instant(b);
