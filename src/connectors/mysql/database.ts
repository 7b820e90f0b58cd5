import {
  type Connection,
  createPool,
  type Pool,
  type PoolConnection,
  type PoolOptions,
  type ResultSetHeader,
} from "mysql2/promise";
import { isConnectionLost, translateMysqlError } from "./errors.ts";
import { type MysqlTarget, mysqlLocation } from "./url.ts";

/** A row in the order of its columns, every value as the server writes it in text. */
export type SqlRow = readonly (string | null)[];

/** What one statement of a transaction did. */
export interface Done {
  /** Rows that it inserted, deleted, or found to update. */
  readonly rows: number;
  /** The key that AUTO_INCREMENT gave, "0" where it gave none. */
  readonly insertId: string;
}

/** Statements hold their values as literals; there are no parameters. */
export interface MysqlQueries {
  all(sql: string): Promise<readonly SqlRow[]>;
}

export interface MysqlTransaction extends MysqlQueries {
  /** Runs the statements in one trip, up to the first that fails, which is thrown. */
  run(statements: readonly string[]): Promise<readonly Done[]>;
}

/** Connections to one database by one login. Errors are SyncErrors that hold no password. */
export interface MysqlDatabase extends MysqlQueries {
  /** For people; holds no secret. */
  readonly location: string;
  readonly name: string;
  /** Runs `body` in a transaction on one connection; rolls back when it throws. */
  transaction<T>(body: (transaction: MysqlTransaction) => Promise<T>): Promise<T>;
  /** One query that sees what transactions stored that have not ended. */
  uncommitted(sql: string): Promise<readonly SqlRow[]>;
  /** May be called twice. */
  close(): Promise<void>;
}

export interface MysqlOptions {
  /** Most connections that read at one time. Default 4. */
  readonly connections?: number;
  /** How long to wait for a connection. Default 15000. */
  readonly connectTimeoutMs?: number;
  /** How long a statement waits for another's lock, at least a second. Default 30. */
  readonly lockTimeoutSeconds?: number;
  /** What `@lockstep_origin` says in our sessions, so that triggers can tell our writes. */
  readonly origin?: string;
}

/**
 * Strict, so that nothing is cut or guessed in silence; a key of 0 is a key; a backslash escapes,
 * whatever the server's own mode is, since our literals are written so.
 */
const SQL_MODE =
  "STRICT_ALL_TABLES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO";

/** Opens the database; connects when first used, and again after a connection was lost. */
export function openMysql(target: MysqlTarget, options: MysqlOptions = {}): MysqlDatabase {
  const { connections = 4, lockTimeoutSeconds = 30, origin = "lockstep" } = options;
  const location = mysqlLocation(target);
  const readers = createPool(poolOptions(target, options, connections));
  // Only statements that are made here are sent in one trip; a filter never is among them.
  const writers = createPool({ ...poolOptions(target, options, 2), multipleStatements: true });
  const ready = new WeakSet<object>();
  let closing: Promise<void> | undefined;

  const setUp = [
    "SET NAMES utf8mb4",
    "SET SESSION time_zone = '+00:00'",
    `SET SESSION sql_mode = '${SQL_MODE}'`,
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    `SET SESSION innodb_lock_wait_timeout = ${lockTimeoutSeconds}`,
    `SET SESSION lock_wait_timeout = ${lockTimeoutSeconds}`,
    `SET @lockstep_origin = ${textLiteral(origin)}`,
  ];

  const using = async <T>(pool: Pool, body: (connection: PoolConnection) => Promise<T>) => {
    let connection: PoolConnection | undefined;
    try {
      connection = await pool.getConnection();
      if (!ready.has(connection.connection)) {
        for (const each of setUp) await command(connection, each);
        ready.add(connection.connection);
      }
      const result = await body(connection);
      connection.release();
      return result;
    } catch (error) {
      const translated = translateMysqlError(error, location);
      if (isConnectionLost(translated)) connection?.destroy();
      else connection?.release();
      throw translated;
    }
  };

  return {
    location,
    name: target.database,
    all: (sql) => using(readers, (connection) => rowsOf(connection, sql)),
    uncommitted: (sql) =>
      using(readers, async (connection) => {
        // For the next transaction only, which is this statement.
        await command(connection, "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED");
        return rowsOf(connection, sql);
      }),
    transaction: (body) =>
      using(writers, async (connection) => {
        await connection.query("START TRANSACTION");
        try {
          const result = await body({
            all: (sql) => rowsOf(connection, sql),
            run: async (statements) => {
              try {
                return await doneBy(connection, statements);
              } catch (error) {
                throw translateMysqlError(error, location);
              }
            },
          });
          await connection.query("COMMIT");
          return result;
        } catch (error) {
          // A connection that cannot even roll back is not used again; its server rolls back.
          await connection.query("ROLLBACK").catch(() => connection.destroy());
          throw error;
        }
      }),
    close() {
      closing ??= Promise.all([readers.end(), writers.end()]).then(() => undefined);
      return closing;
    },
  };
}

function poolOptions(
  { host, port, socket, database, user, password, sslMode, authority }: MysqlTarget,
  { connectTimeoutMs = 15_000 }: MysqlOptions,
  connectionLimit: number,
): PoolOptions {
  return {
    ...(socket === undefined ? { host, port } : { socketPath: socket }),
    database,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(sslMode === "disable"
      ? {}
      : {
          ssl: {
            rejectUnauthorized: sslMode === "verify-full",
            verifyIdentity: sslMode === "verify-full",
            ...(authority === undefined ? {} : { ca: authority }),
          },
        }),
    charset: "utf8mb4_bin",
    connectTimeout: connectTimeoutMs,
    connectionLimit,
    supportBigNumbers: true,
    bigNumberStrings: true,
    rowsAsArray: true,
    // Every value as the server writes it: nothing is rounded on the way.
    typeCast: (field) => field.string("utf8"),
  };
}

const command = async (connection: Pick<Connection, "query">, sql: string): Promise<void> => {
  await connection.query(sql);
};

async function rowsOf(connection: PoolConnection, sql: string): Promise<readonly SqlRow[]> {
  const [rows] = await connection.query(sql);
  return rows as unknown as SqlRow[];
}

async function doneBy(
  connection: PoolConnection,
  statements: readonly string[],
): Promise<readonly Done[]> {
  if (statements.length === 0) return [];
  const [results] = await connection.query(statements.join(";\n"));
  const headers = (statements.length === 1 ? [results] : results) as unknown as ResultSetHeader[];
  return headers.map(({ affectedRows, insertId }) => ({
    rows: affectedRows,
    insertId: String(insertId),
  }));
}

/** A text as a literal of the sessions made here. */
export function textLiteral(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''").replaceAll("\0", "\\0")}'`;
}

export const quoteIdentifier = (name: string): string => `\`${name.replaceAll("`", "``")}\``;
