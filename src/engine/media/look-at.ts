import { judgeDeletions } from "../../core/guard.ts";
import { folderOf, type ListedFile, planFiles } from "../../core/media.ts";
import type { FileId, FileLedger, HeldFile } from "../../model/media.ts";
import type { ParkRequest } from "../../model/parked.ts";
import { type RecordKey, recordKey } from "../../model/record.ts";
import { eachLimited } from "../limited.ts";
import { haltUnlessReleased } from "../replicate/halting.ts";
import { type FetchedFile, fetchFile } from "./fetch-file.ts";
import { listFiles, type MediaParent, type RecordListing } from "./list-files.ts";
import { commitMedia, type MediaWork, parentOf } from "./media-work.ts";

/** One file to be fetched, and what came of it. */
interface Task {
  readonly of: RecordWork;
  readonly file: ListedFile;
  readonly held?: HeldFile;
  fetched?: FetchedFile;
}

/** One record on its way: settled when none of its files is left to be fetched. */
interface RecordWork {
  readonly from: RecordListing;
  readonly held: readonly HeldFile[];
  readonly reorder: readonly HeldFile[];
  readonly unchanged: readonly HeldFile[];
  readonly gone: readonly HeldFile[];
  readonly tasks: Task[];
  left: number;
}

/**
 * Brings the files of some records up to date. First it is noted whose files may from now on be
 * half done; then each record is committed as soon as its files are there, and only after that is
 * taken away what it no longer needs: so nothing is ever recorded that is not stored, and what a
 * crash leaves stored but not recorded is found by the note.
 */
export async function lookAt(work: MediaWork, parents: readonly MediaParent[]): Promise<void> {
  const keys = parents.map(({ key }) => key);
  const { home, spec } = work.context;
  const held = groupByParent(await home.heldFiles(spec.name, work.spec.stream, keys));
  const listings = await listFiles(work, parents, (key) => held.get(key)?.length ?? 0);
  const records: RecordWork[] = [];
  for (const listing of listings) {
    records.push(await planRecord(work, listing, held.get(listing.parent.key) ?? []));
  }
  const { position } = work;
  await commitMedia(work, {
    position: { ...position, state: { ...position.state, pending: keys } },
  });
  for (const record of records) if (record.left === 0) await settleRecord(work, record);
  await fetchAll(work, records);
  work.tally.walked += parents.length;
}

function groupByParent(files: readonly HeldFile[]): Map<RecordKey, HeldFile[]> {
  const groups = new Map<RecordKey, HeldFile[]>();
  for (const file of files) {
    const group = groups.get(file.parent);
    if (group === undefined) groups.set(file.parent, [file]);
    else group.push(file);
  }
  return groups;
}

async function planRecord(
  work: MediaWork,
  from: RecordListing,
  held: readonly HeldFile[],
): Promise<RecordWork> {
  const plan = planFiles(from.listing, held);
  const lost = work.checksStore ? await lostFiles(work, plan.unchanged, from) : [];
  const isLost = new Set(lost.map(({ file }) => file.media));
  const record: RecordWork = {
    from,
    held,
    reorder: plan.reorder,
    unchanged: plan.unchanged.filter(({ media }) => !isLost.has(media)),
    gone: plan.gone,
    tasks: [],
    left: 0,
  };
  for (const each of [...plan.fetch, ...lost]) record.tasks.push({ of: record, ...each });
  record.left = record.tasks.length;
  return record;
}

/** Held files that are not where they should be are fetched again. */
async function lostFiles(
  { store }: MediaWork,
  held: readonly HeldFile[],
  { listing }: RecordListing,
): Promise<readonly { readonly file: ListedFile; readonly held: HeldFile }[]> {
  const lost: { readonly file: ListedFile; readonly held: HeldFile }[] = [];
  for (const own of held) {
    if ((await store.size(own.path)) === own.size) continue;
    const file = listing.files.find(({ media }) => media === own.media);
    if (file !== undefined) lost.push({ file, held: own });
  }
  return lost;
}

/** The first trouble that concerns all files stops the others, and is thrown when they stand still. */
async function fetchAll(work: MediaWork, records: readonly RecordWork[]): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([work.signal, stop.signal]);
  let failure: { readonly error: unknown } | undefined;
  const tasks = records.flatMap((record) => record.tasks);
  await eachLimited(tasks, work.media.concurrency, async (task) => {
    if (failure !== undefined) return;
    try {
      signal.throwIfAborted();
      task.fetched = await fetchFile(work, task.of.from, task.file, signal);
      task.of.left -= 1;
      if (task.of.left === 0) await settleRecord(work, task.of);
    } catch (error) {
      failure ??= { error };
      stop.abort(new Error("Another file's trouble stopped this one."));
    }
  });
  if (failure !== undefined) throw failure.error;
}

async function settleRecord(work: MediaWork, record: RecordWork): Promise<void> {
  const { from, gone } = record;
  const { key } = from.parent;
  const isEmptied = gone.length > 0 && gone.length === record.held.length && from.rows === 0;
  if (from.isProven && isEmptied) await guardEmptied(work, key);
  const { hold, park, settled, obsolete, ledger } = outcomeOf(work, record);
  const removed = from.isProven ? gone : [];
  if (!from.isProven) park.push(unprovenEntry(from, record.held.length));
  const parkedNow = new Set(park.map((entry) => entry.key));
  const unpark = [...work.parked]
    .filter(([, parent]) => parent === key)
    .flatMap(([entry]) => (parkedNow.has(entry) || !isSettled(entry, key, settled) ? [] : [entry]));
  await commitMedia(work, {
    hold,
    forget: removed.map(({ parent, media }): FileId => ({ parent, media })),
    park,
    unpark,
    ledger: {
      ...ledger,
      removed: removed.length,
      kept: gone.length - removed.length,
    },
  });
  for (const { path } of [...obsolete, ...removed]) await work.store.remove(path);
}

/** Whole lists that became empty one after the other are a disaster, whatever the records say. */
async function guardEmptied(work: MediaWork, key: RecordKey): Promise<void> {
  const { home, spec } = work.context;
  const candidates = work.tally.emptied + 1;
  const { records } = await home.heldTotals(spec.name, work.spec.stream);
  // What was removed in this run was held when it began.
  const rows = records + work.tally.emptied;
  const verdict = judgeDeletions({ candidates, rows }, spec.guard);
  await haltUnlessReleased(work, verdict, {
    lane: "media",
    // A release of this is none of files whose records are gone.
    walkId: "emptied",
    candidates,
    rows,
    sample: [key],
  });
  work.tally.emptied += 1;
}

interface RecordOutcome {
  readonly hold: HeldFile[];
  readonly park: ParkRequest[];
  /** Entries of these files are settled, as are those of files listed no more. */
  readonly settled: (media: RecordKey) => boolean;
  /** Stored files that nothing names any more. */
  readonly obsolete: readonly Pick<HeldFile, "path">[];
  readonly ledger: Partial<FileLedger>;
}

function outcomeOf(work: MediaWork, record: RecordWork): RecordOutcome {
  const { from, reorder, unchanged, tasks } = record;
  const hold: HeldFile[] = [...reorder];
  const park: ParkRequest[] = [];
  const obsolete: Pick<HeldFile, "path">[] = [];
  const failed = new Set<RecordKey>();
  const count = { fetched: 0, refreshed: reorder.length, gone: 0, bytes: 0 };
  for (const { file, held, fetched } of tasks) {
    if (fetched === undefined || fetched.kind === "gone") count.gone += 1;
    else if (fetched.kind === "failed") {
      failed.add(file.media);
      park.push(parkedFile(from.parent.key, file, fetched.problem));
    } else {
      const isSame = held?.hash === fetched.file.hash && !work.checksStore;
      const kept = isSame ? { ...fetched.file, path: held.path } : fetched.file;
      hold.push(kept);
      if (isSame) obsolete.push({ path: fetched.file.path });
      else if (held !== undefined) obsolete.push({ path: held.path });
      count[held === undefined ? "fetched" : "refreshed"] += 1;
      count.bytes += fetched.file.size;
    }
  }
  const { listing } = from;
  const skipped = listing.skipped.length + listing.keyless + count.gone;
  return {
    hold,
    park,
    obsolete,
    settled: (media) => !failed.has(media),
    ledger: {
      records: 1,
      listed: listing.files.length + listing.skipped.length + listing.keyless,
      fetched: count.fetched,
      refreshed: count.refreshed,
      unchanged: unchanged.length,
      skipped,
      parked: failed.size,
      bytes: count.bytes,
    },
  };
}

function isSettled(entry: RecordKey, key: RecordKey, settled: RecordOutcome["settled"]): boolean {
  if (entry === key) return true;
  const parts = JSON.parse(entry) as readonly string[];
  return parentOf(entry) === key && settled(String(parts[1]) as RecordKey);
}

function parkedFile(
  parent: RecordKey,
  { media, url, changedAt, order }: ListedFile,
  problem: ParkRequest["problems"][number],
): ParkRequest {
  return {
    key: recordKey([parent, media]),
    image: JSON.stringify({ record: parent, media, url, changedAt, order }),
    problems: [problem],
  };
}

function unprovenEntry({ parent, rows, told }: RecordListing, held: number): ParkRequest {
  const says = told === undefined ? "does not say how many it has" : `says that it has ${told}`;
  const shows = rows === 0 ? "none" : `only ${rows}`;
  const message = `The record ${says} and shows ${shows}; its ${held} held files were kept.`;
  return {
    key: parent.key,
    image: JSON.stringify({ record: parent.key, told, listed: rows, held }),
    problems: [{ code: "FILE_LIST_UNPROVEN", message }],
  };
}

/** Takes away what a crash left half done: everything stored for these records but not recorded. */
export async function settlePendingFiles(
  work: MediaWork,
  pending: readonly RecordKey[],
): Promise<void> {
  const { home, spec } = work.context;
  if (pending.length === 0) return;
  const held = await home.heldFiles(spec.name, work.spec.stream, pending);
  const keep = new Set(held.map(({ path }) => path));
  for (const key of pending) await work.store.clear(folderOf(work.media.stream, key), keep);
}
