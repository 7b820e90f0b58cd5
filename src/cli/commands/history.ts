import type { Command } from "commander";
import { chosenSides, wholeNumber } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT } from "../exit-codes.ts";
import type { HistoryJson } from "../json.ts";
import { act } from "../session.ts";

interface HistoryOptions {
  readonly run?: string;
  readonly limit?: number;
}

const WRITES_SHOWN = 50;

export function addHistory(program: Command, cli: Cli): void {
  program
    .command("history")
    .helpGroup("Sides:")
    .summary("what was written to the sides, newest first")
    .description(
      "Lists the writes of a sync of sides, newest first, with what became of each. Needs no network.",
    )
    .argument("<sync>", "the sync")
    .argument("[record]", "only this record: its match value, or a side's key as SIDE:KEY")
    .option("--run <id>", "only what this run wrote")
    .option("--limit <n>", "at most so many (50); 0 for all", wholeNumber("--limit", 0))
    .action(
      (named: string, record: string | undefined, options: HistoryOptions, command: Command) =>
        act(cli, command, (session) =>
          session.withLockstep(async (lockstep) => {
            const { name: sync } = chosenSides(lockstep, named);
            const asked = options.limit ?? WRITES_SHOWN;
            const limit = asked === 0 ? Number.MAX_SAFE_INTEGER - 1 : asked;
            const found = await lockstep.reconcile.history(sync, {
              limit: limit + 1,
              ...(record === undefined ? {} : { record }),
              ...(options.run === undefined ? {} : { runId: options.run }),
            });
            const writes = found.slice(0, limit);
            const json: HistoryJson = { writes, truncated: found.length > writes.length };
            const { historyLines } = await import("../render/history.ts");
            await session.print(json, (look) => historyLines(json, look));
            return EXIT.done;
          }),
        ),
    );
}
