import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { postgresMissing, postgresServer } from "../../test/postgres/server.ts";
import { openPostgres } from "../drivers/postgres/database.ts";
import { parsePostgresUrl } from "../drivers/postgres/url.ts";
import { openSqlite } from "../drivers/sqlite/database.ts";
import type { RecordKey, Values } from "../model/record.ts";
import type { Agreements, KnownRecord, SeenDigest } from "../ports/agreements.ts";
import type { Home, Lease } from "../ports/home.ts";
import type { SettledRecord } from "../ports/settlement.ts";
import { createKitClock } from "../testing/kit-clock.ts";
import { createMemoryHome } from "./memory/home.ts";
import { createPostgresHome } from "./postgres/home.ts";
import { createSqliteHome } from "./sqlite/home.ts";

const SIDES = ["a", "b"];
// Half of a surrogate pair, which no database keeps as it is, and the mark of what stands in its place.
const KEYS = ["k1", "k\ud800", "k\ud801", "\u0001k"] as readonly string[] as readonly RecordKey[];
const NAMES = ["n1", "n\ud800"];
const LINKS = [1, 2, 3];

type Side = SettledRecord["sides"][number];
type Step = { readonly records: readonly SettledRecord[] } | { readonly seen: readonly Seen[] };
interface Seen extends Omit<SeenDigest, "row"> {
  readonly side: string;
  readonly key: RecordKey;
}

const values = fc.constantFrom<Values>(["x"], ["y"], [null], [undefined]);
const hash = fc.constantFrom("h1", "h2");
const digest = fc.option(fc.nat(3), { nil: undefined });

const sideOf = (side: string): fc.Arbitrary<Side> =>
  fc
    .record({ key: fc.constantFrom(...KEYS), values, hash, digest, agrees: fc.boolean() })
    .map(({ values: returned, digest: own, ...rest }) => ({
      side,
      acknowledged: { returned, stoodFor: returned },
      ...(own === undefined ? {} : { digest: own }),
      ...rest,
    }));

const letGo = (side: string): fc.Arbitrary<SettledRecord["unlinked"][number]> =>
  fc.oneof(fc.constant({ side }), fc.record({ side: fc.constant(side), hash }));

/** A record is told of some sides, lets go of some, maybe to meet them anew, or ends. */
const recordOf = (link: number): fc.Arbitrary<SettledRecord> =>
  fc
    .record({
      told: fc.tuple(...SIDES.map((side) => fc.option(sideOf(side), { freq: 4 }))),
      unlinked: fc.tuple(
        ...SIDES.map((side) => fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, letGo(side))),
      ),
      name: fc.constantFrom(...NAMES),
      agreed: values,
      behind: fc.boolean(),
      end: fc.constantFrom("stays", "stays", "stays", "stays", "ends", "forgets"),
    })
    .map(({ told, unlinked, end, ...record }) => ({
      ...record,
      link,
      ends: end === "ends",
      ...(end === "forgets" ? { forgets: true } : {}),
      sides: told.filter((side) => side !== null),
      unlinked: unlinked.filter((side) => side !== null),
      operations: [],
      questions: [],
    }));

const seen = fc
  .record({
    side: fc.constantFrom(...SIDES),
    key: fc.constantFrom(...KEYS),
    hash,
    digest: fc.nat(3),
    agrees: fc.boolean(),
  })
  .map((one): Seen => one);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .shuffledSubarray(LINKS, { minLength: 1 })
      .chain((links) => fc.tuple(...links.map(recordOf)))
      .map((records) => ({ records })),
  },
  {
    weight: 1,
    arbitrary: fc.array(seen, { minLength: 1, maxLength: 3 }).map((one) => ({ seen: one })),
  },
);

type Subject = Home & Agreements;

async function perform(home: Subject, lease: Lease, one: Step, at: number): Promise<void> {
  const { sync } = lease;
  if ("records" in one) {
    const { records } = one;
    await home.settle({ lease, runId: "r", plan: "p", at, records, completes: false });
    return;
  }
  for (const { side, key, ...rest } of one.seen) {
    const row = (await home.known(sync, side, [key])).get(key)?.row;
    if (row !== undefined) await home.noteDigests(lease, side, [{ row, ...rest }]);
  }
}

/** All that a home tells of its links, but for the numbers of its rows. */
async function told(home: Subject, sync: string): Promise<unknown> {
  const bySide = async (side: string): Promise<unknown> => {
    const known = [...(await home.known(sync, side, KEYS)).values()];
    const walked: KnownRecord[] = [];
    for await (const batch of home.everyKnown(sync, side)) walked.push(...batch);
    const rows = await home.knownRows(
      sync,
      side,
      known.map(({ row }) => row),
    );
    return {
      known: bare(known),
      walked: bare(walked),
      rows: bare(rows),
      count: await home.knownCount(sync, side),
      buried: sorted([...(await home.buried(sync, side, KEYS)).values()]),
      doubtful: await home.doubtful(sync, side, 0, 10),
    };
  };
  return {
    links: await home.links(sync, LINKS),
    scanned: await home.scanLinks(sync, 1, 10),
    count: await home.linkCount(sync),
    named: await Promise.all(NAMES.map((name) => home.findLinks(sync, { name }))),
    sides: await Promise.all(SIDES.map(bySide)),
    candidates: await home.candidates(sync, 0, 10),
  };
}

function bare(records: readonly { readonly key: RecordKey; readonly row: number }[]): unknown {
  return sorted(records.map(({ row: _, ...rest }) => rest));
}

function sorted<T extends { readonly key: RecordKey }>(records: readonly T[]): readonly T[] {
  return [...records].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** What the home tells after each step; of a sync of its own, so that one home serves many. */
async function pagesOf(
  home: Subject,
  sync: string,
  steps: readonly Step[],
): Promise<readonly unknown[]> {
  const lease = await home.acquireLease(sync, "me", 60_000);
  const pages: unknown[] = [];
  for (const [at, one] of steps.entries()) {
    await perform(home, lease, one, at + 1);
    pages.push(await told(home, sync));
  }
  return pages;
}

async function compare(home: Subject, numRuns: number): Promise<void> {
  let runs = 0;
  const steps = fc.array(step, { minLength: 1, maxLength: 6 });
  const property = fc.asyncProperty(steps, async (own) => {
    runs += 1;
    const expected = createMemoryHome({ clock });
    assert.deepEqual(
      await pagesOf(home, `sync${runs}`, own),
      await pagesOf(expected, `sync${runs}`, own),
    );
  });
  await fc.assert(property, { numRuns });
}

const clock = createKitClock();

test("whatever is settled, a home on SQLite tells what one in memory does", async () => {
  const database = openSqlite(":memory:");
  try {
    await compare(createSqliteHome({ database, clock }), 300);
  } finally {
    database.close();
  }
});

test("and so does one on PostgreSQL", { skip: postgresMissing }, async () => {
  const server = await postgresServer();
  const database = openPostgres(parsePostgresUrl((await server.createDatabase()).schemaUrl()));
  try {
    await compare(await createPostgresHome({ database, clock }), 40);
  } finally {
    await database.close();
    await server.stop();
  }
});
