import type { GuardSpec } from "../../model/replicate.ts";
import { ledgerAddsUp, type RunReport, type StreamReport } from "../../model/run.ts";
import { readReplica } from "./replica.ts";
import { calmHome } from "./state-checks.ts";
import { HAPPENINGS } from "./tallies.ts";
import type { WorldState } from "./world-state.ts";
import type { RowCounts } from "./write-checks.ts";

/** How the streams stood when a run began. */
export interface Before {
  readonly rows: ReadonlyMap<string, number>;
  /** Streams with a released halt that waits to be used. */
  readonly released: ReadonlySet<string>;
  readonly edits: number;
}

export async function lookBefore(world: WorldState): Promise<Before> {
  const { name, streams } = world.shape.spec;
  const halts = await calmHome(world).halts({ sync: name, waiting: false });
  return {
    rows: new Map(streams.map(({ stream }) => [stream, readReplica(world.rows, stream).rows.size])),
    edits: world.people.edits(),
    released: new Set(
      halts.filter((halt) => halt.closedAt === undefined).map((halt) => halt.stream),
    ),
  };
}

/** A finished run as its own process knows it. */
export interface FinishedRun {
  readonly report: RunReport;
  readonly before: Before;
  readonly delivered: ReadonlyMap<string, number>;
  readonly written: (stream: string) => RowCounts;
}

/** A report is true: its figures add up, agree with what was written, and its halts are kept. */
export async function checkReport(world: WorldState, run: FinishedRun): Promise<void> {
  const { report } = run;
  const complain = (text: string): void => {
    world.violations.push(`run ${report.runId} (${report.mode}): ${text}`);
  };
  for (const stream of report.streams) {
    tally(world, stream);
    checkLedger(run, stream, complain);
    checkGuard(world.shape.spec.guard, world, run, stream, complain);
    checkHalt(world, stream, complain);
    if (world.shape.shared) await checkLogged(world, report, stream, complain);
  }
  const stored = await calmHome(world).run(report.runId);
  if (stored === undefined) complain("it is not in the home");
  else if (stored.outcome === undefined) {
    if (report.outcome === "done" || report.outcome === "partial") complain("its end is not kept");
  } else if (stored.outcome !== report.outcome) complain(`it is kept as ${stored.outcome}`);
}

type Complain = (text: string) => void;

function tally(world: WorldState, { phase, error, ledger, notes }: StreamReport): void {
  const { tallies } = world;
  const halt = HAPPENINGS.find((happening) => happening === error?.code);
  if (phase === "halted" && halt !== undefined) tallies.count(halt);
  if (ledger.parked > 0) tallies.count("record parked", ledger.parked);
  if (notes.some((note) => note.startsWith("Resumed"))) tallies.count("resumed walk");
}

/** Modes in which everything that is read is applied. */
const READ_IS_APPLIED: readonly string[] = ["full", "incremental", "sweep"];

function checkLedger(
  { report, delivered }: FinishedRun,
  { stream, phase, ledger }: StreamReport,
  complain: Complain,
): void {
  if (!ledgerAddsUp(ledger)) complain(`${stream} does not add up: ${JSON.stringify(ledger)}`);
  const given = delivered.get(stream) ?? 0;
  if (phase === "done" && READ_IS_APPLIED.includes(report.mode) && ledger.read !== given) {
    complain(`${stream} was given ${given} records and accounts for ${ledger.read}`);
  }
}

function checkGuard(
  guard: GuardSpec,
  world: WorldState,
  { before, written }: FinishedRun,
  { stream }: StreamReport,
  complain: Complain,
): void {
  const { deletes } = written(stream);
  const after = readReplica(world.rows, stream).rows.size;
  const rows = Math.max(before.rows.get(stream) ?? 0, after + deletes);
  const byShare = Math.max(guard.deleteFloor, Math.floor(rows * guard.deleteShare));
  // What vanishes between the guard's look and the last question is deleted as well.
  const meanwhile = world.people.edits() - before.edits;
  const allowed = Math.min(guard.deleteCount, byShare) + meanwhile;
  if (deletes > allowed && !before.released.has(stream)) {
    complain(`${stream} lost ${deletes} of ${rows} rows; the guard allows ${allowed}`);
  }
}

function checkHalt(
  world: WorldState,
  { stream, phase, error, haltId }: StreamReport,
  complain: Complain,
): void {
  const isStopped = phase === "done" || phase === "stopped";
  if ((error === undefined) !== isStopped)
    complain(`${stream} is ${phase} with error ${error?.code}`);
  if (phase !== "halted") return;
  // Looked up in what the home keeps, since a later run may have closed it by now.
  const kept = world.home.halts.find((entry) => entry.halt.id === haltId)?.halt;
  if (kept?.code !== error?.code || kept?.stream !== stream) {
    complain(`${stream} halted with ${error?.code}, and no such halt is kept`);
  }
}

async function checkLogged(
  world: WorldState,
  report: RunReport,
  { stream, ledger }: StreamReport,
  complain: Complain,
): Promise<void> {
  const spec = world.shape.spec.streams.find((entry) => entry.stream === stream);
  if (spec?.history === "off") return;
  let entries = 0;
  for await (const change of calmHome(world).changes({ runId: report.runId, stream })) {
    if (change.runId === report.runId) entries += 1;
  }
  const booked = ledger.created + ledger.updated + ledger.deleted;
  if (entries !== booked) complain(`${stream} booked ${booked} changes and logged ${entries}`);
}
