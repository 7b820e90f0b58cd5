import type { Command } from "commander";
import type { VerifyRequest, VerifyResult } from "../../engine/results.ts";
import { checkStreams, chosenSyncs, collectNames, wholeNumber } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode, exitOfError, worstExit } from "../exit-codes.ts";
import type { VerifyJson } from "../json.ts";
import { act, type Session } from "../session.ts";

interface VerifyOptions {
  readonly stream?: readonly string[];
  readonly fields?: boolean;
  readonly sample?: number;
  readonly repair?: boolean;
}

export function addVerify(program: Command, cli: Cli): void {
  program
    .command("verify")
    .helpGroup("Prove:")
    .summary("is the replica equal to the source?")
    .description(
      "Compares the whole replica with the source: counts, keys and times; with --fields every value. Ends with 1 when something differs and was not repaired.",
    )
    .argument("[sync]", "only this sync")
    .option("--stream <name>", "only this stream (repeat, or part with commas)", collectNames)
    .option("--fields", "compare every field of every record")
    .option(
      "--sample <n>",
      "compare so many records of each stream, chosen at random",
      wholeNumber("--sample", 1),
    )
    .option("--repair", "put right what differs")
    .action((sync: string | undefined, options: VerifyOptions, command: Command) =>
      act(cli, command, (session) => verify(session, sync, options)),
    );
}

async function verify(
  session: Session,
  sync: string | undefined,
  options: VerifyOptions,
): Promise<ExitCode> {
  return session.withLockstep(async (lockstep) => {
    const syncs = chosenSyncs(lockstep, sync);
    checkStreams(lockstep, syncs, options.stream ?? []);
    const request: VerifyRequest = {
      // A sample is small, so its contents are compared too.
      fields: options.fields === true || options.sample !== undefined,
      repair: options.repair === true,
      ...(options.stream === undefined ? {} : { streams: options.stream }),
      ...(options.sample === undefined ? {} : { sample: options.sample }),
    };
    const results = await session.withWatch(async (watch) => {
      const verified: VerifyResult[] = [];
      for (const name of syncs) verified.push(await lockstep.verify(name, request, watch));
      return verified;
    });
    if (!session.globals.quiet || session.globals.json) {
      const { verifyLines } = await import("../render/compare.ts");
      const json: VerifyJson = { equal: results.every(({ equal }) => equal), results };
      await session.print(json, (look) =>
        results.flatMap((result) => verifyLines(result, request, look)),
      );
    }
    return worstExit(results.map(exitOfVerify));
  });
}

function exitOfVerify({ equal, streams }: VerifyResult): ExitCode {
  const errors = streams.flatMap(({ error }) =>
    error === undefined ? [] : [exitOfError(error.code)],
  );
  return equal ? EXIT.done : worstExit([EXIT.failed, ...errors]);
}
