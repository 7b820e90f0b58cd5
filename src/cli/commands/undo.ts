import type { Command } from "commander";
import type { Lockstep } from "../../engine/lockstep.ts";
import { chosenSides, wholeNumber } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { act, type Session } from "../session.ts";
import { isConfirmed, withSidesWatch } from "../sides-session.ts";
import { applyKept } from "./apply.ts";
import { type SidesPlanOptions, viewOf } from "./plan-sides.ts";

interface UndoOptions extends SidesPlanOptions {
  readonly yes?: boolean;
}

export function addUndo(program: Command, cli: Cli): void {
  program
    .command("undo")
    .helpGroup("Sides:")
    .summary("put back what a run of sides wrote")
    .description(
      "Shows how every side would be put back to where a run found it, asks, and does it. What was edited since is left as it is and reported. Runs of the sync then wait for a release.",
    )
    .argument("<sync>", "the sync")
    .argument("<run>", "the run, from lockstep history or lockstep status")
    .option("-y, --yes", "do not ask")
    .option("--limit <n>", "show so many records (20)", wholeNumber("--limit", 0))
    .option("--all", "show all records")
    .action((sync: string, run: string, options: UndoOptions, command: Command) =>
      act(cli, command, (session) =>
        session.withLockstep((lockstep) => undo(session, lockstep, sync, run, options)),
      ),
    );
}

async function undo(
  session: Session,
  lockstep: Lockstep,
  named: string,
  run: string,
  options: UndoOptions,
): Promise<ExitCode> {
  const { name: sync } = chosenSides(lockstep, named);
  const { head, view } = await withSidesWatch(session, sync, async (watch) => {
    const plan = await lockstep.reconcile.planUndo(sync, run, watch);
    return { head: plan.head, view: await viewOf(lockstep, plan, options) };
  });
  const { writesInWords, sidesPlanLines } = await import("../render/sides-plan.ts");
  if (session.globals.quiet !== true && session.globals.json !== true) {
    await session.print(view, (look) => [...sidesPlanLines(view, look), ""]);
  }
  const what = writesInWords(view) || "nothing to write";
  if (!(await isConfirmed(session, `Undo run ${run} of ${sync}: ${what}?`, options.yes))) {
    session.io.err(`Nothing was written; lockstep apply ${sync} would do it.\n`);
    return EXIT.planned;
  }
  return applyKept(session, lockstep, head);
}
