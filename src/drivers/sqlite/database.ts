import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { SyncError } from "../../model/sync-error.ts";
import { translateSqliteError } from "./errors.ts";
import { hasTemporaryPlace } from "./temporary-place.ts";

/** What may be bound to a statement. A number is bound as it is, a bigint as a 64-bit integer. */
export type SqlParameter = null | number | bigint | string;
/** One column of a row; integers are bigints only from statements prepared with `bigints`. */
export type SqlValue = null | number | bigint | string;
export type SqlRow = readonly SqlValue[];

/** A prepared statement. Rows are arrays in the order of the columns. */
export interface SqliteStatement {
  /** Runs it; gives the number of rows it changed. */
  run(parameters?: readonly SqlParameter[]): number;
  get(parameters?: readonly SqlParameter[]): SqlRow | undefined;
  all(parameters?: readonly SqlParameter[]): readonly SqlRow[];
}

/**
 * One connection to one SQLite file: everything is synchronous, so no two callers interleave
 * within a call. Errors are SyncErrors that name the file (HOME_LOCKED, HOME_READ_ONLY, HOME_FULL,
 * HOME_UNREADABLE).
 */
export interface SqliteDatabase {
  readonly path: string;
  readonly readOnly: boolean;
  exec(sql: string): void;
  /** A statement from the cache; `bigints` reads every integer as a bigint. */
  prepare(sql: string, options?: { readonly bigints?: boolean }): SqliteStatement;
  /**
   * Runs `body` in a transaction that holds the write lock; rolls back when it throws. One that is
   * not `synced` does not wait for the disk: a power cut may take it back, never one before it.
   */
  transaction<T>(body: () => T, options?: { readonly synced?: boolean }): T;
  /** One more user of the connection; the function it gives ends that use, the last one closes. */
  retain(): () => void;
  /** Closes at once, whoever uses it. May be called twice. */
  close(): void;
}

export interface SqliteOptions {
  readonly readOnly?: boolean;
  /** How long to wait for another program's lock. Default 5000. */
  readonly busyTimeoutMs?: number;
  /** The file belongs to others: its journal mode is left as it is. */
  readonly foreign?: boolean;
}

/** Statements kept prepared; partial records of many shapes must not grow it without end. */
const STATEMENTS_MAX = 256;
const CACHE_KIBIBYTES = 32_768;
/** Of a new file; wide rows overflow smaller pages, and larger ones are rewritten whole for a row. */
const PAGE_BYTES = 8192;

/** Opens the file, making it if it is not there and `readOnly` is not set. */
export function openSqlite(path: string, options: SqliteOptions = {}): SqliteDatabase {
  const readOnly = options.readOnly ?? false;
  const connection = guarded(path, () => connect(path, options));
  const statements = new Map<string, SqliteStatement>();
  let users = 0;
  let inTransaction = false;

  const exec = (sql: string): void => guarded(path, () => connection.exec(sql));

  const prepare = (
    sql: string,
    { bigints = false }: { readonly bigints?: boolean } = {},
  ): SqliteStatement => {
    const name = bigints ? `b:${sql}` : sql;
    const known = statements.get(name);
    if (known !== undefined) return known;
    if (statements.size >= STATEMENTS_MAX) {
      const [oldest] = statements.keys();
      if (oldest !== undefined) statements.delete(oldest);
    }
    const raw = guarded(path, () => connection.prepare(sql));
    raw.setReturnArrays(true);
    if (bigints) raw.setReadBigInts(true);
    const statement = wrapStatement(path, raw);
    statements.set(name, statement);
    return statement;
  };

  const transaction = <T>(body: () => T, { synced = true } = {}): T => {
    if (inTransaction) throw new SyncError("INTERNAL", `"${path}" is already in a transaction.`);
    if (!synced) return unsynced(() => transaction(body));
    exec("BEGIN IMMEDIATE");
    inTransaction = true;
    try {
      const result = body();
      exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk makes SQLite roll back by itself; then there is nothing left to roll back.
      if (connection.isTransaction) exec("ROLLBACK");
      throw error;
    } finally {
      inTransaction = false;
    }
  };

  // With a write-ahead log that is flushed in order, a later transaction flushes this one too.
  const unsynced = <T>(body: () => T): T => {
    exec("PRAGMA synchronous = NORMAL");
    try {
      return body();
    } finally {
      exec("PRAGMA synchronous = FULL");
    }
  };

  const close = (): void => {
    statements.clear();
    if (connection.isOpen) guarded(path, () => connection.close());
  };

  const retain = (): (() => void) => {
    let released = false;
    users += 1;
    return () => {
      if (released) return;
      released = true;
      users -= 1;
      if (users === 0) close();
    };
  };

  return { path, readOnly, exec, prepare, transaction, retain, close };
}

function connect(
  path: string,
  { readOnly = false, busyTimeoutMs = 5000, foreign = false }: SqliteOptions,
): DatabaseSync {
  const connection = new DatabaseSync(path, { readOnly, timeout: busyTimeoutMs });
  try {
    if (!readOnly && !foreign) {
      connection.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
      connection.exec("PRAGMA journal_mode = WAL");
      connection.exec("PRAGMA synchronous = FULL");
    }
    connection.exec(`PRAGMA cache_size = -${CACHE_KIBIBYTES}`);
    if (!hasTemporaryPlace()) connection.exec("PRAGMA temp_store = MEMORY");
    // Opening reads nothing, so a file that is no database is only noticed here.
    connection.prepare("SELECT count(*) FROM sqlite_master").get();
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function wrapStatement(path: string, raw: StatementSync): SqliteStatement {
  // With setReturnArrays a row is an array; the types of node:sqlite do not say so.
  return {
    run: (parameters = []) =>
      guarded(path, () => Number(raw.run(...(parameters as SQLInputValue[])).changes)),
    get: (parameters = []) =>
      guarded(path, () => raw.get(...(parameters as SQLInputValue[])) as unknown as SqlRow),
    all: (parameters = []) =>
      guarded(path, () => raw.all(...(parameters as SQLInputValue[])) as unknown as SqlRow[]),
  };
}

function guarded<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw translateSqliteError(error, path);
  }
}

/** An identifier as SQL text, whatever it holds. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
