import { link, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import { type LockPatience, sweepClaims, takeFileLock } from "./file-lock.ts";
import { type FileContent, fileVersion, fileVersionNow, readWhole } from "./load-file.ts";
import { makeFile, sweepTemporary, type WriteText } from "./new-file.ts";

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

/** Runs `act` while this process holds the lock file of that path. Throws SYSTEM_LOCKED. */
export async function withFileLock<T>(
  path: string,
  patience: LockPatience,
  act: () => Promise<T>,
): Promise<T> {
  const release = await takeFileLock(path, patience);
  try {
    await sweepClaims(path);
    await sweepTemporary({ folder: dirname(path), label: basename(path) });
    await sweepKept(path);
    return await act();
  } finally {
    await release();
  }
}
