import { readFileSync } from "node:fs";
import { SyncError } from "../../model/sync-error.ts";

/** How the connection is encrypted: not at all, without asking who answers, or checked fully. */
export type SslMode = "disable" | "require" | "verify-full";

/** A database as its URL names it. Holds the password: never print it. */
export interface MysqlTarget {
  readonly host: string;
  readonly port: number;
  /** The path of a Unix socket, instead of host and port. */
  readonly socket?: string;
  readonly database: string;
  readonly user?: string;
  readonly password?: string;
  readonly sslMode: SslMode;
  /** PEM text of the authority that signed the server's certificate, where the system lacks it. */
  readonly authority?: string;
}

const PARAMETERS = ["sslmode", "sslrootcert", "socket"] as const;
const SSL_MODES: readonly SslMode[] = ["disable", "require", "verify-full"];
const PORT = 3306;

/**
 * Reads `mysql://user:password@host:port/database?sslmode=verify-full`, or `mariadb://…`. TLS is
 * checked fully unless the server is this machine or `sslmode` says otherwise. Throws
 * CONFIG_INVALID, which never repeats the URL: it holds a password.
 */
export function parseMysqlUrl(text: string): MysqlTarget {
  const url = URL.parse(text);
  if (url === null || !/^(mysql|mariadb):$/.test(url.protocol)) {
    refuse("cannot be read; expected mysql://USER:PASSWORD@HOST:PORT/DATABASE");
  }
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.some((p) => p === name));
  if (unknown !== undefined) {
    refuse(`has the parameter "${unknown}"; allowed are ${PARAMETERS.join(", ")}`);
  }
  const database = decode(url.pathname.slice(1));
  if (database === "") refuse("names no database");
  const host = decode(url.hostname).replace(/^\[|\]$/g, "");
  const socket = url.searchParams.get("socket");
  const authorityFile = url.searchParams.get("sslrootcert");
  return {
    host: host === "" ? "localhost" : host,
    port: url.port === "" ? PORT : Number(url.port),
    ...(socket === null ? {} : { socket }),
    database,
    ...(url.username === "" ? {} : { user: decode(url.username) }),
    ...(url.password === "" ? {} : { password: decode(url.password) }),
    sslMode: readSslMode(url.searchParams.get("sslmode"), socket === null ? host : ""),
    ...(authorityFile === null ? {} : { authority: readAuthority(authorityFile) }),
  };
}

/** For people: where the database is, without user and password. */
export function mysqlLocation({ host, port, socket, database }: MysqlTarget): string {
  return socket === undefined
    ? `mysql://${host}:${port}/${database}`
    : `mysql:///${database}?socket=${socket}`;
}

function readSslMode(mode: string | null, host: string): SslMode {
  if (mode === null) return isHere(host) ? "disable" : "verify-full";
  const known = SSL_MODES.find((candidate) => candidate === mode);
  return known ?? refuse(`has sslmode "${mode}"; allowed are ${SSL_MODES.join(", ")}`);
}

const isHere = (host: string): boolean =>
  host === "" || /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);

function readAuthority(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, cause: unknown): SyncError {
  const message = `The file "${path}" that \`sslrootcert\` names cannot be read.`;
  return new SyncError("CONFIG_INVALID", message, { cause });
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return refuse("has a % that is no escape");
  }
}

function refuse(why: string): never {
  throw new SyncError("CONFIG_INVALID", `The MySQL URL ${why}.`, {
    hint: "Write special characters of the password as %XX, such as %40 for @.",
  });
}
