import type { ErrorCode } from "../../model/error-codes.ts";
import { SyncError } from "../../model/sync-error.ts";

/** SQLite's primary result codes that Lockstep tells apart (sqlite.org/rescode.html). */
const PRIMARY = {
  PERM: 3,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  TOOBIG: 18,
  CONSTRAINT: 19,
  MISMATCH: 20,
  NOTADB: 26,
} as const;

/** The shared-memory file could not grow: how a full disk shows itself in WAL mode. */
const IOERR_SHMSIZE = 4874;
/** A write was refused for another reason than a full disk: a quota, a limit, a broken disk. */
const IOERR_WRITE = 778;

interface Translation {
  readonly code: ErrorCode;
  readonly what: string;
}

const TRANSLATIONS: ReadonlyMap<number, Translation> = new Map([
  [PRIMARY.BUSY, { code: "HOME_LOCKED", what: "is locked by another program" }],
  [PRIMARY.LOCKED, { code: "HOME_LOCKED", what: "is locked by another program" }],
  [PRIMARY.READONLY, { code: "HOME_READ_ONLY", what: "cannot be written" }],
  [PRIMARY.PERM, { code: "HOME_READ_ONLY", what: "may not be written" }],
  [
    PRIMARY.CANTOPEN,
    {
      code: "HOME_READ_ONLY",
      what: "cannot be opened or made: its folder must exist and be writable",
    },
  ],
  [PRIMARY.FULL, { code: "HOME_FULL", what: "cannot grow: there is no space left" }],
  [
    IOERR_WRITE,
    { code: "HOME_FULL", what: "cannot grow: the disk or a quota is full, or the disk fails" },
  ],
  [PRIMARY.IOERR, { code: "HOME_UNREADABLE", what: "cannot be read or written by the disk" }],
  [PRIMARY.CORRUPT, { code: "HOME_UNREADABLE", what: "is damaged" }],
  [PRIMARY.NOTADB, { code: "HOME_UNREADABLE", what: "is not a SQLite database" }],
]);

/** The extended result code of an error that SQLite gave, or undefined for any other error. */
function sqliteResultCode(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}

/** True when SQLite refused one row (too big, a constraint, a wrong type), not the database. */
export function isRowRefusal(error: unknown): boolean {
  const cause = error instanceof SyncError ? error.cause : error;
  const primary = (sqliteResultCode(cause) ?? 0) & 0xff;
  return (
    primary === PRIMARY.TOOBIG || primary === PRIMARY.CONSTRAINT || primary === PRIMARY.MISMATCH
  );
}

/** An error of the file at `path` as a SyncError; what SQLite did not say is a bug. */
export function translateSqliteError(error: unknown, path: string): SyncError {
  if (error instanceof SyncError) return error;
  const extended = sqliteResultCode(error);
  const words = error instanceof Error ? error.message : String(error);
  const code = extended === IOERR_SHMSIZE ? PRIMARY.FULL : (extended ?? 0);
  const translation = TRANSLATIONS.get(code) ?? TRANSLATIONS.get(code & 0xff);
  if (translation === undefined) {
    return new SyncError("INTERNAL", `The database "${path}" refused a statement: ${words}.`, {
      cause: error,
    });
  }
  const message = `The database "${path}" ${translation.what} (SQLite: ${words}).`;
  return new SyncError(translation.code, message, { cause: error });
}
