import { join } from "node:path";
import { after } from "node:test";
import { createMemoryConnector } from "../connectors/memory/connector.ts";
import { createMemoryDestination } from "../connectors/memory/destination.ts";
import { createMemorySystem, type MemorySystem } from "../connectors/memory/system.ts";
import { createSqliteDestination } from "../connectors/sqlite/destination.ts";
import { openSqlite } from "../drivers/sqlite/database.ts";
import type { ReplicateContext, RunRequest } from "../engine/context.ts";
import { runReplicate } from "../engine/run-replicate.ts";
import { createMemoryHome } from "../homes/memory/home.ts";
import { createSqliteHome } from "../homes/sqlite/home.ts";
import type { RunEvent } from "../model/events.ts";
import type { RecordKey } from "../model/record.ts";
import type { ReplicateSpec, StreamSpec } from "../model/replicate.ts";
import type { ReplicateMode, RunReport } from "../model/run.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { Destination } from "../ports/destination.ts";
import type { Home } from "../ports/home.ts";
import type { Clock, Random } from "../ports/runtime.ts";
import { openPostgresStorage, type PostgresStorage } from "./postgres-storage.ts";
import { createTemporaryFolder } from "./temporary-folder.ts";

export type Backend = "memory" | "memory apart" | "sqlite" | "postgres";

/**
 * A PostgreSQL database in which these worlds may make schemas. With it every world that names no
 * backend stands on PostgreSQL, so that all tests of the engine are tests of that home too; see
 * `test/postgres/engine-tests.test.ts`.
 */
const POSTGRES_URL = process.env["LOCKSTEP_TEST_POSTGRES"];

/** Every way a home and a destination can stand to one another. */
export const BACKENDS: readonly Backend[] = [
  "memory",
  "memory apart",
  "sqlite",
  ...(POSTGRES_URL === undefined ? [] : (["postgres"] as const)),
];
const USUAL_BACKEND: Backend = POSTGRES_URL === undefined ? "memory" : "postgres";

/** Pools that no test closed would keep its process from ending. */
const opened: PostgresStorage[] = [];
if (POSTGRES_URL !== undefined) {
  after(async () => {
    await Promise.all(opened.map((storage) => storage.close()));
  });
}

const TIMESTAMP = { name: "ModifiedAt", type: { kind: "timestamp" }, nullable: true } as const;
const text = (name: string) => ({ name, type: { kind: "text" }, nullable: true }) as const;

/** A parent with every trait, a child, and a stream that can only be walked whole. */
const WORLD_STREAMS: readonly StreamSchema[] = [
  {
    name: "Listing",
    key: ["Key"],
    modifiedAt: "ModifiedAt",
    traits: { changes: true, deletions: true, sweep: true, count: true },
    fields: [
      { name: "Key", type: { kind: "integer", bits: 64 }, nullable: false },
      text("Status"),
      { name: "Price", type: { kind: "decimal" }, nullable: true },
      text("Remarks"),
      TIMESTAMP,
    ],
  },
  {
    name: "Media",
    key: ["MediaKey"],
    modifiedAt: "ModifiedAt",
    traits: { changes: true, deletions: false, sweep: true, count: false },
    fields: [
      { ...text("MediaKey"), nullable: false },
      { name: "ListingKey", type: { kind: "integer", bits: 64 }, nullable: true },
      text("Url"),
      TIMESTAMP,
    ],
  },
  {
    name: "Office",
    key: ["Code", "Branch"],
    traits: { changes: false, deletions: false, sweep: false, count: true },
    fields: [
      { ...text("Code"), nullable: false },
      { ...text("Branch"), nullable: false },
      text("Name"),
    ],
  },
];

const STREAM: Omit<StreamSpec, "stream" | "table"> = {
  naming: "snake_case",
  deletes: "remove",
  drift: "evolve",
  overlapMs: 60_000,
  overlapMaxMs: 3_600_000,
  refreshMs: 86_400_000,
  history: "full",
  monitor: { status: [], price: [], transitions: [] },
  rules: [],
};

export interface ReplicaWorldOptions {
  readonly backend?: Backend;
  /** By stream, what differs from the world's own settings. */
  readonly streams?: Readonly<Record<string, Partial<StreamSpec>>>;
  readonly guard?: Partial<ReplicateSpec["guard"]>;
  readonly pageSize?: number;
  /** Called before each page is read. */
  readonly beforePage?: (page: { readonly stream: string; readonly kind: string }) => Promise<void>;
}

/** A source that people edit, its replica, and a clock that stands until it is moved. */
export interface ReplicaWorld {
  readonly system: MemorySystem;
  readonly context: ReplicateContext;
  readonly events: readonly RunEvent[];
  readonly signal: AbortSignal;
  advance(ms: number): void;
  run(mode: ReplicateMode, request?: Omit<RunRequest, "mode">): Promise<RunReport>;
  /** Puts a listing with these values. */
  list(key: number, values?: Readonly<Record<string, string | null>>): RecordKey;
  photo(key: string, listing: number): RecordKey;
  close(): Promise<void>;
}

/** A world of the real engine, home, destination and connector; only the clock is made up. */
export function createReplicaWorld(options: ReplicaWorldOptions = {}): ReplicaWorld {
  let now = Date.UTC(2026, 4, 1, 12);
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: (_ms, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  };
  const system = createMemorySystem({ streams: WORLD_STREAMS, now: () => now });
  const storage = openStorage(options.backend ?? USUAL_BACKEND, clock);
  const events: RunEvent[] = [];
  const { pageSize = 3, beforePage } = options;
  const context: ReplicateContext = {
    spec: worldSpec(options),
    source: createMemoryConnector(system, {
      pageSize: () => pageSize,
      keysPerRead: 7,
      ...(beforePage === undefined ? {} : { beforePage }),
    }),
    destination: storage.destination,
    home: storage.home,
    clock,
    random: countingRandom(),
    emit: (event) => void events.push(event),
    traffic: () => ({ requests: 0, bytes: 0, retries: 0, waitedMs: 0 }),
    owner: { name: "this process", isGone: () => false },
    memoryBytes: () => 1,
  };
  const { signal } = new AbortController();
  return {
    system,
    context,
    events,
    signal,
    advance: (ms) => {
      now += ms;
    },
    run: (mode, request = {}) => {
      now += 1000;
      return runReplicate(context, { mode, ...request }, signal);
    },
    list: (key, values = {}) =>
      system.put("Listing", { Key: String(key), Status: "Active", Price: "100", ...values }),
    photo: (key, listing) =>
      system.put("Media", { MediaKey: key, ListingKey: String(listing), Url: `/${key}.jpg` }),
    close: storage.close,
  };
}

function worldSpec({ streams = {}, guard = {} }: ReplicaWorldOptions): ReplicateSpec {
  const defaults: Readonly<Record<string, Partial<StreamSpec>>> = {
    Listing: {
      monitor: {
        status: ["Status"],
        price: ["Price"],
        transitions: [
          ["Active", "Pending"],
          ["Pending", "Closed"],
        ],
      },
    },
    Media: { parent: { stream: "Listing", field: "ListingKey", parentField: "Key" } },
  };
  return {
    name: "mls",
    streams: WORLD_STREAMS.map(({ name }) => ({
      ...STREAM,
      stream: name,
      table: name,
      ...defaults[name],
      ...streams[name],
    })),
    guard: {
      deleteShare: 0.5,
      deleteCount: 1000,
      deleteFloor: 3,
      countTolerance: 0.001,
      parkedCount: 100,
      ...guard,
    },
    concurrency: 2,
    leaseMs: 60_000,
  };
}

/** Ids that count up, and numbers of a fixed sequence. */
function countingRandom(): Random {
  let ids = 0;
  let state = 1;
  return {
    id: () => {
      ids += 1;
      return `id-${ids}`;
    },
    next: () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    },
  };
}

interface Storage {
  readonly home: Home;
  readonly destination: Destination;
  close(): Promise<void>;
}

function openStorage(backend: Backend, clock: Clock): Storage {
  if (backend === "postgres") {
    const storage = openPostgresStorage(POSTGRES_URL ?? "", clock);
    opened.push(storage);
    return storage;
  }
  if (backend !== "sqlite") {
    return {
      home: createMemoryHome({ clock }),
      destination: createMemoryDestination({ sharesHome: backend === "memory" }),
      close: async () => undefined,
    };
  }
  const folder = createTemporaryFolder();
  const database = openSqlite(join(folder.path, "lockstep.db"));
  return {
    home: createSqliteHome({ database, clock }),
    destination: createSqliteDestination({ database, sharesHome: true }),
    close: async () => {
      database.close();
      folder.remove();
    },
  };
}
