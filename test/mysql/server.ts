import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createPool, type Pool } from "mysql2/promise";

/** A MariaDB or MySQL of this process's own, on loopback, with a data folder that is thrown away. */
export interface MysqlServer {
  readonly port: number;
  /** A new empty database. */
  createDatabase(): Promise<TestDatabase>;
}

export interface TestDatabase {
  readonly name: string;
  /** With the login of its owner. */
  readonly url: string;
  /** One statement or several; rows as objects. */
  query(sql: string, parameters?: readonly unknown[]): Promise<readonly Row[]>;
  /** A connection of its own, for a second person. */
  another(): Promise<{ query(sql: string): Promise<void>; close(): Promise<void> }>;
}

export type Row = Readonly<Record<string, unknown>>;

const PASSWORD = "s3cret-of-tests";
const PREFIX = "lockstep-mysql-";
const SERVER = find("mariadbd", "mysqld");
const INSTALLER = find("mariadb-install-db", "mysql_install_db");

/** Why no server can be started here, or false. */
export const mysqlMissing: string | false =
  SERVER === undefined || INSTALLER === undefined
    ? "neither mariadbd nor mysqld is installed on this machine (Debian: mariadb-server)"
    : false;

let shared: Promise<MysqlServer> | undefined;
let remove: (() => Promise<void>) | undefined;

/** The process's server, started when first asked for and stopped after its last test. */
export function mysqlServer(): Promise<MysqlServer> {
  shared ??= startServer();
  return shared;
}

const closers: (() => Promise<void>)[] = [];

// Said here and not where the server starts, which is inside some test and would be that test's end.
after(async () => {
  await shared?.catch(() => undefined);
  for (const close of closers) await close();
  await remove?.();
});

function find(...names: readonly string[]): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  for (const name of names) {
    const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The server does not run as root, so root runs it as the user that its package made, or nobody. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const user of ["mysql", "nobody"]) {
    const { stdout, status } = spawnSync("id", ["-u", user], { encoding: "utf8" });
    const gid = spawnSync("id", ["-g", user], { encoding: "utf8" }).stdout;
    if (status === 0) return { uid: Number(stdout), gid: Number(gid) };
  }
  return undefined;
}

async function startServer(): Promise<MysqlServer> {
  await stopOrphans();
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  chmodSync(folder, 0o777);
  const login = unprivileged();
  const data = join(folder, "data");
  // A server that starts removes every `#sql*` from its folder of temporary files: in one that is
  // shared, those of the server that starts beside it too.
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  chmodSync(temporary, 0o777);
  const port = await freePort();
  const options = { ...login, stdio: "pipe" } as const;
  execFileSync(
    INSTALLER ?? "",
    [
      "--no-defaults",
      `--datadir=${data}`,
      `--tmpdir=${temporary}`,
      "--auth-root-authentication-method=normal",
    ],
    { ...options, cwd: folder },
  );
  const child = spawn(
    SERVER ?? "",
    [
      "--no-defaults",
      `--datadir=${data}`,
      `--tmpdir=${temporary}`,
      `--socket=${join(folder, "s")}`,
      `--pid-file=${join(folder, "pid")}`,
      `--port=${port}`,
      "--bind-address=127.0.0.1",
      "--innodb-flush-log-at-trx-commit=0",
      "--innodb-flush-method=O_DIRECT_NO_FSYNC",
      "--innodb-doublewrite=0",
      "--innodb-buffer-pool-size=64M",
      "--skip-name-resolve",
      // Each test database of a process keeps one, of some kits there are hundreds.
      "--max-connections=1000",
      "--skip-log-bin",
    ],
    { ...options, cwd: folder },
  );
  const said: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  remove = async () => {
    await stop(child);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const root = createPool({ socketPath: join(folder, "s"), user: "root", connectionLimit: 1 });
  await untilReady(root, child, said);
  await root.query(`CREATE USER lockstep@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'`);
  await root.query("GRANT ALL ON *.* TO lockstep@'127.0.0.1' WITH GRANT OPTION");
  await root.end();
  let count = 0;
  return {
    port,
    createDatabase: async () => {
      count += 1;
      return testDatabase(port, `shop_${count}`);
    },
  };
}

async function untilReady(root: Pool, child: ChildProcess, said: readonly string[]): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await root.query("SELECT 1");
      return;
    } catch (cause) {
      if (child.exitCode !== null || tries > 300) {
        throw new Error(`MariaDB did not start: ${said.slice(-5).join("\n")}`, { cause });
      }
      await wait(100);
    }
  }
}

async function testDatabase(port: number, name: string): Promise<TestDatabase> {
  const login = {
    host: "127.0.0.1",
    port,
    user: "lockstep",
    password: PASSWORD,
    charset: "utf8mb4",
    multipleStatements: true,
    connectionLimit: 1,
    idleTimeout: 1,
  };
  const admin = createPool(login);
  await admin.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  await admin.end();
  const pool = createPool({ ...login, database: name });
  closers.push(() => pool.end());
  return {
    name,
    url: `mysql://lockstep:${PASSWORD}@127.0.0.1:${port}/${name}`,
    query: async (sql, parameters = []) => (await pool.query(sql, [...parameters]))[0] as Row[],
    another: async () => {
      const own = createPool({ ...login, database: name });
      return {
        query: async (sql) => {
          await own.query(sql);
        },
        close: () => own.end(),
      };
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (typeof address === "object" && address !== null) return address.port;
  throw new Error("No free port on loopback.");
}

/** A test process that was killed leaves its server running: its folder names its dead process. */
async function stopOrphans(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || isRunning(Number(owner))) continue;
    const folder = join(tmpdir(), name);
    const pid = serverOf(folder);
    if (pid !== undefined) {
      process.kill(pid, "SIGKILL");
      for (let tries = 0; tries < 50 && isRunning(pid); tries += 1) await wait(100);
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The server of that folder; a pid that was given to another program since is not it. */
function serverOf(folder: string): number | undefined {
  const file = join(folder, "pid");
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, "utf8"));
  const commandLine = `/proc/${pid}/cmdline`;
  const isServer = existsSync(commandLine) && readFileSync(commandLine, "utf8").includes(folder);
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
