import type { Command } from "commander";
import type { CheckReport } from "../../engine/results.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode, exitOfError, worstExit } from "../exit-codes.ts";
import { act } from "../session.ts";

export function addCheck(program: Command, cli: Cli): void {
  program
    .command("check")
    .helpGroup("Set up:")
    .summary("what can be reached, what a run would create")
    .description(
      "Reaches every system, says what each stream can do and what a run would create. Writes nothing to the replica.",
    )
    .action((_options: unknown, command: Command) =>
      act(cli, command, (session) =>
        session.withLockstep((lockstep) =>
          session.withWatch(async (watch) => {
            const report = await lockstep.check(watch);
            const { checkLines } = await import("../render/check.ts");
            await session.print(report, (look) => checkLines(report, look));
            return exitOfCheck(report);
          }),
        ),
      ),
    );
}

function exitOfCheck(report: CheckReport): ExitCode {
  if (report.ok) return EXIT.done;
  const errors = [
    ...report.systems.map(({ error }) => error),
    ...report.reconciles.map(({ error }) => error),
    ...report.syncs.flatMap((sync) => sync.streams.map(({ error }) => error)),
  ];
  const exits = errors.flatMap((error) => (error === undefined ? [] : [exitOfError(error.code)]));
  return exits.length === 0 ? EXIT.failed : worstExit(exits);
}
