import type { Command } from "commander";
import { chosenOfBoth, pointInTime, wholeNumber } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT } from "../exit-codes.ts";
import { act } from "../session.ts";

interface ReportOptions {
  readonly hours: number;
  readonly since?: string;
}

const HOUR_MS = 3_600_000;

export function addReport(program: Command, cli: Cli): void {
  program
    .command("report")
    .helpGroup("Look:")
    .summary("runs, errors and averages of the last day")
    .description(
      "Sums the runs of a window of time: how many went well, records, changes, traffic, errors. Needs no network.",
    )
    .argument("[sync]", "only this sync")
    .option("--hours <n>", "so many hours back from now", wholeNumber("--hours", 1), 24)
    .option("--since <when>", "1d, 6h, 2026-11-01 or 2026-11-01T08:00, instead of --hours")
    .action((sync: string | undefined, options: ReportOptions, command: Command) =>
      act(cli, command, (session) =>
        session.withLockstep(async (lockstep) => {
          const until = session.io.now();
          const { since } = options;
          const from =
            since === undefined
              ? until - options.hours * HOUR_MS
              : pointInTime("--since", since, until);
          if (sync !== undefined) chosenOfBoth(lockstep, sync);
          const report = await lockstep.report({
            since: from,
            until,
            ...(sync === undefined ? {} : { sync }),
          });
          const { activityLines } = await import("../render/activity.ts");
          await session.print(report, (look) => activityLines(report, look));
          return EXIT.done;
        }),
      ),
    );
}
