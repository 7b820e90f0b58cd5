import { closeSync, existsSync, fsyncSync, openSync, rmSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import type { SqliteDatabase } from "./database.ts";

/**
 * A file beside the database that does not exist yet: `lockstep.db` gives
 * `lockstep-backup-LABEL.db`, then `lockstep-backup-LABEL-2.db` and so on.
 */
export function backupPath(path: string, label: string): string {
  const extension = extname(path);
  const stem = basename(path, extension);
  const safeLabel = label.replace(/[^\w.-]+/g, "-");
  const name = (count: number): string =>
    join(
      dirname(path),
      `${stem}-backup-${safeLabel}${count === 1 ? "" : `-${count}`}${extension || ".db"}`,
    );
  let count = 1;
  while (existsSync(name(count))) count += 1;
  return name(count);
}

/** Copies the whole database, as it is now, to a new file beside it; gives the file's path. */
export function backupDatabase(database: SqliteDatabase, label: string): string {
  const path = backupPath(database.path, label);
  try {
    database.prepare("VACUUM INTO ?").run([path]);
    syncFile(path);
    return path;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Waits until a file's content is on the disk; SQLite does not for a file it vacuums into. */
export function syncFile(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
