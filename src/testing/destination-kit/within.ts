import assert from "node:assert/strict";
import type { Cursor } from "../../model/cursor.ts";
import type { Destination } from "../../ports/destination.ts";
import type { Commit, Home, Lease } from "../../ports/home.ts";
import {
  type Behaviour,
  batch,
  type DestinationSubject,
  field,
  INT64,
  LISTING,
  listing,
  rejected,
  row,
  streamOf,
  TEXT,
  tableOf,
} from "./subject.ts";

interface Shared {
  readonly home: Home;
  readonly within: NonNullable<Destination["within"]>;
  readonly lease: Lease;
}

async function shared(subject: DestinationSubject): Promise<Shared | undefined> {
  const { home, destination } = subject;
  if (home === undefined || destination.within === undefined) return undefined;
  const lease = await home.acquireLease("kit", "kit", 60_000);
  return { home, within: destination.within, lease };
}

const WHY = "the home is another database, so rows cannot be part of its commits";

const commitOf = (lease: Lease, parts: Partial<Commit>): Commit => ({
  lease,
  runId: "run",
  stream: "Property",
  at: 1000,
  ...parts,
});

const WALKED: NonNullable<Commit["checkpoints"]> = [
  { lane: "walk", cursor: "c1" as Cursor, state: {} },
];

export function withinBehaviours(behaviour: Behaviour): void {
  const table = tableOf(LISTING);

  behaviour("within: rows and checkpoint appear together", async (subject, context) => {
    const pair = await shared(subject);
    if (pair === undefined) return context.skip(WHY);
    await subject.destination.prepare(table);
    const step = pair.within(batch(table, { upserts: [listing("a")] }));
    assert.equal(await subject.destination.count(table), 0);
    await pair.home.commit(commitOf(pair.lease, { step, checkpoints: WALKED }));
    assert.equal(await subject.destination.count(table), 1);
    assert.equal((await pair.home.checkpoint("kit", "Property", "walk"))?.cursor, "c1");
  });

  behaviour("within: a fenced commit writes no row", async (subject, context) => {
    const pair = await shared(subject);
    if (pair === undefined) return context.skip(WHY);
    await subject.destination.prepare(table);
    await pair.home.acquireLease("kit", "kit", 60_000);
    const step = pair.within(batch(table, { upserts: [listing("a")] }));
    const commit = commitOf(pair.lease, { step, checkpoints: WALKED });
    await rejected(pair.home.commit(commit), "HOME_FENCED");
    assert.equal(await subject.destination.count(table), 0);
    assert.equal(await pair.home.checkpoint("kit", "Property", "walk"), undefined);
  });

  behaviour("within: a refused record undoes the whole commit", async (subject, context) => {
    const pair = await shared(subject);
    if (pair === undefined) return context.skip(WHY);
    const typed = tableOf(streamOf([field("Id", TEXT), field("Count", INT64)]));
    await subject.destination.prepare(typed);
    const upserts = [row("a", ["a", "1"]), row("bad", ["bad", "1x"])];
    const step = pair.within(batch(typed, { upserts }));
    const error = await pair.home
      .commit(commitOf(pair.lease, { step, checkpoints: WALKED }))
      .catch((reason) => reason);
    if (error === undefined) return context.skip("it has no types, so it refuses nothing");
    assert.equal(error.code, "RECORD_REFUSED", error.message);
    assert.equal(error.context.key, "bad");
    assert.equal(await subject.destination.count(typed), 0);
    assert.equal(await pair.home.checkpoint("kit", "Property", "walk"), undefined);
  });

  behaviour("within: a home's failure after the rows undoes them", async (subject, context) => {
    const pair = await shared(subject);
    if (pair === undefined) return context.skip(WHY);
    await subject.destination.prepare(table);
    const write = pair.within(batch(table, { upserts: [listing("a")] }));
    const broken = commitOf(pair.lease, {
      checkpoints: WALKED,
      step: async (connection) => {
        await write(connection);
        throw new Error("after the rows");
      },
    });
    await assert.rejects(pair.home.commit(broken));
    assert.equal(await subject.destination.count(table), 0);
    assert.equal(await pair.home.checkpoint("kit", "Property", "walk"), undefined);
  });

  behaviour("within: another database's transaction is refused", async (subject, context) => {
    const pair = await shared(subject);
    if (pair === undefined) return context.skip(WHY);
    await subject.destination.prepare(table);
    const step = pair.within(batch(table, { upserts: [listing("a")] }));
    await assert.rejects(async () => step({}));
    assert.equal(await subject.destination.count(table), 0);
  });
}
