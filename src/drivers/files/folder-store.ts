import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import {
  access,
  type FileHandle,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSyncError, SyncError } from "../../model/sync-error.ts";
import type { FileStore, StoredFile } from "../../ports/files.ts";

/** Beginning of the names of files that are still written. */
const PART = ".part-";

let parts = 0;

/**
 * Files in a folder, which is made when the first one comes. A file is written under another name
 * beside its own, read back, and renamed.
 */
export function createFolderStore(folder: string): FileStore {
  const refuse = (what: string, error: unknown): never => {
    if (isSyncError(error) || !isSystemError(error)) throw error;
    const reason = REASONS[error.code ?? ""] ?? error.message;
    throw new SyncError(
      "FILE_STORE_REFUSED",
      `The folder for files "${folder}" cannot be ${what}: ${reason}.`,
      { cause: error },
    );
  };
  return {
    location: folder,
    async check() {
      try {
        await access(await nearestFolder(folder), constants.W_OK | constants.X_OK);
      } catch (error) {
        refuse("written", error);
      }
    },
    async put(path, content, _about, signal) {
      const target = join(folder, path);
      parts += 1;
      const temporary = join(dirname(target), `${PART}${process.pid}-${parts}`);
      try {
        await mkdir(dirname(target), { recursive: true });
        const written = await writeWhole(temporary, content, signal);
        const found = await hashOf(temporary);
        if (found.hash !== written.hash || found.size !== written.size) {
          throw new SyncError(
            "FILE_STORE_REFUSED",
            `The file "${target}" reads back otherwise than it was written.`,
          );
        }
        signal.throwIfAborted();
        await rename(temporary, target);
        await syncFolder(dirname(target));
        return written;
      } catch (error) {
        await rm(temporary, { force: true }).catch(() => undefined);
        signal.throwIfAborted();
        return refuse("written", error);
      }
    },
    async size(path) {
      try {
        return (await stat(join(folder, path))).size;
      } catch (error) {
        return isMissing(error) ? undefined : refuse("read", error);
      }
    },
    read: (path) => createReadStream(join(folder, path)),
    async remove(path) {
      try {
        await rm(join(folder, path), { force: true });
        await removeEmpty(dirname(join(folder, path)));
      } catch (error) {
        refuse("written", error);
      }
    },
    async clear(prefix, keep) {
      try {
        return await clearFolder(folder, prefix, keep);
      } catch (error) {
        return refuse("written", error);
      }
    },
    close: async () => undefined,
  };
}

/** The folder, or the one in which it would be made. */
async function nearestFolder(folder: string): Promise<string> {
  const found = await stat(folder).catch((error: unknown) => {
    if (isSystemError(error) && error.code === "ENOENT" && dirname(folder) !== folder) return;
    throw error;
  });
  if (found === undefined) return nearestFolder(dirname(folder));
  if (found.isDirectory()) return folder;
  throw new SyncError("FILE_STORE_REFUSED", `"${folder}", where a folder is wanted, is a file.`);
}

async function writeWhole(
  path: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<StoredFile> {
  const hash = createHash("sha256");
  let size = 0;
  const file = await open(path, "w");
  try {
    for await (const chunk of content) {
      signal.throwIfAborted();
      hash.update(chunk);
      size += chunk.length;
      await writeAll(file, chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { size, hash: hash.digest("hex") };
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    at += (await file.write(chunk, at, chunk.length - at)).bytesWritten;
  }
}

async function hashOf(path: string): Promise<StoredFile> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, hash: hash.digest("hex") };
}

/** After this the new name outlives a loss of power; not every system can. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

async function clearFolder(
  root: string,
  prefix: string,
  keep: ReadonlySet<string>,
): Promise<number> {
  const entries = await readdir(join(root, prefix), { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    },
  );
  let removed = 0;
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    if (keep.has(path.slice(join(root, "/").length).replaceAll("\\", "/"))) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  await removeEmpty(join(root, prefix));
  return removed;
}

/** Only an empty folder can be removed so. */
async function removeEmpty(path: string): Promise<void> {
  await rmdir(path).catch(() => undefined);
}

interface SystemError extends Error {
  readonly code?: string;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && "syscall" in error;
}

function isMissing(error: unknown): boolean {
  return isSystemError(error) && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  ENOTDIR: "a part of the path is a file",
  EEXIST: "a part of the path is a file",
  EISDIR: "there is a folder of that name",
  EMFILE: "too many files are open",
};
