import type { Command } from "commander";
import type { Lockstep } from "../../engine/lockstep.ts";
import { SyncError } from "../../model/sync-error.ts";
import { checkStreams, chosenOfBoth, isSideOf, usage, wholeNumber } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { ParkedDropJson, ParkedJson } from "../json.ts";
import { act, type Session } from "../session.ts";

interface ListOptions {
  readonly sync?: string;
  readonly stream?: string;
  readonly limit: number;
}

interface ManyOptions {
  readonly stream?: string;
  readonly all?: boolean;
}

const parsedId = wholeNumber("The parked record", 1);
const collectId = (text: string, previous: readonly number[] = []): readonly number[] => [
  ...previous,
  parsedId(text),
];

export function addParked(program: Command, cli: Cli): void {
  const parked = program
    .command("parked")
    .helpGroup("Decide:")
    .summary("records set aside with their error")
    .description(
      "Records that could not be copied, and writes that a side refused, are set aside with their error and block nothing. These commands list them, show them whole, try them again, or give them up.",
    );
  parked
    .command("list", { isDefault: true })
    .description("lists parked records with their reasons")
    .option("--sync <name>", "only this sync")
    .option("--stream <name>", "only this stream, or this side")
    .option("--limit <n>", "at most so many", wholeNumber("--limit", 1), 50)
    .action((options: ListOptions, command: Command) =>
      act(cli, command, (session) => list(session, options)),
    );
  parked
    .command("show")
    .description("shows one with what the source sent, or the side refused")
    .argument("<id>", "its number", parsedId)
    .action((id: number, _options: unknown, command: Command) =>
      act(cli, command, (session) => show(session, id)),
    );
  parked
    .command("retry")
    .description("reads them again from the source; of sides, lets the next run try them")
    .argument("[ids...]", "their numbers", collectId)
    .option("--stream <name>", "all of this stream")
    .option("--all", "all")
    .action((ids: readonly number[], options: ManyOptions, command: Command) =>
      act(cli, command, (session) => retry(session, ids, options)),
    );
  parked
    .command("drop")
    .description("takes them off the list until they are read again; audited")
    .argument("[ids...]", "their numbers", collectId)
    .option("--stream <name>", "all of this stream")
    .option("--all", "all")
    .option("--by <name>", "who decides (default: the user of the system)")
    .action(
      (ids: readonly number[], options: ManyOptions & { readonly by?: string }, command: Command) =>
        act(cli, command, (session) => drop(session, ids, options)),
    );
}

async function list(session: Session, options: ListOptions): Promise<ExitCode> {
  return session.withLockstep(async (lockstep) => {
    const { sync, stream, limit } = options;
    checkPlace(lockstep, sync, stream);
    const records = await lockstep.parked({
      limit,
      ...(sync === undefined ? {} : { sync }),
      ...(stream === undefined ? {} : { stream }),
    });
    const { parkedLines } = await import("../render/parked.ts");
    const json: ParkedJson = { parked: records };
    await session.print(json, (look) => parkedLines(records, look));
    return EXIT.done;
  });
}

async function show(session: Session, id: number): Promise<ExitCode> {
  return session.withLockstep(async (lockstep) => {
    const [record] = await lockstep.parked({ id });
    if (record === undefined) throw noSuchRecord(id);
    const { parkedRecordLines } = await import("../render/parked.ts");
    await session.print(record, (look) => parkedRecordLines(record, look));
    return EXIT.done;
  });
}

/** Refuses a sync that is not there, and a stream or side that none of the meant ones has. */
function checkPlace(
  lockstep: Lockstep,
  sync: string | undefined,
  stream: string | undefined,
): void {
  const { copies, sides } = chosenOfBoth(lockstep, sync);
  if (stream === undefined || isSideOf(lockstep, sides, stream)) return;
  checkStreams(lockstep, copies, [stream], true);
}

function noSuchRecord(id: number): SyncError {
  return new SyncError("USAGE", `There is no parked record ${id}; it may have been settled.`, {
    hint: "Run `lockstep parked list` to see those that wait.",
  });
}

async function retry(
  session: Session,
  ids: readonly number[],
  options: ManyOptions,
): Promise<ExitCode> {
  return session.withLockstep(async (lockstep) => {
    const chosen = await chooseIds(lockstep, ids, options);
    const result = await session.withWatch((watch) => lockstep.retryParked(chosen, watch));
    const { retryLines } = await import("../render/parked.ts");
    await session.print(result, (look) => retryLines(result, look));
    return result.stillParked.length === 0 ? EXIT.done : EXIT.parked;
  });
}

async function drop(
  session: Session,
  ids: readonly number[],
  options: ManyOptions & { readonly by?: string },
): Promise<ExitCode> {
  return session.withLockstep(async (lockstep) => {
    const chosen = await chooseIds(lockstep, ids, options);
    const dropped = await lockstep.dropParked(chosen, options.by ?? session.io.user);
    const json: ParkedDropJson = { dropped };
    await session.print(json, () => [`Dropped: ${dropped} of ${chosen.length}.`]);
    return EXIT.done;
  });
}

/** The numbers given, or all of a stream, or all. Throws USAGE when it is not said which. */
async function chooseIds(
  lockstep: Lockstep,
  ids: readonly number[],
  options: ManyOptions,
): Promise<readonly number[]> {
  const ways = [ids.length > 0, options.stream !== undefined, options.all === true].filter(
    Boolean,
  ).length;
  if (ways !== 1) {
    throw usage(
      "Say which parked records are meant.",
      "Give their numbers, or --stream NAME, or --all.",
    );
  }
  checkPlace(lockstep, undefined, options.stream);
  const records =
    ids.length > 0
      ? []
      : await lockstep.parked(options.stream === undefined ? {} : { stream: options.stream });
  return ids.length > 0 ? ids : records.map(({ id }) => id);
}
