import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Lockstep } from "../../engine/lockstep.ts";
import { nearMatches } from "../../model/near-match.ts";
import type { PlanHead, PlannedRecord } from "../../model/plan.ts";
import { SyncError } from "../../model/sync-error.ts";
import { chosenSides, usage } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readPlanFile } from "../plan-file.ts";
import { act, type Session } from "../session.ts";
import { isConfirmed, withSidesWatch } from "../sides-session.ts";
import { carryOut, exitOfSidesRun } from "./run-sides.ts";

export function addApply(program: Command, cli: Cli): void {
  program
    .command("apply")
    .helpGroup("Sides:")
    .summary("do exactly what a plan of sides shows")
    .description(
      "Performs the newest plan of a sync of sides, or the one in a file, exactly as it was shown. A plan whose configuration or sides moved since is refused; a record that was edited meanwhile is left and reported. Asks first on a terminal.",
    )
    .argument("<plan>", "the sync's name, or a file of lockstep plan --out")
    .option("-y, --yes", "do not ask")
    .action((plan: string, options: { readonly yes?: boolean }, command: Command) =>
      act(cli, command, (session) =>
        session.withLockstep((lockstep) => apply(session, lockstep, plan, options.yes)),
      ),
    );
}

async function apply(
  session: Session,
  lockstep: Lockstep,
  named: string,
  yes: boolean | undefined,
): Promise<ExitCode> {
  const { head, records } = await findPlan(session, lockstep, named);
  if (!(await isConfirmed(session, await questionOf(head), yes))) {
    session.io.err("Nothing was written.\n");
    return EXIT.planned;
  }
  if (records !== undefined) {
    await withSidesWatch(session, head.sync, (watch) =>
      lockstep.reconcile.importPlan(head.sync, head, records, watch),
    );
  }
  return applyKept(session, lockstep, head);
}

/** Performs a plan that is in the home, and shows what came of it. */
export async function applyKept(
  session: Session,
  lockstep: Lockstep,
  { sync, plan }: PlanHead,
): Promise<ExitCode> {
  const run = await carryOut(session, lockstep, sync, (watch) =>
    lockstep.reconcile.apply(sync, plan, watch),
  );
  const { sidesRunLines } = await import("../render/sides-run.ts");
  if (session.globals.quiet !== true || session.globals.json === true) {
    await session.print(run, (look) => sidesRunLines(run, look));
  }
  return exitOfSidesRun(run);
}

interface FoundPlan {
  readonly head: PlanHead;
  /** Of a file, still to be taken in. */
  readonly records?: AsyncIterable<PlannedRecord>;
}

async function findPlan({ io }: Session, lockstep: Lockstep, named: string): Promise<FoundPlan> {
  const syncs = [...lockstep.syncs, ...lockstep.reconcile.syncs].map(({ name }) => name);
  if (syncs.includes(named)) {
    const { name } = chosenSides(lockstep, named);
    const head = await lockstep.reconcile.kept(name);
    if (head !== undefined) return { head };
    throw new SyncError("PLAN_UNKNOWN", `There is no plan that waits for "${name}".`, {
      hint: `Make one: lockstep plan ${name}`,
    });
  }
  const file = resolve(io.directory, named);
  if (!existsSync(file)) {
    const [near] = nearMatches(named, syncs);
    const meant = near === undefined ? "" : ` (did you mean "${near}"?)`;
    throw usage(
      `"${named}" is neither a sync${meant} nor a file; syncs: ${syncs.join(", ") || "none"}.`,
    );
  }
  const found = await readPlanFile(file);
  chosenSides(lockstep, found.head.sync);
  return found;
}

async function questionOf({ sync, sides, undoes }: PlanHead): Promise<string> {
  const { writesInWords } = await import("../render/sides-plan.ts");
  const counts = Object.entries(sides).map(([side, planned]) => ({
    ...planned,
    side,
    system: "",
    stream: "",
    known: 0,
  }));
  const what = writesInWords({ sides: counts }) || "nothing to write, only to agree";
  return `${undoes === undefined ? `Apply the plan of ${sync}` : `Undo run ${undoes} of ${sync}`}: ${what}?`;
}
