import { readFileSync } from "node:fs";
import { SyncError } from "../../model/sync-error.ts";

/** How the connection is encrypted: not at all, without asking who answers, or checked fully. */
export type SslMode = "disable" | "require" | "verify-full";

/** A database as its URL names it. Holds the password: never print it. */
export interface PostgresTarget {
  /** A name or address, or the folder of a Unix socket. Absent: what the driver's defaults say. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user?: string;
  readonly password?: string;
  /** The schema that holds the tables. */
  readonly schema: string;
  readonly sslMode: SslMode;
  /** PEM text of the authority that signed the server's certificate, where the system lacks it. */
  readonly authority?: string;
}

const PARAMETERS = ["schema", "sslmode", "sslrootcert", "host"] as const;
const SSL_MODES: readonly SslMode[] = ["disable", "require", "verify-full"];
const PORT = 5432;

/**
 * Reads `postgres://user:password@host:port/database?schema=x&sslmode=verify-full`. The schema is
 * `public` unless told; TLS is checked fully unless the server is this machine or `sslmode` says
 * otherwise. Throws CONFIG_INVALID, which never repeats the URL: it holds a password.
 */
export function parsePostgresUrl(text: string): PostgresTarget {
  const url = readUrl(text);
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.some((p) => p === name));
  if (unknown !== undefined) {
    refuse(`has the parameter "${unknown}"; allowed are ${PARAMETERS.join(", ")}`);
  }
  const database = decode(url.pathname.slice(1));
  if (database === "") refuse("names no database");
  const host = url.searchParams.get("host") ?? decode(url.hostname).replace(/^\[|\]$/g, "");
  const sslMode = readSslMode(url, host);
  const authorityFile = url.searchParams.get("sslrootcert");
  return {
    host: host === "" ? "localhost" : host,
    port: url.port === "" ? PORT : Number(url.port),
    database,
    ...(url.username === "" ? {} : { user: decode(url.username) }),
    ...(url.password === "" ? {} : { password: decode(url.password) }),
    schema: readSchema(url),
    sslMode,
    ...(authorityFile === null ? {} : { authority: readAuthority(authorityFile) }),
  };
}

/** For people: where the database is, without user and password. */
export function postgresLocation(target: PostgresTarget, schema: string = target.schema): string {
  const { host, port, database } = target;
  const place = host.startsWith("/") ? `/${database}?host=${host}` : `${host}:${port}/${database}`;
  const schemaPart = `${place.includes("?") ? "&" : "?"}schema=${schema}`;
  return `postgres://${place}${schema === "public" ? "" : schemaPart}`;
}

/** True when both lead to one database by one login, so that one transaction can write to both. */
export function isSameDatabase(a: PostgresTarget, b: PostgresTarget): boolean {
  return a.host === b.host && a.port === b.port && a.database === b.database && a.user === b.user;
}

function readUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    refuse("cannot be read; expected postgres://USER:PASSWORD@HOST:PORT/DATABASE");
  }
  return url;
}

function readSchema(url: URL): string {
  const schema = url.searchParams.get("schema") ?? "public";
  if (schema !== "" && Buffer.byteLength(schema) <= 63 && !/^pg_|\0/.test(schema)) return schema;
  return refuse(`names the schema "${schema}"; allowed are up to 63 bytes, not beginning with pg_`);
}

function readSslMode(url: URL, host: string): SslMode {
  const mode = url.searchParams.get("sslmode");
  if (mode === null) return isHere(host) ? "disable" : "verify-full";
  const known = SSL_MODES.find((candidate) => candidate === mode);
  return known ?? refuse(`has sslmode "${mode}"; allowed are ${SSL_MODES.join(", ")}`);
}

function isHere(host: string): boolean {
  return host === "" || host.startsWith("/") || /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host);
}

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
  throw new SyncError("CONFIG_INVALID", `The PostgreSQL URL ${why}.`, {
    hint: "Write special characters of the password as %XX, such as %40 for @.",
  });
}
