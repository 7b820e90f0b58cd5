import type { Command } from "commander";
import { usage, wholeNumber } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT } from "../exit-codes.ts";
import type { HaltsJson } from "../json.ts";
import { act } from "../session.ts";

export function addHalts(program: Command, cli: Cli): void {
  program
    .command("halts")
    .helpGroup("Decide:")
    .summary("what waits for a person, and why")
    .description("Lists the stops for safety that wait for a person's decision.")
    .option("--all", "released ones too")
    .action((options: { readonly all?: boolean }, command: Command) =>
      act(cli, command, (session) =>
        session.withLockstep(async (lockstep) => {
          const halts = await lockstep.halts(options.all ? {} : { waiting: true });
          const { haltLines } = await import("../render/halts.ts");
          const json: HaltsJson = { halts };
          await session.print(json, (look) =>
            halts.length === 0
              ? ["Nothing waits for a decision."]
              : haltLines(halts, look).slice(1),
          );
          return EXIT.done;
        }),
      ),
    );
}

export function addRelease(program: Command, cli: Cli): void {
  program
    .command("release")
    .helpGroup("Decide:")
    .summary("let a halted sync go on")
    .description(
      "Releases a halt: makes a backup first, records who decided, and lets the sync's next run go on.",
    )
    .argument("<id>", "the halt's number, from lockstep halts", wholeNumber("The halt", 1))
    .option("--by <name>", "who decides; kept in the audit")
    .action((id: number, options: { readonly by?: string }, command: Command) =>
      act(cli, command, (session) => {
        const by = options.by?.trim();
        if (!by)
          throw usage(
            "A release needs the name of who decides.",
            `Run \`lockstep release ${id} --by YOUR-NAME\`.`,
          );
        return session.withLockstep(async (lockstep) => {
          const result = await lockstep.release(id, by);
          const { halt, backup } = result;
          const { runAfter } = await import("../render/halts.ts");
          await session.print(result, () => [
            `Released: halt ${halt.id} of ${`${halt.sync} ${halt.stream}`.trim()}, by ${by}.`,
            `Backup: ${[backup.home, ...backup.destinations].join(", ")}`,
            `Next: ${runAfter(halt)}`,
          ]);
          return EXIT.done;
        });
      }),
    );
}
