import pg from "pg";
import { SyncError } from "../../model/sync-error.ts";
import { isConnectionLost, translatePostgresError } from "./errors.ts";
import { type PostgresTarget, postgresLocation } from "./url.ts";

/** What may be bound to a statement; everything travels as text. */
export type SqlParameter = null | number | string | boolean;
/** One column of a row, as PostgreSQL writes it in text: nothing is rounded on the way. */
export type SqlValue = string | null;
export type SqlRow = readonly SqlValue[];

/** Anything statements can be sent to. Rows are arrays in the order of the columns. */
export interface PostgresQueries {
  all(sql: string, parameters?: readonly SqlParameter[]): Promise<readonly SqlRow[]>;
  get(sql: string, parameters?: readonly SqlParameter[]): Promise<SqlRow | undefined>;
  /** Runs it; gives the number of rows it changed. */
  run(sql: string, parameters?: readonly SqlParameter[]): Promise<number>;
}

/** One connection inside its transaction. */
export type PostgresTransaction = PostgresQueries & { readonly isTransaction: true };

/**
 * A pool of connections to one database by one login. Errors are SyncErrors that name the database
 * and never hold the password: HOME_UNREACHABLE, HOME_REFUSED, HOME_LOCKED, HOME_READ_ONLY,
 * HOME_FULL, HOME_UNREADABLE.
 */
export interface PostgresDatabase extends PostgresQueries {
  /** For people; holds no secret. */
  readonly target: Pick<PostgresTarget, "host" | "port" | "database" | "schema">;
  location(schema: string): string;
  /** Runs `body` in a transaction on one connection; rolls back when it throws. */
  transaction<T>(body: (transaction: PostgresTransaction) => Promise<T>): Promise<T>;
  /** The same, and everything it reads is as it was at one moment. */
  snapshot<T>(body: (transaction: PostgresTransaction) => Promise<T>): Promise<T>;
  /** True when the value is a transaction of this pool. */
  owns(connection: unknown): connection is PostgresTransaction;
  /** One more user of the pool; the function it gives ends that use, the last one closes. */
  retain(): () => Promise<void>;
  /** Closes at once, whoever uses it. May be called twice. */
  close(): Promise<void>;
}

export interface PostgresOptions {
  /** Most connections at one time. Default 10. */
  readonly connections?: number;
  /** How long to wait for a connection. Default 15000. */
  readonly connectTimeoutMs?: number;
  /** How long a statement waits for another's lock. Default 30000. */
  readonly lockTimeoutMs?: number;
}

/** A transaction whose process was stopped must not hold its locks for ever. */
const IDLE_TRANSACTION_MS = 120_000;

const TEXT_ONLY = { getTypeParser: () => (text: unknown) => text };

/** Opens a pool; connects when first used, and again after a connection was lost. */
export function openPostgres(
  target: PostgresTarget,
  options: PostgresOptions = {},
): PostgresDatabase {
  const pool = createPool(target, options);
  const location = (schema: string): string => postgresLocation(target, schema);
  const place = postgresLocation(target);
  const transactions = new WeakSet<object>();
  let users = 0;
  let closing: Promise<void> | undefined;

  const queries = (client: Pick<pg.ClientBase, "query">): PostgresQueries => {
    const send = async (
      text: string,
      values: readonly SqlParameter[] | undefined,
    ): Promise<pg.QueryArrayResult> => {
      try {
        // Without parameters a statement may be several, so none must be given.
        const config = { text, rowMode: "array" as const };
        return await client.query(
          values === undefined ? config : { ...config, values: [...values] },
        );
      } catch (error) {
        throw translatePostgresError(error, place);
      }
    };
    return {
      all: async (sql, parameters) => (await send(sql, parameters)).rows as SqlRow[],
      get: async (sql, parameters) => (await send(sql, parameters)).rows[0] as SqlRow | undefined,
      run: async (sql, parameters) => (await send(sql, parameters)).rowCount ?? 0,
    };
  };

  const within = async <T>(
    begin: string,
    body: (transaction: PostgresTransaction) => Promise<T>,
  ): Promise<T> => {
    const client = await pool.connect().catch((error: unknown) => {
      throw translatePostgresError(error, place);
    });
    const connection: PostgresTransaction = { ...queries(client), isTransaction: true };
    transactions.add(connection);
    let isBroken = false;
    try {
      await connection.run(begin);
      const result = await body(connection);
      await connection.run("COMMIT");
      return result;
    } catch (error) {
      isBroken = isConnectionLost(error) || !(await rolledBack(connection));
      throw error;
    } finally {
      transactions.delete(connection);
      client.release(isBroken);
    }
  };

  const close = (): Promise<void> => {
    closing ??= pool.end();
    return closing;
  };

  const retain = (): (() => Promise<void>) => {
    let released = false;
    users += 1;
    return async () => {
      if (released) return;
      released = true;
      users -= 1;
      if (users === 0) await close();
    };
  };

  return {
    ...queries(pool as Pick<pg.ClientBase, "query">),
    target: {
      host: target.host,
      port: target.port,
      database: target.database,
      schema: target.schema,
    },
    location,
    transaction: (body) => within("BEGIN", body),
    snapshot: (body) => within("BEGIN ISOLATION LEVEL REPEATABLE READ", body),
    owns: (connection): connection is PostgresTransaction =>
      typeof connection === "object" && connection !== null && transactions.has(connection),
    retain,
    close,
  };
}

async function rolledBack(connection: PostgresQueries): Promise<boolean> {
  return connection.run("ROLLBACK").then(
    () => true,
    () => false,
  );
}

function createPool(target: PostgresTarget, options: PostgresOptions): pg.Pool {
  const { host, port, database, user, password, sslMode, authority } = target;
  const lockTimeoutMs = options.lockTimeoutMs ?? 30_000;
  const pool = new pg.Pool({
    host,
    port,
    database,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ssl: sslSettings(sslMode, authority),
    max: options.connections ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 15_000,
    keepAlive: true,
    application_name: "lockstep",
    types: TEXT_ONLY,
    // Plain statements instead of start-up options, which poolers between here and there refuse.
    onConnect: async (client) => {
      await client.query(
        `SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET bytea_output = 'hex';
         SET extra_float_digits = 1; SET standard_conforming_strings = on;
         SET lock_timeout = ${lockTimeoutMs};
         SET idle_in_transaction_session_timeout = ${IDLE_TRANSACTION_MS}`,
      );
    },
  });
  // A connection that dies while nobody asks it anything tells so by an event, which would end the
  // process. Whoever asks it next gets the error; the pool makes a new one.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

function sslSettings(
  mode: PostgresTarget["sslMode"],
  authority: string | undefined,
): pg.PoolConfig["ssl"] {
  if (mode === "disable") return false;
  return {
    rejectUnauthorized: mode === "verify-full",
    ...(authority === undefined ? {} : { ca: authority }),
  };
}

/** Refuses a transaction of another database. */
export function ownTransaction(
  database: PostgresDatabase,
  connection: unknown,
): PostgresTransaction {
  if (database.owns(connection)) return connection;
  throw new SyncError("INTERNAL", "A write was given the transaction of another database.");
}
