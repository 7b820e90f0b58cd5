import type { ReplicateSpec } from "../model/replicate.ts";
import {
  addLedgers,
  EMPTY_LEDGER,
  isOfSides,
  type ReportedError,
  type RunMode,
  type RunOutcome,
  type RunReport,
  type SideCounts,
  type StoredRun,
  type StreamReport,
  type Traffic,
} from "../model/run.ts";
import type { Home } from "../ports/home.ts";
import type { ActivityReport, ReportRequest } from "./activity-results.ts";
import { countRunChanges } from "./count-changes.ts";
import type { StreamChanges, TransitionCount } from "./results.ts";

const NO_TRAFFIC: Traffic = { requests: 0, bytes: 0, retries: 0, waitedMs: 0 };

/** What the runs that began in the window did, summed. Told from the home alone. */
export async function activityReport(
  home: Home,
  specs: readonly ReplicateSpec[],
  request: ReportRequest,
): Promise<ActivityReport> {
  const { sync, since, until } = request;
  const stored = await home.runs({ since, ...(sync === undefined ? {} : { sync }) });
  const runs = stored.filter(({ startedAt }) => startedAt < until);
  const reports = runs.flatMap(({ report }) => report ?? []);
  const outcomes = countOutcomes(reports);
  const running = await countRunning(home, runs);
  const interrupted = runs.length - reports.length - running;
  const succeeded = outcomes.done + outcomes.partial;
  const judged = succeeded + outcomes.failed + outcomes.halted + interrupted;
  const streams = reports.flatMap((report) => report.streams);
  const traffic = streams.map((stream) => stream.traffic).reduce(addTraffic, NO_TRAFFIC);
  const ledger = streams.map((stream) => stream.ledger).reduce(addLedgers, EMPTY_LEDGER);
  const copies = reports.filter((report) => !isOfSides(report));
  const averages = averagesOf(copies, ledger.read, traffic.requests);
  return {
    since,
    until,
    executions: runs.length,
    outcomes,
    interrupted,
    running,
    ...(judged === 0 ? {} : { successRate: succeeded / judged }),
    ledger,
    traffic,
    ...(averages === undefined ? {} : { averages }),
    peakMemoryBytes: reports.reduce((peak, run) => Math.max(peak, run.peakMemoryBytes), 0),
    changes: await countAllChanges(home, specs, runs),
    errors: countErrors(reports),
    byMode: sumByMode(runs),
    sides: sumSides(reports),
  };
}

const NO_COUNTS: SideCounts = { written: 0, conflict: 0, rejected: 0, unknown: 0, unsent: 0 };

/** Sums, by sync and side. */
function sumSides(reports: readonly RunReport[]): ActivityReport["sides"] {
  const sums = new Map<string, ActivityReport["sides"][number]>();
  for (const { sync, sides = {} } of reports) {
    for (const [side, counts] of Object.entries(sides)) {
      const id = JSON.stringify([sync, side]);
      const { written, conflict, rejected, unknown, unsent } = sums.get(id) ?? NO_COUNTS;
      sums.set(id, {
        sync,
        side,
        written: written + counts.written,
        conflict: conflict + counts.conflict,
        rejected: rejected + counts.rejected,
        unknown: unknown + counts.unknown,
        unsent: unsent + counts.unsent,
      });
    }
  }
  return [...sums.values()].sort((a, b) => (a.sync < b.sync ? -1 : a.sync > b.sync ? 1 : 0));
}

function countOutcomes(reports: readonly RunReport[]): Readonly<Record<RunOutcome, number>> {
  const outcomes = { done: 0, partial: 0, halted: 0, failed: 0, stopped: 0 };
  for (const { outcome } of reports) outcomes[outcome] += 1;
  return outcomes;
}

/** Runs without an end whose own lease still holds; the others were killed. */
async function countRunning(home: Home, runs: readonly StoredRun[]): Promise<number> {
  const open = runs.filter(({ report }) => report === undefined);
  let running = 0;
  for (const sync of new Set(open.map((run) => run.sync))) {
    const lease = await home.currentLease(sync);
    // A lease's owner ends with the id of the run that took it; see holdLease.
    const isHolder = (run: StoredRun): boolean => lease?.owner.endsWith(`, ${run.runId}`) === true;
    if (open.some((run) => run.sync === sync && isHolder(run))) running += 1;
  }
  return running;
}

function addTraffic(a: Traffic, b: Traffic): Traffic {
  return {
    requests: a.requests + b.requests,
    bytes: a.bytes + b.bytes,
    retries: a.retries + b.retries,
    waitedMs: a.waitedMs + b.waitedMs,
  };
}

function averagesOf(
  reports: readonly RunReport[],
  read: number,
  requests: number,
): ActivityReport["averages"] {
  if (reports.length === 0) return undefined;
  const durationMs = reports.reduce((sum, run) => sum + durationOf(run), 0);
  return {
    durationMs: durationMs / reports.length,
    recordsPerSecond: durationMs === 0 ? 0 : (read / durationMs) * 1000,
    requests: requests / reports.length,
  };
}

function durationOf({ startedAt, finishedAt }: RunReport): number {
  return Math.max(0, finishedAt - startedAt);
}

async function countAllChanges(
  home: Home,
  specs: readonly ReplicateSpec[],
  runs: readonly StoredRun[],
): Promise<readonly StreamChanges[]> {
  const byStream = new Map<string, StreamChanges>();
  for (const spec of specs) {
    const ofSync = runs.filter(({ sync }) => sync === spec.name);
    for (const counts of await countRunChanges(home, spec, ofSync)) {
      const known = byStream.get(counts.stream);
      byStream.set(counts.stream, known === undefined ? counts : addChanges(known, counts));
    }
  }
  return [...byStream.values()];
}

function addChanges(a: StreamChanges, b: StreamChanges): StreamChanges {
  const transitions = new Map<string, TransitionCount>();
  for (const entry of [...a.transitions, ...b.transitions]) {
    const id = JSON.stringify([entry.field, entry.before, entry.after]);
    const count = (transitions.get(id)?.count ?? 0) + entry.count;
    transitions.set(id, { ...entry, count });
  }
  return {
    stream: a.stream,
    new: a.new + b.new,
    updated: a.updated + b.updated,
    status: a.status + b.status,
    price: a.price + b.price,
    deleted: a.deleted + b.deleted,
    transitions: [...transitions.values()].sort((x, y) => y.count - x.count),
  };
}

/** A run of sides fails as a whole: its sync stands for the stream. */
type ErrorOf = Pick<StreamReport, "stream" | "finishedAt"> & {
  readonly error?: ReportedError | undefined;
};

/** One entry per code and stream, with the newest message. */
function countErrors(reports: readonly RunReport[]): ActivityReport["errors"] {
  const errors = new Map<string, ActivityReport["errors"][number]>();
  const parts = reports.flatMap((report): readonly ErrorOf[] =>
    isOfSides(report) ? [{ ...report, stream: report.sync }] : report.streams,
  );
  for (const { stream, finishedAt, error } of parts) {
    if (error === undefined) continue;
    const id = JSON.stringify([error.code, stream]);
    const known = errors.get(id);
    const isNewer = known === undefined || finishedAt >= known.lastAt;
    errors.set(id, {
      code: error.code,
      count: (known?.count ?? 0) + 1,
      lastAt: isNewer ? finishedAt : known.lastAt,
      stream,
      message: isNewer ? error.message : known.message,
    });
  }
  return [...errors.values()].sort((a, b) => b.count - a.count || b.lastAt - a.lastAt);
}

const MODES: readonly RunMode[] = [
  "full",
  "incremental",
  "deletions",
  "sweep",
  "keys",
  "media",
  "reconcile",
  "undo",
];

/** Sums, by sync and mode; a run that never ended counts as an execution and nothing else. */
function sumByMode(runs: readonly StoredRun[]): ActivityReport["byMode"] {
  const syncs = [...new Set(runs.map(({ sync }) => sync))].sort();
  return syncs.flatMap((sync) =>
    MODES.flatMap((mode) => {
      const ofMode = runs.filter((run) => run.sync === sync && run.mode === mode);
      if (ofMode.length === 0) return [];
      const reports = ofMode.flatMap(({ report }) => report ?? []);
      return [
        {
          sync,
          mode,
          executions: ofMode.length,
          succeeded: reports.filter(({ outcome }) => outcome === "done" || outcome === "partial")
            .length,
          durationMs: reports.reduce((sum, run) => sum + durationOf(run), 0),
          read: reports
            .flatMap((report) => report.streams)
            .reduce((sum, { ledger }) => sum + ledger.read, 0),
        },
      ];
    }),
  );
}
