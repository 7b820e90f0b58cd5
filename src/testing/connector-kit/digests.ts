import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { bucketOf, DIGEST_BITS, type DigestSum, sumDigests } from "../../model/digest.ts";
import type { RecordKey, StreamRecord } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { StreamQuery } from "../../ports/connector.ts";
import { pagesOf, recordsOf, syncErrorOf } from "./reading.ts";
import {
  type Behaviour,
  type ConnectorSubject,
  eachStream,
  never,
  peopleWho,
  withDigests,
} from "./subject.ts";
import { type Writer, writerOf, written } from "./writing.ts";

const SEED = 20_261_122;

/** What stands for a record without being it. */
export function digestBehaviours(behaviour: Behaviour): void {
  behaviour("digests of walks, marks, keys and changes are the same", async (subject, t) => {
    await eachDigested(subject, t, async (query) => {
      const { schema } = query;
      const walked = digestsOf(await recordsBy(subject, query));
      assert.ok(walked.size > 0);
      for (const digest of walked.values()) {
        assert.ok(Number.isInteger(digest) && digest >= 0 && digest < 2 ** DIGEST_BITS);
      }
      assert.equal(new Set(walked.values()).size, walked.size, "records have digests of their own");
      assert.deepEqual(await marked(subject, query), walked);
      const keys = [...walked.keys()].slice(0, subject.connector.capabilities.keysPerRead);
      const read = await pagesOf(subject.connector, { kind: "keys", query, keys });
      for (const [key, digest] of digestsOf(recordsOf(read))) {
        assert.equal(digest, walked.get(key));
      }
      assert.equal(recordsOf(read).length, keys.length);
      const people = subject.people?.update;
      if (!schema.traits.changes || people === undefined) return;
      const { changes: since } = await subject.connector.head(query, never);
      assert.ok(since);
      await people(schema.name, keys.slice(0, 1));
      const request = { kind: "changes", query, since, overlapMs: 0 } as const;
      const told = digestsOf(recordsOf(await pagesOf(subject.connector, request)));
      const after = digestsOf(await recordsBy(subject, query));
      for (const [key, digest] of told) assert.equal(digest, after.get(key));
    });
  });

  behaviour("sums are those of the digests, and buckets hold them", async (subject, t) => {
    await eachDigested(subject, t, async (query) => {
      const walked = digestsOf(await recordsBy(subject, query));
      for (const bits of [0, 3, 16]) {
        const sums = await subject.connector.sumDigests?.(query, bits, never);
        assert.deepEqual(inOrder(sums ?? []), inOrder(sumDigests(walked.values(), bits)));
      }
      const of = [0, 3, 5];
      const some = await marked(subject, query, { bits: 3, of });
      const wanted = [...walked].filter(([, digest]) => of.includes(bucketOf(digest, 3)));
      assert.deepEqual(some, new Map(wanted));
      assert.deepEqual(await marked(subject, query, { bits: 3, of: [] }), new Map());
    });
  });

  behaviour("sums of a filtered stream are of what the filter leaves", async (subject, t) => {
    const { filter } = subject;
    if (!filter) return t.skip("the subject names no filter");
    await eachDigested(subject, t, async (whole) => {
      if (whole.schema.name !== filter.stream) return;
      const query = { ...whole, filter: filter.text };
      const walked = digestsOf(await recordsBy(subject, query));
      assert.deepEqual([...walked.keys()].sort(), [...(await filter.keys())].sort());
      const sums = (await subject.connector.sumDigests?.(query, 4, never)) ?? [];
      assert.deepEqual(inOrder(sums), inOrder(sumDigests(walked.values(), 4)));
    });
  });

  behaviour("a digest changes with the record and with the seed", async (subject, t) => {
    const people = peopleWho(subject, t, "update");
    if (!people) return;
    await eachDigested(subject, t, async (query) => {
      const before = digestsOf(await recordsBy(subject, query));
      const other = digestsOf(await recordsBy(subject, { ...query, digestSeed: SEED + 1 }));
      for (const [key, digest] of before) assert.notEqual(other.get(key), digest);
      const [key] = before.keys();
      assert.ok(key !== undefined);
      await people.update(query.schema.name, [key]);
      const after = digestsOf(await recordsBy(subject, query));
      assert.notEqual(after.get(key), before.get(key));
      before.delete(key);
      for (const [same, digest] of before) assert.equal(after.get(same), digest);
    });
  });

  behaviour("a digest tells of the query's fields and of no others", async (subject, t) => {
    await eachDigestWriter(subject, t, async (writer, query) => {
      const { modifiedAt: _, ...timeless } = writer.schema;
      const narrow = timeless.fields.map((field) => ({
        ...query,
        schema: { ...timeless, fields: [field] },
      }));
      const [key] = await writer.keys(1);
      assert.ok(key !== undefined);
      const [[before], digestsBefore] = [
        await writer.read(key),
        await digestsIn(subject, [query, ...narrow], key),
      ];
      const change = writer.update(key, writer.writes.change(writer.schema.name));
      const [outcome] = (await subject.connector.write?.(query, [change], never)) ?? [];
      const [after] = await writer.read(key);
      const [whole, ...digests] = await digestsIn(subject, [query, ...narrow], key);
      assert.equal(written(outcome).digest, whole, "a write tells the digest that is read then");
      assert.notEqual(whole, digestsBefore[0]);
      timeless.fields.forEach(({ name }, at) => {
        const isSame = isDeepStrictEqual(before?.values[at], after?.values[at]);
        assert.equal(digests[at] === digestsBefore[at + 1], isSame, name);
      });
    });
  });

  behaviour("null and an empty text have different digests", async (subject, t) => {
    await eachDigestWriter(subject, t, async (writer, query) => {
      const { schema } = writer;
      const { fields } = schema.traits.write ?? {};
      const field = schema.fields.find(
        ({ name, type, nullable }) =>
          type.kind === "text" && nullable && fields?.includes(name) !== false,
      );
      if (field === undefined) return;
      const [key] = await writer.keys(1);
      assert.ok(key !== undefined);
      const digests: (number | undefined)[] = [];
      for (const value of [null, ""]) {
        const [outcome] = await writer.write([writer.update(key, { [field.name]: value })]);
        if (outcome?.kind !== "written") return;
        const narrow = { ...schema, fields: schema.fields.filter((one) => one === field) };
        const { modifiedAt: _, ...timeless } = narrow;
        digests.push(...(await digestsIn(subject, [{ ...query, schema: timeless }], key)));
      }
      assert.equal(digests.length, 2);
      assert.notEqual(digests[0], digests[1]);
    });
  });

  behaviour("digests that are not claimed are refused", async (subject, t) => {
    const unclaimed = {
      reason: "every stream claims the trait `digests`",
      when: ({ traits }: StreamSchema): boolean => traits.digests === undefined,
    };
    await eachStream(subject, t, unclaimed, async (schema) => {
      const { sumDigests: sums } = subject.connector;
      if (sums === undefined) return;
      const error = await syncErrorOf(() => sums({ schema, digestSeed: SEED }, 4, never));
      assert.equal(error.code, "CONNECTOR_UNSUPPORTED");
    });
  });
}

async function eachDigested(
  subject: ConnectorSubject,
  t: TestContext,
  check: (query: StreamQuery) => Promise<void>,
): Promise<void> {
  await eachStream(subject, t, withDigests, async (schema) => {
    assert.ok(subject.connector.sumDigests, "`sumDigests` is there where the trait is");
    await check({ schema, digestSeed: SEED });
  });
}

async function eachDigestWriter(
  subject: ConnectorSubject,
  t: TestContext,
  check: (writer: Writer, query: StreamQuery) => Promise<void>,
): Promise<void> {
  const writable = {
    reason: "no stream tells digests and takes writes",
    when: ({ traits }: StreamSchema): boolean =>
      traits.digests !== undefined && traits.write !== undefined,
  };
  await eachStream(subject, t, writable, async (schema) => {
    const writer = writerOf(subject, subject.connector, schema);
    await check(writer, { schema, digestSeed: SEED });
  });
}

async function recordsBy(
  { connector }: ConnectorSubject,
  query: StreamQuery,
): Promise<readonly StreamRecord[]> {
  const request = { kind: "walk", query, after: null, projection: "record" } as const;
  return recordsOf(await pagesOf(connector, request));
}

function digestsOf(records: readonly StreamRecord[]): Map<RecordKey, number> {
  return new Map(
    records.map(({ key, digest }) => {
      assert.ok(digest !== undefined, `the record "${key}" has no digest`);
      return [key, digest];
    }),
  );
}

async function marked(
  { connector }: ConnectorSubject,
  query: StreamQuery,
  buckets?: { readonly bits: number; readonly of: readonly number[] },
): Promise<Map<RecordKey, number>> {
  const pages = await pagesOf(connector, {
    kind: "walk",
    query,
    after: null,
    projection: "key",
    ...(buckets === undefined ? {} : { buckets }),
  });
  return digestsOf(pages.flatMap(({ marks }) => marks.map((mark) => ({ ...mark, values: [] }))));
}

/** The digests of one record as the queries see it. */
async function digestsIn(
  { connector }: ConnectorSubject,
  queries: readonly StreamQuery[],
  key: RecordKey,
): Promise<readonly (number | undefined)[]> {
  const digests: (number | undefined)[] = [];
  for (const query of queries) {
    const pages = await pagesOf(connector, { kind: "keys", query, keys: [key] });
    digests.push(digestsOf(recordsOf(pages)).get(key));
  }
  return digests;
}

const inOrder = (sums: readonly DigestSum[]): readonly DigestSum[] =>
  sums.toSorted((a, b) => a.bucket - b.bucket);
