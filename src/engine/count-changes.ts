import { categoriesOf } from "../core/categories.ts";
import { type Change, isTransition, type LoggedChange } from "../model/change.ts";
import type { MonitorSpec, ReplicateSpec } from "../model/replicate.ts";
import type { StoredRun } from "../model/run.ts";
import type { Home } from "../ports/home.ts";
import type { StreamChanges, TransitionCount } from "./results.ts";

/** What the named runs changed, by stream in the order of the sync; a run that is unknown is none. */
export async function countChanges(
  home: Home,
  spec: ReplicateSpec,
  runIds: readonly string[],
): Promise<readonly StreamChanges[]> {
  const runs = await Promise.all(runIds.map((runId) => home.run(runId)));
  return countRunChanges(
    home,
    spec,
    runs.filter((run) => run !== undefined),
  );
}

/** The same of runs already loaded. */
export async function countRunChanges(
  home: Home,
  spec: ReplicateSpec,
  runs: readonly StoredRun[],
): Promise<readonly StreamChanges[]> {
  const tallies = new Map(spec.streams.map(({ stream, monitor }) => [stream, newTally(monitor)]));
  for (const run of runs) {
    if (run.report === undefined) await tallyLog(home, run, tallies);
    else await tallyReport(home, spec, { ...run, report: run.report }, tallies);
  }
  return spec.streams.flatMap(({ stream }) => {
    const tally = tallies.get(stream);
    return tally === undefined || isEmpty(tally) ? [] : [{ stream, ...resultOf(tally) }];
  });
}

interface Tally {
  readonly monitor: MonitorSpec;
  readonly counts: Record<"new" | "updated" | "status" | "price" | "deleted", number>;
  /** By field, before and after, as the configuration writes them. */
  readonly transitions: Map<string, TransitionCount>;
}

function newTally(monitor: MonitorSpec): Tally {
  const counts = { new: 0, updated: 0, status: 0, price: 0, deleted: 0 };
  return { monitor, counts, transitions: new Map() };
}

/** A killed run has no report: its entries in the log are all there is. */
async function tallyLog(
  home: Home,
  { sync, runId, startedAt }: StoredRun,
  tallies: ReadonlyMap<string, Tally>,
): Promise<void> {
  for await (const change of home.changes({ sync, runId, since: startedAt })) {
    const tally = tallies.get(change.stream);
    if (tally === undefined) continue;
    for (const category of categoriesOf(change, tally.monitor)) tally.counts[category] += 1;
    tallyTransitions(tally, change);
  }
}

/**
 * The report's ledger tells how many there were; only changes of monitored fields are read, so
 * that a first copy of millions of records is counted at once.
 */
async function tallyReport(
  home: Home,
  spec: ReplicateSpec,
  {
    sync,
    runId,
    startedAt,
    report,
  }: StoredRun & { readonly report: { readonly streams: Streams } },
  tallies: ReadonlyMap<string, Tally>,
): Promise<void> {
  const updated = new Set<string>();
  for (const { stream, ledger } of report.streams) {
    const tally = tallies.get(stream);
    if (tally === undefined || historyOf(spec, stream) === "off") continue;
    tally.counts.new += ledger.created;
    tally.counts.updated += ledger.updated;
    tally.counts.deleted += ledger.deleted;
    if (ledger.updated > 0) updated.add(stream);
  }
  for (const stream of updated) {
    const tally = tallies.get(stream);
    if (tally === undefined) continue;
    const fields = [...new Set([...tally.monitor.status, ...tally.monitor.price])];
    if (fields.length === 0) continue;
    // The run's beginning spares the index all that is older.
    const filter = { sync, stream, runId, fields, since: startedAt };
    for await (const change of home.changes(filter)) tallyMonitored(tally, change);
  }
}

type Streams = NonNullable<StoredRun["report"]>["streams"];

function historyOf(spec: ReplicateSpec, stream: string): string | undefined {
  return spec.streams.find((entry) => entry.stream === stream)?.history;
}

function tallyMonitored(tally: Tally, change: LoggedChange): void {
  const categories = categoriesOf(change, tally.monitor);
  if (categories.includes("status")) tally.counts.status += 1;
  if (categories.includes("price")) tally.counts.price += 1;
  tallyTransitions(tally, change);
}

function tallyTransitions({ monitor, transitions }: Tally, change: Change): void {
  for (const field of monitor.status) {
    for (const [before, after] of monitor.transitions) {
      if (!isTransition(change, { field, before, after })) continue;
      const id = JSON.stringify([field, before, after]);
      const count = (transitions.get(id)?.count ?? 0) + 1;
      transitions.set(id, { field, before, after, count });
    }
  }
}

function isEmpty({ counts }: Tally): boolean {
  return counts.new + counts.updated + counts.deleted === 0;
}

function resultOf({ counts, transitions }: Tally): Omit<StreamChanges, "stream"> {
  const sorted = [...transitions.values()].sort((a, b) => b.count - a.count);
  return { ...counts, transitions: sorted };
}
