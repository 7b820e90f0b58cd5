import type { Command } from "commander";
import type { Lockstep } from "../../engine/lockstep.ts";
import type { VerifiedAndHalts } from "../../engine/reconcile/verbs.ts";
import type { VerifyRequest, VerifyResult } from "../../engine/results.ts";
import {
  checkStreams,
  chosenOfBoth,
  collectNames,
  refuseCopyOptions,
  refuseWithoutSyncs,
  usage,
  wholeNumber,
} from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode, exitOfError, worstExit } from "../exit-codes.ts";
import type { SidesVerifyJson, VerifyJson } from "../json.ts";
import { act, type Session } from "../session.ts";
import { withSidesWatch } from "../sides-session.ts";
import { carryOut } from "./run-sides.ts";

interface VerifyOptions {
  readonly stream?: readonly string[];
  readonly fields?: boolean;
  readonly sample?: number;
  readonly repair?: boolean;
  readonly full?: boolean;
}

export function addVerify(program: Command, cli: Cli): void {
  program
    .command("verify")
    .helpGroup("Prove:")
    .summary("is the copy equal to its source, has every side what is agreed?")
    .description(
      "Compares the whole replica with the source: counts, keys and times; with --fields every value. Of a sync of sides, every side with what is agreed. Ends with 1 when something differs and was not repaired.",
    )
    .argument("[sync]", "only this sync")
    .option("--stream <name>", "only this stream (repeat, or part with commas)", collectNames)
    .option("--fields", "compare every field of every record")
    .option(
      "--sample <n>",
      "compare so many records of each stream, chosen at random",
      wholeNumber("--sample", 1),
    )
    .option(
      "--full",
      "of sides: read every record, also where its digest tells that it is as agreed",
    )
    .option("--repair", "put right what differs; of sides, by a run")
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
    refuseWithoutSyncs(lockstep);
    const { copies: syncs, sides } = chosenOfBoth(lockstep, sync);
    const { stream } = options;
    refuseOptions(sync, sides, options);
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
    const compared: SidesVerifyJson[] = [];
    for (const name of stream === undefined ? sides : []) {
      compared.push(await verifySync(session, lockstep, name, options));
    }
    if (!session.globals.quiet || session.globals.json) {
      const { verifyLines } = await import("../render/compare.ts");
      const { sidesVerifyLines } = await import("../render/sides-verify.ts");
      const equal = results.every((one) => one.equal) && compared.every(({ isEqual }) => isEqual);
      const json: VerifyJson = { equal, results, sides: compared };
      await session.print(json, (look) => [
        ...results.flatMap((result) => verifyLines(result, request, look)),
        ...compared.flatMap((result) => sidesVerifyLines(result, look)),
      ]);
    }
    const unequal = compared.some(({ isEqual }) => !isEqual) ? [EXIT.failed] : [];
    return worstExit([...results.map(exitOfVerify), ...unequal]);
  });
}

/** Replicas and syncs of sides are each verified in a way of their own. */
function refuseOptions(
  sync: string | undefined,
  sides: readonly string[],
  { stream, fields, full }: VerifyOptions,
): void {
  if (sync !== undefined && sides.length > 0) refuseCopyOptions(sync, { stream, fields });
  if (full !== true || sides.length > 0) return;
  throw usage("--full is for syncs of sides; of a replica, --fields compares every value.");
}

/** What differs on the sides and, with `--repair`, what is left after a run. */
async function verifySync(
  session: Session,
  lockstep: Lockstep,
  sync: string,
  { sample, full, repair }: VerifyOptions,
): Promise<SidesVerifyJson> {
  const verify = (): Promise<VerifiedAndHalts> =>
    withSidesWatch(session, sync, (watch) =>
      lockstep.reconcile.verify(
        sync,
        { ...(sample === undefined ? {} : { sample }), ...(full === true ? { full } : {}) },
        watch,
      ),
    );
  const found = await verify();
  if (found.isEqual || repair !== true) return { sync, ...found };
  // What differs may be what a side's feed of changes never told.
  const ran = await carryOut(session, lockstep, sync, (watch) =>
    lockstep.reconcile.run(sync, watch, { full: true }),
  );
  return { sync, ...(await verify()), repair: ran };
}

function exitOfVerify({ equal, streams }: VerifyResult): ExitCode {
  const errors = streams.flatMap(({ error }) =>
    error === undefined ? [] : [exitOfError(error.code)],
  );
  return equal ? EXIT.done : worstExit([EXIT.failed, ...errors]);
}
