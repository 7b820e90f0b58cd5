import { createPostgresDestination } from "../connectors/postgres/destination.ts";
import { openPostgres } from "../drivers/postgres/database.ts";
import { parsePostgresUrl } from "../drivers/postgres/url.ts";
import { createMemoryHome } from "../homes/memory/home.ts";
import { createPostgresHome } from "../homes/postgres/home.ts";
import type { Agreements } from "../ports/agreements.ts";
import type { Destination } from "../ports/destination.ts";
import type { Home } from "../ports/home.ts";
import type { Clock, Memory } from "../ports/runtime.ts";

/** A home and a destination in a schema of their own. */
export interface PostgresStorage {
  readonly home: Home & Agreements;
  readonly destination: Destination;
  close(): Promise<void>;
}

let schemas = 0;

/**
 * Opens both in a new schema of the database that the URL leads to, at once: what is asked of the
 * home waits until its tables are made.
 */
export function openPostgresStorage(url: string, clock: Clock): PostgresStorage {
  schemas += 1;
  const target = new URL(url);
  target.searchParams.set("schema", `world_${process.pid}_${schemas}`);
  const database = openPostgres(parsePostgresUrl(target.href), { connections: 4 });
  const opening = createPostgresHome({ database, clock });
  // Whoever asks the home is told.
  opening.catch(() => undefined);
  const destination = createPostgresDestination({ database, sharesHome: true });
  return {
    home: homeToCome(opening, database.location(database.target.schema), clock),
    destination,
    close: async () => {
      await opening.catch(() => undefined);
      await database.close();
    },
  };
}

type Call = (...parameters: readonly unknown[]) => Promise<unknown>;

/** Stands for a home that is being opened; a plain object, as every home is. */
function homeToCome(
  opening: Promise<Home & Agreements>,
  location: string,
  clock: Clock,
): Home & Agreements {
  const names = Object.entries(createMemoryHome({ clock })).flatMap(([name, part]) =>
    typeof part === "function" ? [name] : [],
  );
  const calls = names.map((name) => {
    const call: Call = async (...parameters) => {
      const home = (await opening) as unknown as Readonly<Record<string, Call>>;
      return home[name]?.(...parameters);
    };
    return [name, call] as const;
  });
  return {
    ...(Object.fromEntries(calls) as unknown as Home & Agreements),
    location,
    async *changes(filter) {
      yield* (await opening).changes(filter);
    },
    async *everyKnown(sync, side) {
      yield* (await opening).everyKnown(sync, side);
    },
    async *knownDigestsIn(sync, side, buckets) {
      yield* (await opening).knownDigestsIn(sync, side, buckets);
    },
    async *leftOutIn(sync, side, buckets) {
      yield* (await opening).leftOutIn(sync, side, buckets);
    },
    memory(system): Memory {
      return {
        recall: async (key) => (await opening).memory(system).recall(key),
        remember: async (key, value) => (await opening).memory(system).remember(key, value),
      };
    },
  };
}
