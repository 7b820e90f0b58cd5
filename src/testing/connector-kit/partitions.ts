import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { isSyncError } from "../../model/sync-error.ts";
import type { ReadRequest, StreamQuery, WalkRange } from "../../ports/connector.ts";
import { keysOf, pagesOf, resumesEverywhere, sorted } from "./reading.ts";
import {
  type Behaviour,
  type ConnectorSubject,
  eachStream,
  everyStream,
  never,
  peopleWho,
  schemasOf,
} from "./subject.ts";

/** Reading a stream in parts. */
export function partitionBehaviours(behaviour: Behaviour): void {
  behaviour("parts of a stream hold every record once", async (subject, t) => {
    await eachDivided(subject, t, async (schema) => {
      for (const count of [2, 3, 7]) {
        const ranges = await divide(subject, { schema }, count);
        assert.ok(ranges.length >= 1 && ranges.length <= count, `${ranges.length} of ${count}`);
        const found = await keysByPart(subject, { schema }, ranges);
        assert.deepEqual(sorted(found.flat()), sorted(await subject.keys(schema.name)));
      }
    });
  });

  behaviour("parts join each other and are open at both ends", async (subject, t) => {
    await eachDivided(subject, t, async (schema) => {
      const ranges = await divide(subject, { schema }, 3);
      assert.equal(ranges[0]?.after, null);
      assert.equal(ranges.at(-1)?.upTo, null);
      for (const [index, { upTo }] of ranges.slice(0, -1).entries()) {
        assert.notEqual(upTo, null);
        assert.equal(ranges[index + 1]?.after, upTo);
      }
      assert.deepEqual(JSON.parse(JSON.stringify(ranges)), ranges);
    });
  });

  behaviour("parts are of about equal size", async (subject, t) => {
    await eachDivided(subject, t, async (schema) => {
      const ranges = await divide(subject, { schema }, 2);
      const sizes = (await keysByPart(subject, { schema }, ranges)).map((keys) => keys.length);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      for (const size of sizes) {
        assert.ok(Math.abs(size - total / sizes.length) <= total / 4 + 1, sizes.join(" and "));
      }
    });
  });

  behaviour("a part resumes at every page edge", async (subject, t) => {
    await eachDivided(subject, t, async (schema) => {
      for (const range of await divide(subject, { schema }, 3)) {
        for (const projection of projections(schema)) {
          const from = (after: Cursor | null): ReadRequest => ({
            ...partOf({ schema }, range, projection),
            after,
          });
          await resumesEverywhere(subject.connector, from(null), from);
        }
      }
    });
  });

  behaviour("parts outlive the record at their edge and the connector", async (subject, t) => {
    const people = peopleWho(subject, t, "create", "remove");
    if (!people || !subject.reopen) return;
    await eachDivided(subject, t, async (schema) => {
      const ranges = await divide(subject, { schema }, 3);
      const edge = ranges[0]?.upTo ?? null;
      assert.ok(edge !== null);
      await people.remove(schema.name, edge);
      await people.create(schema.name);
      const next = (await subject.reopen?.()) ?? subject.connector;
      const found = await keysByPart({ ...subject, connector: next }, { schema }, ranges);
      assert.deepEqual(sorted(found.flat()), sorted(await subject.keys(schema.name)));
    });
  });

  behaviour("parts of a filtered stream hold what the filter leaves", async (subject, t) => {
    const { filter } = subject;
    if (!filter) return t.skip("the subject names no filter");
    const schema = (await schemasOf(subject)).find(({ name }) => name === filter.stream);
    assert.ok(schema);
    const query = { schema, filter: filter.text };
    if ((await divideOrNot(subject, query, 3)) === undefined) {
      return t.skip("the stream with the filter cannot be divided");
    }
    const found = await keysByPart(subject, query, await divide(subject, query, 3));
    assert.deepEqual(sorted(found.flat()), sorted(await filter.keys()));
  });
}

/** Runs `check` for each stream that is large enough, and can be, divided. */
async function eachDivided(
  subject: ConnectorSubject,
  t: TestContext,
  check: (schema: StreamSchema) => Promise<void>,
): Promise<void> {
  let divided = 0;
  await eachStream(subject, t, everyStream, async (schema) => {
    if (((await divideOrNot(subject, { schema }, 3))?.length ?? 0) < 2) return;
    divided += 1;
    await check(schema);
  });
  if (divided === 0) t.skip("no stream of the subject can be divided");
}

/** Undefined for a stream that cannot be; any other refusal is the test's end. */
async function divideOrNot(
  subject: ConnectorSubject,
  query: StreamQuery,
  count: number,
): Promise<readonly WalkRange[] | undefined> {
  // A walk begins so, and some servers are got to know by it.
  await subject.connector.head(query, never);
  try {
    return await subject.connector.partition?.(query, count, never);
  } catch (error) {
    if (isSyncError(error) && error.code === "CONNECTOR_UNSUPPORTED") return undefined;
    throw error;
  }
}

async function divide(
  subject: ConnectorSubject,
  query: StreamQuery,
  count: number,
): Promise<readonly WalkRange[]> {
  const ranges = await divideOrNot(subject, query, count);
  assert.ok(ranges, "the stream could be divided a moment ago");
  return ranges;
}

const projections = (schema: StreamSchema): readonly ("record" | "key")[] =>
  schema.traits.sweep ? ["record", "key"] : ["record"];

function partOf(
  query: StreamQuery,
  range: WalkRange,
  projection: "record" | "key" = "record",
): Extract<ReadRequest, { readonly kind: "walk" }> {
  return { kind: "walk", query, after: null, projection, range };
}

async function keysByPart(
  subject: ConnectorSubject,
  query: StreamQuery,
  ranges: readonly WalkRange[],
): Promise<readonly (readonly RecordKey[])[]> {
  const parts: (readonly RecordKey[])[] = [];
  for (const range of ranges) {
    parts.push(keysOf(await pagesOf(subject.connector, partOf(query, range))));
  }
  return parts;
}
