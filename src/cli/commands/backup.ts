import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { EXIT } from "../exit-codes.ts";
import { act } from "../session.ts";

export function addBackup(program: Command, cli: Cli): void {
  program
    .command("backup")
    .helpGroup("Decide:")
    .summary("copy the home and the replica")
    .description(
      "Makes a consistent copy of the home and of every replica, beside them. Runs may go on meanwhile.",
    )
    .option("--label <text>", "part of the copy's name", "manual")
    .action((options: { readonly label: string }, command: Command) =>
      act(cli, command, (session) =>
        session.withLockstep(async (lockstep) => {
          const result = await lockstep.backup(options.label);
          await session.print(result, () => [
            "Copied to:",
            ...[result.home, ...result.destinations].map((path) => `  ${path}`),
          ]);
          return EXIT.done;
        }),
      ),
    );
}
