import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ChangeFilter, LoggedChange } from "../../model/change.ts";
import type { Cursor } from "../../model/cursor.ts";
import type { ErrorCode } from "../../model/error-codes.ts";
import type { RecordKey } from "../../model/record.ts";
import { isSyncError, type SyncError } from "../../model/sync-error.ts";
import type { Commit, Home, Lease, LogEntry } from "../../ports/home.ts";
import type { Clock } from "../../ports/runtime.ts";
import { createKitClock, type KitClock } from "../kit-clock.ts";

/** A home on an empty database. */
export interface HomeSubject {
  readonly home: Home;
  /** Another home on what the first one kept, as after a crash: the first is not closed. */
  reopen?(): Promise<Home>;
  /** Closes and removes everything. */
  close(): Promise<void>;
}

export interface HomeKitOptions {
  create(clock: Clock): Promise<HomeSubject>;
}

/** A subject with the clock its home was given. */
export interface Bench extends HomeSubject {
  readonly clock: KitClock;
}

export type Behaviour = (
  name: string,
  body: (bench: Bench, context: TestContext) => Promise<void>,
) => void;

/** Registers tests that each make and close a home. */
export function behaviours({ create }: HomeKitOptions): Behaviour {
  return (name, body) => {
    test(name, async (context) => {
      const clock = createKitClock();
      const subject = await create(clock);
      try {
        await body({ ...subject, clock }, context);
      } finally {
        await subject.close();
      }
    });
  };
}

export const key = (text: string): RecordKey => text as RecordKey;
export const cursor = (text: string): Cursor => text as Cursor;
export const takeLease = (home: Home, sync = "kit"): Promise<Lease> =>
  home.acquireLease(sync, "kit", 60_000);

/** A commit to stream `Property` at time 1000 in run `run`, unless told. */
export function commitOf(lease: Lease, parts: Partial<Commit> = {}): Commit {
  return { lease, runId: "run", stream: "Property", at: 1000, ...parts };
}

export const FIELDS: readonly string[] = ["ListingKey", "ListPrice", "StandardStatus"];

export const created = (
  id: string,
  image: readonly unknown[] = [id, "100", "Active"],
): LogEntry => ({
  kind: "create",
  key: key(id),
  fields: [],
  image: JSON.stringify(image),
});

export const updated = (id: string, fields: LogEntry["fields"]): LogEntry => ({
  kind: "update",
  key: key(id),
  fields,
});

/** Commits a log; gives nothing. */
export async function log(
  home: Home,
  lease: Lease,
  entries: readonly LogEntry[],
  parts: Partial<Commit> = {},
): Promise<void> {
  await home.commit(commitOf(lease, { log: { fieldNames: FIELDS, entries }, ...parts }));
}

export async function changesOf(home: Home, filter: ChangeFilter = {}): Promise<LoggedChange[]> {
  const found: LoggedChange[] = [];
  for await (const change of home.changes(filter)) found.push(change);
  return found;
}

/** The keys of the matching changes, in the order they come. */
export async function changedKeys(home: Home, filter: ChangeFilter = {}): Promise<string[]> {
  return (await changesOf(home, filter)).map((change) => change.key);
}

/** Waits for a rejection with the code, and gives it. */
export async function rejected(work: Promise<unknown>, code: ErrorCode): Promise<SyncError> {
  const error = await work.then(
    () => assert.fail(`expected ${code}, but it went through`),
    (reason: unknown) => reason,
  );
  if (!isSyncError(error)) throw error;
  assert.equal(error.code, code, error.message);
  return error;
}
