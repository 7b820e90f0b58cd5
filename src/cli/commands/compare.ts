import type { Command } from "commander";
import { gatherKeys, refuseWithoutCopies, usage } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode, exitOfRuns } from "../exit-codes.ts";
import { act, type Session } from "../session.ts";

interface CompareOptions {
  readonly sync?: string;
  readonly keysFile?: string;
  readonly repair?: boolean;
}

export function addCompare(program: Command, cli: Cli): void {
  program
    .command("compare")
    .helpGroup("Prove:")
    .summary("single records: replica beside source")
    .description(
      "Compares single records of the replica with the source, field by field, and says what brings them in step. Ends with 1 when something differs.",
    )
    .argument("<stream>", "such as Property")
    .argument("[keys...]", "such as 1611952")
    .option("--keys-file <file>", "one key a line; - reads standard input")
    .option("--repair", "bring them in step")
    .option("--sync <name>", "where several syncs have the stream")
    .action((stream: string, keys: readonly string[], options: CompareOptions, command: Command) =>
      act(cli, command, (session) => compare(session, stream, keys, options)),
    );
}

async function compare(
  session: Session,
  stream: string,
  given: readonly string[],
  options: CompareOptions,
): Promise<ExitCode> {
  const keys = gatherKeys(given, options.keysFile, session.io.directory);
  if (keys.length === 0)
    throw usage(
      "No key is given.",
      "Write them behind the stream: `lockstep compare Property 1611952`.",
    );
  return session.withLockstep((lockstep) =>
    session.withWatch(async (watch) => {
      const request = { stream, keys, repair: options.repair === true };
      refuseWithoutCopies(lockstep);
      const result = await lockstep.compare(options.sync, request, watch);
      const { compareLines } = await import("../render/compare.ts");
      await session.print(result, (look) => compareLines(result, look));
      if (result.repair !== undefined) return exitOfRuns(result.repair.outcome, [result.repair]);
      return result.inStep ? EXIT.done : EXIT.failed;
    }),
  );
}
