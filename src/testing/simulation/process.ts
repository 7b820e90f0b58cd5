import { createMemoryConnector } from "../../connectors/memory/connector.ts";
import { createMemoryDestination } from "../../connectors/memory/destination.ts";
import { readAhead } from "../../decorators/read-ahead.ts";
import { withRetry } from "../../decorators/retry.ts";
import type { RunRequest } from "../../engine/context.ts";
import { runReplicate } from "../../engine/run-replicate.ts";
import { createMemoryHome } from "../../homes/memory/home.ts";
import type { ReplicateSpec } from "../../model/replicate.ts";
import type { RunReport } from "../../model/run.ts";
import { isSyncError, type SyncError } from "../../model/sync-error.ts";
import type { Connector, Page } from "../../ports/connector.ts";
import type { Fate } from "./fate.ts";
import { createFaultySource } from "./faulty-source.ts";
import { watchStorage } from "./watched-storage.ts";
import type { WorldState } from "./world-state.ts";

/** How a simulated process ended. `delivered` counts records and bad ones, by stream. */
export type Ending = { readonly delivered: ReadonlyMap<string, number> } & (
  | { readonly kind: "report"; readonly report: RunReport }
  | { readonly kind: "threw"; readonly error: SyncError }
  | { readonly kind: "died" }
);

const POLICY = {
  attemptsMax: 4,
  backoffBaseMs: 500,
  backoffCapMs: 30_000,
  retryAfterMaxMs: 120_000,
  waitTotalMaxMs: 600_000,
};

/** One run of the real engine in a process of its own, on what earlier processes left behind. */
export async function runProcess(
  world: WorldState,
  fate: Fate,
  spec: ReplicateSpec,
  request: RunRequest,
): Promise<Ending> {
  const { trace, tallies } = world;
  const { clock, random } = fate;
  const storage = watchStorage(
    {
      home: createMemoryHome({ clock, state: world.home }),
      destination: createMemoryDestination({ state: world.rows, sharesHome: world.shape.shared }),
    },
    fate,
    world.checks,
    tallies,
  );
  const delivered = new Map<string, number>();
  const faulty = createFaultySource(memorySource(world, fate), world, fate);
  const patient = withRetry(faulty, { clock, random, policy: POLICY, onWait: () => undefined });
  trace.add(`${fate.name} starts ${request.mode} of ${request.streams?.join(", ") ?? "all"}`);
  try {
    const report = await runReplicate(
      {
        spec,
        source: countingSource(world, fate, readAhead(patient), delivered),
        ...storage,
        clock,
        random,
        emit: () => undefined,
        traffic: () => ({ requests: 0, bytes: 0, retries: 0, waitedMs: 0 }),
        owner: { name: fate.name, isGone: (owner) => isBelievedDead(world, fate, owner) },
        memoryBytes: () => 0,
      },
      request,
      fate.stop,
    );
    if (fate.isDead()) return died(world, fate, delivered);
    trace.add(`${fate.name} ends ${report.outcome}: ${report.streams.map(summary).join("; ")}`);
    return { kind: "report", report, delivered };
  } catch (error) {
    if (fate.isDead()) return died(world, fate, delivered);
    if (!isSyncError(error)) throw error;
    trace.add(`${fate.name} throws ${error.code}`);
    return { kind: "threw", error, delivered };
  } finally {
    fate.end();
  }
}

function died(world: WorldState, fate: Fate, delivered: ReadonlyMap<string, number>): Ending {
  world.dead.add(fate.name);
  return { kind: "died", delivered };
}

/** Some machines can tell that a process is gone; a plan may make them err. */
function isBelievedDead({ dead, shape }: WorldState, { plan }: Fate, owner: string): boolean {
  return (
    plan.takesOver || (shape.seesDead && [...dead].some((name) => owner.startsWith(`${name},`)))
  );
}

function summary({ stream, phase, error, ledger }: RunReport["streams"][number]): string {
  const { read, created, updated, deleted, parked } = ledger;
  const counts = `read ${read} created ${created} updated ${updated} deleted ${deleted} parked ${parked}`;
  return `${stream} ${phase} ${error?.code ?? ""} ${counts}`;
}

/** The system's connector; people edit between its pages, and its pages vary in size. */
function memorySource(world: WorldState, fate: Fate): Connector {
  const { shape, people, tallies } = world;
  const { plan, random } = fate;
  return createMemoryConnector(world.system, {
    keysPerRead: shape.keysPerRead,
    concurrency: 3,
    pageSize: () => {
      if (!random.chance(plan.shortPages)) return shape.pageSizeMax;
      tallies.count("short page");
      return random.int(1, shape.pageSizeMax);
    },
    async beforePage({ stream }) {
      if (!random.chance(plan.editsDuringReads)) return;
      tallies.count("edit during a read");
      for (let count = random.int(1, 4); count > 0; count -= 1) people.edit(stream);
    },
  });
}

/** Notes what the engine was given and what it asked for; changes nothing. */
function countingSource(
  world: WorldState,
  fate: Fate,
  connector: Connector,
  delivered: Map<string, number>,
): Connector {
  return {
    ...connector,
    async *read(request, signal) {
      const stream = request.query.schema.name;
      const pages: AsyncIterable<Page> = connector.read(request, signal);
      if (request.kind === "walk" && request.range !== undefined && request.after !== null) {
        world.tallies.count("resumed part");
      }
      if (request.kind === "keys") world.checks.asked(fate, stream, request.keys);
      for await (const page of pages) {
        const count = page.records.length + page.bad.length;
        const items = count + page.marks.length + page.tombstones.length;
        if (items === 0) world.tallies.count("empty page");
        delivered.set(stream, (delivered.get(stream) ?? 0) + count);
        yield page;
      }
    },
  };
}
