import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { createPostgresDestination } from "../../src/connectors/postgres/destination.ts";
import { openPostgres, type PostgresDatabase } from "../../src/drivers/postgres/database.ts";
import { parsePostgresUrl } from "../../src/drivers/postgres/url.ts";
import { openSqlite } from "../../src/drivers/sqlite/database.ts";
import type { ReplicateContext } from "../../src/engine/context.ts";
import { planStream } from "../../src/engine/replicate/open-stream.ts";
import { runReplicate } from "../../src/engine/run-replicate.ts";
import { createPostgresHome } from "../../src/homes/postgres/home.ts";
import { createSqliteHome } from "../../src/homes/sqlite/home.ts";
import type { LoggedChange } from "../../src/model/change.ts";
import type { ReplicateMode, RunReport } from "../../src/model/run.ts";
import type { Destination } from "../../src/ports/destination.ts";
import type { Home } from "../../src/ports/home.ts";
import type { Clock } from "../../src/ports/runtime.ts";
import { createReplicaWorld, type ReplicaWorld } from "../../src/testing/replica-world.ts";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";
import {
  type PostgresServer,
  postgresMissing,
  postgresServer,
  type TestDatabase,
} from "./server.ts";

/** Waits longer than this are the lease's own, which never end here. */
const RETRY_WAIT_MAX_MS = 15_000;
const LISTINGS = 30;

interface Bench {
  readonly world: ReplicaWorld;
  readonly context: ReplicateContext;
  run(mode: ReplicateMode): Promise<RunReport>;
  close(): Promise<void>;
}

interface BenchOptions {
  readonly open: (clock: Clock) => Promise<{
    readonly home: Home;
    readonly destination: Destination;
    close(): Promise<void>;
  }>;
  readonly beforePage?: () => Promise<void>;
  /** Called for each wait for a lost database. */
  readonly onWait?: () => Promise<void>;
}

/** The real engine over a home and a destination, and a source in memory with some listings. */
async function createBench({ open, beforePage, onWait }: BenchOptions): Promise<Bench> {
  const world = createReplicaWorld({ pageSize: 5, ...(beforePage ? { beforePage } : {}) });
  const clock: Clock = {
    ...world.context.clock,
    sleep: async (ms, signal) => {
      if (ms > RETRY_WAIT_MAX_MS) return world.context.clock.sleep(ms, signal);
      signal.throwIfAborted();
      await onWait?.();
    },
  };
  const { home, destination, close } = await open(clock);
  for (let key = 1; key <= LISTINGS; key += 1) {
    world.list(key);
    world.photo(`m${key}`, key);
  }
  const context = { ...world.context, clock, home, destination };
  return {
    world,
    context,
    run: (mode) => {
      world.advance(1000);
      return runReplicate(context, { mode }, world.signal);
    },
    close: async () => {
      await close();
      await world.close();
    },
  };
}

/** Edits of every kind, so that each run mode has something to do. */
function edit({ world }: Bench): void {
  world.advance(3_600_000);
  for (let key = 1; key <= 12; key += 1) world.list(key, { Price: "90.50", Status: "Pending" });
  world.list(LISTINGS + 1, { Remarks: "new é 🏠" });
  for (const key of ["29", "30"]) world.system.remove("Listing", key as never);
}

/** Every field of every record is in the replica, and nothing else. */
async function assertEqual({ world, context }: Bench): Promise<void> {
  const discovered = await context.source.discover(world.signal);
  for (const spec of context.spec.streams) {
    const { table, schema } = planStream(context.spec, spec, discovered);
    const rows = await context.destination.scan(table, null, 1000);
    const wanted = world.system
      .rows(spec.stream)
      .map(({ values }) => JSON.stringify(schema.fields.map(({ name }) => values[name] ?? null)));
    const found = rows.map(({ values }) => JSON.stringify(values));
    assert.deepEqual(found.toSorted(), wanted.toSorted(), spec.stream);
  }
}

async function changesOf(home: Home): Promise<readonly LoggedChange[]> {
  const found: LoggedChange[] = [];
  for await (const change of home.changes({ oldestFirst: true })) found.push(change);
  return found;
}

/** What the log must hold after the first copy and the edits, each once. */
async function assertLoggedOnce({ context }: Bench): Promise<void> {
  const told = (await changesOf(context.home)).map(
    ({ stream, kind, key, fields }) => `${stream} ${kind} ${key} ${fields.map((f) => f.field)}`,
  );
  assert.equal(new Set(told).size, told.length, "something was logged twice");
  const count = (kind: string) => told.filter((line) => line.split(" ")[1] === kind).length;
  assert.deepEqual([count("create"), count("update"), count("delete")], [2 * LISTINGS + 1, 12, 2]);
}

suite("replicating into postgres", { skip: postgresMissing }, () => {
  let server: PostgresServer;
  let database: TestDatabase;
  const opened: PostgresDatabase[] = [];
  const benches: Bench[] = [];

  before(async () => {
    server = await postgresServer();
    database = await server.createDatabase();
  });
  after(async () => {
    await Promise.all(benches.map((bench) => bench.close()));
    await Promise.all(opened.map((pool) => pool.close()));
  });

  const openPool = (url: string): PostgresDatabase => {
    const pool = openPostgres(parsePostgresUrl(url), { lockTimeoutMs: 2000 });
    opened.push(pool);
    return pool;
  };
  const close = async (): Promise<void> => undefined;
  /** Home and replica in one schema, reached at `url`. */
  const together =
    (url: string): BenchOptions["open"] =>
    async (clock) => {
      const pool = openPool(url);
      const home = await createPostgresHome({ database: pool, clock });
      return {
        home,
        destination: createPostgresDestination({ database: pool, sharesHome: true }),
        close,
      };
    };
  const bench = async (options: BenchOptions): Promise<Bench> => {
    const made = await createBench(options);
    benches.push(made);
    return made;
  };
  const killAll = () =>
    database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'lockstep' AND datname = current_database()`,
    );
  /** A copy, edits, and every kind of run after them; all must be done and nothing done twice. */
  const replicate = async (made: Bench): Promise<void> => {
    const reports = [await made.run("full")];
    await assertEqual(made);
    edit(made);
    for (const mode of ["incremental", "deletions", "sweep"] as const) {
      reports.push(await made.run(mode));
    }
    const told = reports.map(({ outcome, streams }) => ({
      outcome,
      errors: streams.flatMap(({ stream, error }) =>
        // Only one stream of the world tells deletions or can be swept.
        error === undefined || error.code === "CONNECTOR_UNSUPPORTED" ? [] : [stream, error],
      ),
    }));
    assert.deepEqual(
      told.flatMap(({ errors }) => errors),
      [],
    );
    await assertEqual(made);
    await assertLoggedOnce(made);
  };

  test("home and replica in one schema", async () => {
    await replicate(await bench({ open: together(database.schemaUrl()) }));
  });

  test("home in one database, replica in another", async () => {
    const [here, there] = [
      openPool(database.schemaUrl()),
      openPool((await server.createDatabase()).url),
    ];
    const open: BenchOptions["open"] = async (clock) => ({
      home: await createPostgresHome({ database: here, clock }),
      destination: createPostgresDestination({ database: there }),
      close,
    });
    await replicate(await bench({ open }));
  });

  test("home in SQLite, replica in PostgreSQL", async () => {
    const folder = createTemporaryFolder();
    const open: BenchOptions["open"] = async (clock) => {
      const file = openSqlite(join(folder.path, "lockstep.db"));
      return {
        home: createSqliteHome({ database: file, clock }),
        destination: createPostgresDestination({ database: openPool(database.schemaUrl()) }),
        close: async () => {
          file.close();
          folder.remove();
        },
      };
    };
    await replicate(await bench({ open }));
  });

  test("a run whose connections are killed before every page goes on", async () => {
    const made = await bench({
      open: together(database.schemaUrl()),
      beforePage: async () => {
        await killAll();
      },
    });
    await replicate(made);
  });

  test("a run whose connection is killed inside its commits goes on", async () => {
    let kills = 0;
    const open = together(database.schemaUrl());
    const made = await bench({
      open: async (clock) => {
        const storage = await open(clock);
        const { within } = storage.destination;
        assert.ok(within);
        return {
          ...storage,
          destination: {
            ...storage.destination,
            within: (batch) => {
              const step = within(batch);
              let isFirst = true;
              return async (connection) => {
                await step(connection);
                if (isFirst) await killAll();
                if (isFirst) kills += 1;
                isFirst = false;
              };
            },
          },
        };
      },
    });
    await replicate(made);
    assert.ok(kills > 10, String(kills));
    const waits = made.world.events.filter((event) => event.kind === "wait");
    assert.ok(waits.length >= kills, `${waits.length} waits told of ${kills} losses`);
  });

  test("a commit whose answer is lost is made once", async () => {
    const proxy = await startCuttingProxy(server.port);
    try {
      const url = database.schemaUrl().replace(`:${server.port}/`, `:${proxy.port}/`);
      const beforePage = async (): Promise<void> => proxy.cutAfter("COMMIT", 1);
      await replicate(await bench({ open: together(url), beforePage }));
      assert.ok(proxy.cuts > 20, String(proxy.cuts));
    } finally {
      await proxy.close();
    }
  });

  test("a run whose server is stopped waits until it is back", async () => {
    let pages = 0;
    let stops = 0;
    let isUp = true;
    let turn = Promise.resolve();
    /** Streams run side by side, but a server is stopped or started by one of them at a time. */
    const switchTo = (wanted: boolean): Promise<void> => {
      turn = turn.then(async () => {
        if (isUp === wanted) return;
        isUp = wanted;
        if (!wanted) stops += 1;
        await (wanted ? server.start() : server.stop());
      });
      return turn;
    };
    const made = await bench({
      open: together(database.schemaUrl()),
      beforePage: async () => {
        pages += 1;
        if (pages % 7 === 3) await switchTo(false);
      },
      onWait: () => switchTo(true),
    });
    await replicate(made);
    assert.ok(stops > 2, String(stops));
  });
});
