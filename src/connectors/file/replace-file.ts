import { randomUUID } from "node:crypto";
import { link, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import { type FileContent, fileVersion, fileVersionNow, readWhole } from "./load-file.ts";
import { makeFile, sweepTemporary, unwritable, type WriteText } from "./new-file.ts";

/** The state of a file that a replacement was made from; null: there was no file. */
export type SeenFile = Pick<FileContent, "version" | "hash"> | null;

/**
 * Puts a whole new file in the place of the one that was seen, in one step, unless somebody edited
 * it since: then nothing is overwritten. Meanwhile a lock file beside it keeps other Lockstep
 * processes away; people and other programs are noticed by size, times and contents. Throws
 * SYSTEM_LOCKED for an edit or a lock, DESTINATION_UNWRITABLE.
 */
export async function replaceFile(
  path: string,
  seen: SeenFile,
  fill: (write: WriteText) => Promise<void>,
): Promise<void> {
  await withFileLock(path, { patienceMs: 0 }, () => replaceSeen(path, seen, fill));
}

/**
 * The same for the holder of the lock. A hard link keeps the old file while the new one takes its
 * place: an edit that was written into it in that very moment is found there, and put back. What
 * cannot be noticed is another program that puts a file of its own in this place between the last
 * two system calls.
 */
export async function replaceSeen(
  path: string,
  seen: SeenFile,
  fill: (write: WriteText) => Promise<void>,
): Promise<void> {
  const target = { folder: dirname(path), label: basename(path) };
  let version = await unedited(path, seen);
  let kept: string | undefined;
  try {
    await makeFile({
      ...target,
      fill,
      like: seen === null ? undefined : await stat(path),
      name: async () => {
        kept = seen === null ? undefined : await keepOld(path, seen);
        version = await unedited(path, seen);
        return target.label;
      },
      last: () => {
        if (seen !== null && fileVersionNow(path) !== version) throw edited(path, "was edited");
      },
    });
    if (kept !== undefined && seen !== null && (await readWhole(kept)).hash !== seen.hash) {
      await rename(kept, path);
      throw edited(path, "was edited");
    }
  } finally {
    if (kept !== undefined) await rm(kept, { force: true }).catch(() => undefined);
  }
}

/** True for the error of a file that changed after it was seen: seen anew, it can be replaced. */
export function isEdited(error: unknown): boolean {
  return isSyncError(error) && error.details?.["edited"] === true;
}

function edited(path: string, what: string): SyncError {
  return new SyncError("SYSTEM_LOCKED", `The file "${path}" ${what} since it was read.`, {
    hint: "Nothing was overwritten; run again, then the edit is taken into account.",
    details: { edited: true },
  });
}

/** Some file systems have no hard links. */
async function keepOld(path: string, seen: NonNullable<SeenFile>): Promise<string | undefined> {
  const kept = `${keptStart(path)}${seen.hash}`;
  try {
    await link(path, kept);
    return kept;
  } catch {
    return undefined;
  }
}

const keptStart = (path: string): string => join(dirname(path), `.${basename(path)}.before-`);

/**
 * What a killed process kept: taken away where it is the file itself, or holds what its name says.
 * Otherwise somebody wrote into it after it was replaced, and nothing else has that edit: it stays.
 */
async function sweepKept(path: string): Promise<void> {
  const start = basename(keptStart(path));
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(start)) continue;
    const kept = join(dirname(path), name);
    const [old, now] = await Promise.all([stat(kept), stat(path).catch(() => undefined)]);
    const isSpare = old.ino === now?.ino && old.dev === now.dev;
    const { hash } = await readWhole(kept);
    if (isSpare || hash === name.slice(start.length)) await rm(kept, { force: true });
  }
}

/** The version of the file, which holds what was seen; throws when it does not. */
async function unedited(path: string, seen: SeenFile): Promise<string | undefined> {
  const version = await versionNow(path);
  if (version === seen?.version) return version;
  const isGone = version === undefined;
  if (!isGone && seen !== null) {
    // A file that was only touched, or copied back, holds what was seen.
    const now = await readWhole(path);
    if (now.hash === seen.hash) return now.version;
  }
  throw edited(path, isGone ? "was removed" : seen === null ? "has appeared" : "was edited");
}

async function versionNow(path: string): Promise<string | undefined> {
  try {
    return await fileVersion(path);
  } catch (error) {
    if (isSyncError(error) && error.code === "CONNECTOR_NOT_FOUND") return undefined;
    throw error;
  }
}

export interface LockPatience {
  /** How long another holder of the lock is waited for. */
  readonly patienceMs: number;
  readonly signal?: AbortSignal;
}

/** Runs `act` while this process holds the lock file of that path. Throws SYSTEM_LOCKED. */
export async function withFileLock<T>(
  path: string,
  patience: LockPatience,
  act: () => Promise<T>,
): Promise<T> {
  const lock = join(dirname(path), `.${basename(path)}.lock`);
  await takeLock(path, lock, patience);
  try {
    await sweepTemporary({ folder: dirname(path), label: basename(path) });
    await sweepKept(path);
    return await act();
  } finally {
    await rm(lock, { force: true });
  }
}

interface LockHolder {
  readonly pid: number;
  readonly host: string;
  readonly id: string;
}

/** How often the lock of another process is looked at. */
const LOOK_MS = 20;

async function takeLock(
  path: string,
  lock: string,
  { patienceMs, signal }: LockPatience,
): Promise<void> {
  const own: LockHolder = { pid: process.pid, host: hostname(), id: randomUUID() };
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    if (await isMade(lock, own)) return;
    await removeDeadLock(lock);
    if (await isMade(lock, own)) return;
    if (waitedMs >= patienceMs) break;
    await pause(LOOK_MS, signal);
  }
  throw new SyncError("SYSTEM_LOCKED", `The file "${path}" is being written by another process.`, {
    hint: `Wait for it. If none runs, remove "${lock}".`,
  });
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await setTimeout(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  signal?.throwIfAborted();
}

async function isMade(lock: string, holder: LockHolder): Promise<boolean> {
  try {
    await writeFile(lock, JSON.stringify(holder), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "EEXIST") return false;
    throw unwritable(lock, error);
  }
}

/** The lock of a process that was killed is moved away; only one of several finders succeeds. */
async function removeDeadLock(lock: string): Promise<void> {
  const text = await readFile(lock, "utf8").catch(() => undefined);
  if (text === undefined || !isDead(text)) return;
  const moved = `${lock}-${randomUUID()}`;
  try {
    await rename(lock, moved);
  } catch {
    return;
  }
  const taken = await readFile(moved, "utf8").catch(() => text);
  // A live process took the lock between the look and the move: it gets it back.
  if (taken !== text) await link(moved, lock).catch(() => undefined);
  await rm(moved, { force: true });
}

function isDead(text: string): boolean {
  let holder: Partial<LockHolder>;
  try {
    holder = JSON.parse(text) as Partial<LockHolder>;
  } catch {
    return false;
  }
  if (holder.host !== hostname() || typeof holder.pid !== "number") return false;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return (error as { readonly code?: unknown }).code === "ESRCH";
  }
}
