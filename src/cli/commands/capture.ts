import type { Command } from "commander";
import type { CaptureChangesRequest } from "../../engine/capture-changes.ts";
import { wholeNumber } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT } from "../exit-codes.ts";
import { act } from "../session.ts";

interface Options {
  readonly keep?: number;
  readonly dryRun?: boolean;
  readonly by?: string;
}

export function addInstallCapture(program: Command, cli: Cli): void {
  program
    .command("install-capture")
    .helpGroup("Set up:")
    .summary("let a database note what changes in it")
    .description(
      "Writes triggers into a database that note every change and deletion in a table of their own, _lockstep_outbox, so that runs read only what changed. One transaction where the database can; doing it again changes nothing.",
    )
    .argument("<system>", "the system, as the configuration names it")
    .argument("[tables...]", "its tables (default: those that syncs use)")
    .option(
      "--keep <days>",
      "days that noted changes are kept (default: 14)",
      wholeNumber("--keep", 1),
    )
    .option("--dry-run", "only print what would be done")
    .option("--by <name>", "who decides (default: the user of the system)")
    .action((system: string, tables: readonly string[], options: Options, command: Command) =>
      change(cli, command, options, { action: "install", system, streams: tables }),
    );
}

export function addUninstallCapture(program: Command, cli: Cli): void {
  program
    .command("uninstall-capture")
    .helpGroup("Set up:")
    .summary("take all of that away again")
    .description(
      "Takes the triggers of install-capture away, and with the last of them its tables. One transaction where the database can; doing it again changes nothing.",
    )
    .argument("<system>", "the system, as the configuration names it")
    .argument("[tables...]", "its tables (default: all that are captured)")
    .option("--dry-run", "only print what would be done")
    .option("--by <name>", "who decides (default: the user of the system)")
    .action((system: string, tables: readonly string[], options: Options, command: Command) =>
      change(cli, command, options, { action: "uninstall", system, streams: tables }),
    );
}

function change(
  cli: Cli,
  command: Command,
  { keep, dryRun, by }: Options,
  asked: Pick<CaptureChangesRequest, "action" | "system" | "streams">,
): Promise<void> {
  return act(cli, command, (session) =>
    session.withLockstep(async (lockstep) => {
      const request = {
        ...asked,
        dryRun: dryRun === true,
        by: by ?? session.io.user,
        ...(keep === undefined ? {} : { keepDays: keep }),
      };
      const result = await session.withWatch((watch) => lockstep.capture(request, watch));
      const { captureLines } = await import("../render/capture.ts");
      await session.print(result, () => captureLines(result));
      return EXIT.done;
    }),
  );
}
