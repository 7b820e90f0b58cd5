import type { ErrorCode } from "../../model/error-codes.ts";
import { isSyncError, SyncError } from "../../model/sync-error.ts";

/** By the server's error number (mariadb.com/kb/en/mariadb-error-code-reference). */
const BY_NUMBER: ReadonlyMap<number, readonly [ErrorCode, string]> = new Map(
  (
    [
      ["CONNECTOR_UNREACHABLE", "was lost or does not answer", [1040, 1053, 1079, 1152, 1153]],
      ["CONNECTOR_UNREACHABLE", "was lost or does not answer", [1158, 1159, 1160, 1161, 1184]],
      ["CONNECTOR_UNREACHABLE", "was lost or does not answer", [1203, 1226, 1317, 1927, 4031]],
      ["CONNECTOR_UNAUTHORIZED", "refuses the login", [1044, 1045, 1049, 1130, 1251, 1275]],
      ["CONNECTOR_UNAUTHORIZED", "refuses the login", [1524, 1698, 1820, 1862, 3118, 3159, 4151]],
      ["SYSTEM_READ_ONLY", "may not be used so with this login", [1142, 1143, 1227, 1370, 1419]],
      ["SYSTEM_READ_ONLY", "cannot be written", [1036, 1223, 1290, 1792, 1836]],
      ["SYSTEM_LOCKED", "is locked by another transaction", [1020, 1205, 1206, 1213, 1099, 3572]],
      ["SYSTEM_FULL", "cannot grow: there is no space left", [1021, 1114]],
      ["SYSTEM_UNREADABLE", "is damaged", [1033, 1034, 1035, 1194, 1195, 1712, 1877]],
    ] as const
  ).flatMap(([code, what, numbers]) =>
    numbers.map((number): [number, readonly [ErrorCode, string]] => [number, [code, what]]),
  ),
);

/** The driver's and Node's own codes of a connection that could not be made or was lost. */
const NETWORK_CODES =
  /^(PROTOCOL_|ECONN|EPIPE$|ETIMEDOUT$|EHOST|ENET|ENOTFOUND$|EAI_AGAIN$|ENOENT$|POOL_CLOSED$)/;
const TLS_CODES =
  /^(HANDSHAKE_|ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO$)/;

/** Numbers of one row that a table cannot hold whose SQLSTATE does not tell so. */
const ROW_NUMBERS: ReadonlySet<number> = new Set([
  1118, 1264, 1265, 1292, 1364, 1366, 1406, 1526, 3140, 3819, 4025,
]);

interface ServerError extends Error {
  readonly errno: number;
  readonly sqlState?: string;
}

export function serverError(error: unknown): ServerError | undefined {
  const cause = isSyncError(error) ? error.cause : error;
  if (!(cause instanceof Error) || !("errno" in cause)) return undefined;
  return typeof cause.errno === "number" && cause.errno > 0 ? (cause as ServerError) : undefined;
}

/** True when the server refused one row, not the statement or the database. */
export function isRowRefusal(error: unknown): boolean {
  const { errno = 0, sqlState = "" } = serverError(error) ?? {};
  return !BY_NUMBER.has(errno) && (ROW_NUMBERS.has(errno) || /^(22|23|45)/.test(sqlState));
}

const WORDS_MAX = 200;

/** The server's own words, one line, without the record's values that it repeats. */
export function wordsOf(error: unknown): string {
  const cause = isSyncError(error) ? error.cause : error;
  const message = cause instanceof Error ? cause.message : String(cause);
  const line = message
    .replace(
      /^(Duplicate entry|(?:Incorrect|Truncated incorrect) [\w ]+ value:) '.*'(?= for)/s,
      "$1",
    )
    .replaceAll(/\s+/g, " ")
    .trim();
  return line.length > WORDS_MAX ? `${line.slice(0, WORDS_MAX)}…` : line;
}

/** True when the connection the error came from cannot be used again. */
export function isConnectionLost(error: unknown): boolean {
  return isSyncError(error) && error.code === "CONNECTOR_UNREACHABLE";
}

/** An error of the database at `location` as a SyncError; what it did not say is given back. */
export function translateMysqlError(error: unknown, location: string): unknown {
  if (isSyncError(error) || !(error instanceof Error)) return error;
  const [code, what] = translationOf(error) ?? [];
  const words = wordsOf(error);
  if (code !== undefined) {
    const message = `The database "${location}" ${what} (MySQL: ${words}).`;
    const hint = code === "CONNECTOR_UNAUTHORIZED" ? { hint: LOGIN_HINT } : {};
    return new SyncError(code, message, { cause: error, ...hint });
  }
  if (serverError(error) === undefined) return error;
  const message = `The database "${location}" refused a statement: ${words}.`;
  return new SyncError("CONNECTOR_BAD_REQUEST", message, { cause: error });
}

const LOGIN_HINT = "Correct user, password, database name or `sslmode` in the URL.";

function translationOf(error: Error): readonly [ErrorCode, string] | undefined {
  const known = BY_NUMBER.get(serverError(error)?.errno ?? 0);
  if (known !== undefined) return known;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (TLS_CODES.test(code)) {
    return ["CONNECTOR_UNAUTHORIZED", "cannot be reached with TLS as `sslmode` wants it"];
  }
  const isLost = NETWORK_CODES.test(code) || /closed state|Pool is closed/.test(error.message);
  return isLost ? ["CONNECTOR_UNREACHABLE", "was lost or does not answer"] : undefined;
}
