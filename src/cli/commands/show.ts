import type { Command } from "commander";
import type { RecordKey } from "../../model/record.ts";
import { collectNames, refuseWithoutCopies } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { monitorsOf } from "../monitors.ts";
import { act, type Session } from "../session.ts";

interface ShowOptions {
  readonly sync?: string;
  readonly with?: readonly string[];
  readonly live?: boolean;
  readonly changes?: boolean;
  readonly all?: boolean;
}

/** As many changes of one record as a person reads. */
const CHANGES_MAX = 100;

export function addShow(program: Command, cli: Cli): void {
  program
    .command("show")
    .helpGroup("Look:")
    .summary("one record, what belongs to it, its history")
    .description("Shows one record from the replica, or from the source with --live.")
    .argument("<stream>", "such as Property")
    .argument("<key>", "such as 1611952; a key of several fields as a JSON array")
    .option("--with <streams>", "records of these streams that belong to it", collectNames)
    .option("--live", "from the source instead of the replica")
    .option("--changes", "its history too")
    .option("--all", "empty fields too")
    .option("--sync <name>", "where several syncs have the stream")
    .action((stream: string, key: string, options: ShowOptions, command: Command) =>
      act(cli, command, (session) => show(session, stream, key as RecordKey, options)),
    );
}

async function show(
  session: Session,
  stream: string,
  key: RecordKey,
  options: ShowOptions,
): Promise<ExitCode> {
  return session.withLockstep((lockstep) =>
    session.withWatch(async (watch) => {
      const request = {
        stream,
        key,
        changesMax: options.changes ? CHANGES_MAX : 0,
        ...(options.with === undefined ? {} : { related: options.with }),
        ...(options.live ? { live: true } : {}),
      };
      refuseWithoutCopies(lockstep);
      const result = await lockstep.show(options.sync, request, watch);
      const { recordLines } = await import("../render/record.ts");
      const monitor = monitorsOf(lockstep)(result.sync, stream);
      const drawn = {
        monitor,
        isWhole: options.all === true,
        hasChanges: options.changes === true,
      };
      await session.print(result, (look) => recordLines(result, drawn, look));
      return result.record === undefined ? EXIT.failed : EXIT.done;
    }),
  );
}
