import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { EXIT } from "../exit-codes.ts";
import { act } from "../session.ts";

export function addQuota(program: Command, cli: Cli): void {
  program
    .command("quota")
    .helpGroup("Look:")
    .summary("what is left of each system's quotas")
    .description(
      "Says what is left of each system's quotas in each window, as counted here. Needs no network.",
    )
    .action((_options: unknown, command: Command) =>
      act(cli, command, (session) =>
        session.withLockstep(async (lockstep) => {
          const { quotaLines } = await import("../render/quota.ts");
          const result = await lockstep.quota();
          await session.print(result, (look) => quotaLines(result, look));
          return EXIT.done;
        }),
      ),
    );
}
