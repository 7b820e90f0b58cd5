import type { Command } from "commander";
import type { Lockstep } from "../../engine/lockstep.ts";
import type { CheckReport } from "../../engine/results.ts";
import { usage } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode, exitOfError, worstExit } from "../exit-codes.ts";
import { act, type Session } from "../session.ts";
import { isConfirmed } from "../sides-session.ts";

export function addCheck(program: Command, cli: Cli): void {
  program
    .command("check")
    .helpGroup("Set up:")
    .summary("what can be reached, what a run would create")
    .description(
      "Reaches every system, says what each stream can do and what a run would create. Writes nothing to the replica.",
    )
    .option(
      "--certificate <system.stream>",
      "instead: write values that systems are known to lose to a record of its own in that stream, tell what came back, and delete the record",
    )
    .option("--by <name>", "with --certificate: who decides (default: the user of the system)")
    .option("-y, --yes", "with --certificate: do not ask")
    .action((options: CheckOptions, command: Command) =>
      act(cli, command, (session) =>
        session.withLockstep((lockstep) =>
          options.certificate === undefined
            ? check(session, lockstep)
            : certify(session, lockstep, options.certificate, options),
        ),
      ),
    );
}

interface CheckOptions {
  readonly certificate?: string;
  readonly by?: string;
  readonly yes?: boolean;
}

function check(session: Session, lockstep: Lockstep): Promise<ExitCode> {
  return session.withWatch(async (watch) => {
    const report = await lockstep.check(watch);
    const { checkLines } = await import("../render/check.ts");
    await session.print(report, (look) => checkLines(report, look));
    return exitOfCheck(report);
  });
}

/** What survives in a real system. What it does not keep is knowledge, and no failure. */
async function certify(
  session: Session,
  lockstep: Lockstep,
  place: string,
  { by, yes }: CheckOptions,
): Promise<ExitCode> {
  const at = place.indexOf(".");
  if (at < 1 || at === place.length - 1) {
    throw usage(`--certificate is "${place}"; expected SYSTEM.STREAM, such as shopdb.product.`);
  }
  const named = { system: place.slice(0, at), stream: place.slice(at + 1) };
  const { writes } = await session.withWatch((watch) => lockstep.certificateCost(named, watch));
  const question = `Make a record in ${named.stream} of ${named.system}, write to it about ${writes} times, and delete it?`;
  if (!(await isConfirmed(session, question, yes))) {
    session.io.err("Nothing was written.\n");
    return EXIT.planned;
  }
  const certificate = await session.withWatch((watch) =>
    lockstep.certificate({ ...named, by: by ?? session.io.user }, watch),
  );
  const { certificateLines } = await import("../render/certificate.ts");
  await session.print(certificate, (look) => certificateLines(certificate, look));
  return EXIT.done;
}

function exitOfCheck(report: CheckReport): ExitCode {
  if (report.ok) return EXIT.done;
  const errors = [
    ...report.systems.map(({ error }) => error),
    ...report.reconciles.map(({ error }) => error),
    ...report.syncs.flatMap((sync) => sync.streams.map(({ error }) => error)),
  ];
  const exits = errors.flatMap((error) => (error === undefined ? [] : [exitOfError(error.code)]));
  return exits.length === 0 ? EXIT.failed : worstExit(exits);
}
