import type { Command } from "commander";
import { chosenOfBoth } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT } from "../exit-codes.ts";
import { act } from "../session.ts";

export function addStatus(program: Command, cli: Cli): void {
  program
    .command("status")
    .helpGroup("Look:")
    .summary("how fresh copies are, how sides stand, what waits")
    .description(
      "Says how fresh each stream is, what runs, and what waits for a person. Needs no network.",
    )
    .argument("[sync]", "only this sync")
    .action((sync: string | undefined, _options: unknown, command: Command) =>
      act(cli, command, (session) =>
        session.withLockstep(async (lockstep) => {
          const { copies, sides } = chosenOfBoth(lockstep, sync);
          const { statusLines } = await import("../render/status.ts");
          const all = await lockstep.status();
          const result = {
            ...all,
            syncs: all.syncs.filter((entry) => copies.includes(entry.sync)),
            reconciles: all.reconciles.filter((entry) => sides.includes(entry.sync)),
          };
          await session.print(result, (look) => statusLines(result, look));
          return EXIT.done;
        }),
      ),
    );
}
