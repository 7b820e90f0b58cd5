import { randomUUID } from "node:crypto";
import { renameSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { isSyncError, SyncError } from "../../model/sync-error.ts";

/** Adds text, in UTF-8, or bytes to the file being made. */
export type WriteText = (piece: string | Uint8Array) => Promise<void>;

/** Text is handed to the system in pieces of about so many characters. */
const PIECE = 256 * 1024;

export interface FileOwner {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file to be made in a folder that exists. */
export interface NewFile {
  readonly folder: string;
  /** Tells its temporary files from those of other files of the folder. */
  readonly label: string;
  readonly fill: (write: WriteText) => Promise<void>;
  /** Whose permissions it gets, and whose owner where that is allowed. */
  readonly like?: FileOwner | undefined;
  /** Its name; asked for once it is filled and on the disk, right before it takes that name. */
  readonly name: () => Promise<string>;
  /** Looks once more, with nothing between it and the moment in which the file takes its name. */
  readonly last?: () => void;
}

/**
 * Makes a file as a whole or not at all: a temporary one in the same folder is filled and flushed
 * to the disk, then takes the name, in one step, from whatever had it. Throws what `fill` and `name`
 * throw, and DESTINATION_UNWRITABLE; then the old file is untouched and the temporary one is gone.
 */
export async function makeFile(file: NewFile): Promise<string> {
  const { folder, label, fill, like, name, last } = file;
  const temporary = join(folder, `${temporaryStart(label)}${randomUUID()}`);
  let path = join(folder, label);
  try {
    await writeDurably(temporary, fill, like);
    path = join(folder, await name());
    if (last === undefined) await rename(temporary, path);
    else {
      last();
      renameSync(temporary, path);
    }
    await syncFolder(folder);
    return path;
  } catch (error) {
    // What cannot be taken away now is swept up by the next run.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw unwritable(path, error);
  }
}

async function writeDurably(
  path: string,
  fill: NewFile["fill"],
  like: FileOwner | undefined,
): Promise<void> {
  const file = await open(path, "wx", like === undefined ? 0o666 : 0o600);
  try {
    if (like !== undefined) await giveTo(file, like);
    let held = "";
    await fill(async (piece) => {
      if (typeof piece !== "string") {
        const before = held;
        held = "";
        await file.writeFile(before);
        await file.writeFile(piece);
        return;
      }
      held += piece;
      if (held.length < PIECE) return;
      const full = held;
      held = "";
      await file.writeFile(full);
    });
    await file.writeFile(held);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Only an administrator may give a file away; for anyone else it stays their own. */
async function giveTo(file: FileHandle, { mode, uid, gid }: FileOwner): Promise<void> {
  if (process.platform === "win32") return;
  await file.chown(uid, gid).catch(() => undefined);
  await file.chmod(mode & 0o777);
}

const temporaryStart = (label: string): string => `.${label}.writing-`;

/** Takes away what a killed process left of such a file. Needs the lease. */
export async function sweepTemporary({
  folder,
  label,
}: Pick<NewFile, "folder" | "label">): Promise<void> {
  const start = temporaryStart(label);
  try {
    for (const name of await readdir(folder)) {
      if (name.startsWith(start)) await rm(join(folder, name), { force: true });
    }
  } catch (error) {
    throw unwritable(folder, error);
  }
}

/** Makes the folder and those above it, where they are not there. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw unwritable(folder, error);
  }
}

/** Without it a power cut could bring the old name back. Windows has no such call and no need. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "there is no space left on the disk",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than allowed",
  EACCES: "its folder's permissions do not allow it",
  EPERM: "its folder's permissions do not allow it",
  EROFS: "the disk is read-only",
  ENOTDIR: "a part of its path is a file, not a folder",
  EEXIST: "a part of its path is a file, not a folder",
  EISDIR: "a folder has its name",
  ENOENT: "its folder is gone",
  ENAMETOOLONG: "its name is too long",
  EMFILE: "too many files are open",
  EIO: "the disk fails",
};

/** An error of the file system as DESTINATION_UNWRITABLE; any other error as it is. */
export function unwritable(path: string, error: unknown): unknown {
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (isSyncError(error) || typeof code !== "string" || !/^E[A-Z0-9]+$/.test(code)) return error;
  const reason = REASONS[code] ?? `the system says ${code}`;
  return new SyncError(
    "DESTINATION_UNWRITABLE",
    `The file "${path}" cannot be written: ${reason}.`,
    { cause: error },
  );
}
