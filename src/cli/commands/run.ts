import type { Command } from "commander";
import type { Lockstep } from "../../engine/lockstep.ts";
import type { RequestedMode, SyncRunRequest, SyncRunResult, Watch } from "../../engine/results.ts";
import type { RunOutcome } from "../../model/run.ts";
import { isSyncError } from "../../model/sync-error.ts";
import {
  checkStreams,
  chosenOfBoth,
  collect,
  collectNames,
  gatherKeys,
  refuseCopyOptions,
  refuseWithoutSyncs,
  usage,
} from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { type ExitCode, exitOfError, exitOfRuns, worstExit } from "../exit-codes.ts";
import type { RunJson, SyncErrorJson } from "../json.ts";
import { act, exitOfInterrupt, type Session, type WatchedBy } from "../session.ts";
import { type RanSides, runSides } from "./run-sides.ts";

interface RunOptions {
  readonly full?: boolean;
  readonly incremental?: boolean;
  readonly deletions?: boolean;
  readonly sweep?: boolean;
  readonly media?: boolean;
  readonly stream?: readonly string[];
  readonly key?: readonly string[];
  readonly keysFile?: string;
}

export function addRun(program: Command, cli: Cli): void {
  program
    .command("run")
    .helpGroup("Copy:")
    .summary("bring copies up to date, and sides in step")
    .description(
      "Brings replicas up to date, and sides in step (plan and apply in one go). Without an option, streams never copied whole are copied, all others are read for what changed and for what was deleted. An interrupted run goes on where it stopped.",
    )
    .argument("[sync]", "only this sync; without it, all of the configuration")
    .option(
      "--full",
      "copy everything again, without emptying the replica first; read every side whole",
    )
    .option("--incremental", "only what was created or changed")
    .option("--deletions", "only what the source tells as deleted")
    .option("--sweep", "compare all keys and times; find what vanished and what went stale")
    .option("--media", "fetch files such as photos; with --full, look at every record again")
    .option("--stream <name>", "only this stream (repeat, or part with commas)", collectNames)
    .option("--key <key>", "only this record of the one stream named (repeat)", collect)
    .option("--keys-file <file>", "the same, one key a line; - reads standard input")
    .action((sync: string | undefined, options: RunOptions, command: Command) =>
      act(cli, command, (session) => run(session, sync, options)),
    );
}

const MODES = ["full", "incremental", "deletions", "sweep"] as const;

/** What the options ask for. Throws USAGE when they contradict one another. */
function requestOf(options: RunOptions, directory: string): SyncRunRequest {
  if (options.media === true) return mediaRequestOf(options, directory);
  const asked = MODES.filter((mode) => options[mode] === true);
  const [first, second] = asked;
  if (second !== undefined)
    throw usage(`--${first} and --${second} are two runs; give one of them.`);
  const streams = options.stream === undefined ? {} : { streams: options.stream };
  if (options.key === undefined && options.keysFile === undefined) {
    const mode: RequestedMode = first ?? "auto";
    return { mode, ...streams };
  }
  if (first !== undefined)
    throw usage(`--${first} reads a whole stream and --key single records; give one of them.`);
  const keys = gatherKeys(options.key ?? [], options.keysFile, directory);
  if (keys.length === 0) throw usage("The file of keys holds no key.");
  return { mode: "keys", keys, ...streams };
}

/** `--media` goes with `--full` and with keys, and with nothing else that chooses. */
function mediaRequestOf(options: RunOptions, directory: string): SyncRunRequest {
  const other = MODES.find((mode) => mode !== "full" && options[mode] === true);
  if (other !== undefined) throw usage(`--media and --${other} are two runs; give one of them.`);
  if (options.stream !== undefined) {
    throw usage("--media fetches the files of the stream that `media` names; leave --stream out.");
  }
  if (options.key === undefined && options.keysFile === undefined) {
    return { mode: "media", ...(options.full === true ? { again: true } : {}) };
  }
  if (options.full === true) {
    throw usage("--full looks at every record and --key at single ones; give one of them.");
  }
  const keys = gatherKeys(options.key ?? [], options.keysFile, directory);
  if (keys.length === 0) throw usage("The file of keys holds no key.");
  return { mode: "media", keys };
}

interface Ran {
  readonly results: readonly SyncRunResult[];
  readonly errors: readonly SyncErrorJson[];
}

async function run(
  session: Session,
  sync: string | undefined,
  options: RunOptions,
): Promise<ExitCode> {
  const request = requestOf(options, session.io.directory);
  return session.withLockstep(async (lockstep) => {
    refuseWithoutSyncs(lockstep);
    const { copies: syncs, sides } = chosenOfBoth(lockstep, sync);
    const isAlone = syncs.length + sides.length === 1;
    const { full, ...copyOptions } = options;
    if (sync !== undefined && sides.length > 0) refuseCopyOptions(sync, copyOptions);
    const asksCopies = Object.values(copyOptions).some((value) => value !== undefined);
    checkStreams(lockstep, syncs, request.streams ?? []);
    const chosen = syncsWith(lockstep, syncs, request);
    const { ran, interruptedBy } = await session.withWatch(async (watch) => ({
      ran: await runAll(lockstep, chosen, request, watch, isAlone),
      interruptedBy: watch.interruptedBy(),
    }));
    const ranSides = await runSides(
      session,
      lockstep,
      interruptedBy !== undefined || asksCopies ? [] : sides,
      { isAlone, full: full === true },
    );
    await show(session, ran, ranSides);
    const exits = [
      ...ran.results.map(({ outcome, runs }) =>
        outcome === "stopped" ? exitOfInterrupt(interruptedBy) : exitOfRuns(outcome, runs),
      ),
      ...ran.errors.map(({ error }) => exitOfError(error.code)),
      ...ranSides.exits,
    ];
    return worstExit(exits);
  });
}

/** The syncs that have the streams asked for; keys are of one stream of one sync. */
function syncsWith(
  lockstep: Lockstep,
  syncs: readonly string[],
  request: SyncRunRequest,
): readonly string[] {
  const { streams } = request;
  if (request.mode === "media") return syncsWithFiles(lockstep, syncs, request);
  const chosen = lockstep.syncs.filter(
    ({ name, streams: own }) =>
      syncs.includes(name) &&
      (streams === undefined || own.some(({ stream }) => streams.includes(stream))),
  );
  if (request.mode === "keys") {
    const known = chosen.flatMap((sync) => sync.streams.map(({ stream }) => stream));
    if (streams?.length !== 1 && known.length > 1) {
      throw usage(
        "Keys belong to one stream; name it with --stream.",
        `Streams: ${known.join(", ")}.`,
      );
    }
    if (chosen.length > 1)
      throw usage(
        "Keys belong to one sync; name it.",
        `Syncs: ${chosen.map(({ name }) => name).join(", ")}.`,
      );
  }
  return chosen.map(({ name }) => name);
}

/** Those that keep files, and at least one. */
export function syncsWithFiles(
  lockstep: Lockstep,
  syncs: readonly string[],
  { keys }: Pick<SyncRunRequest, "keys"> = {},
): readonly string[] {
  const chosen = lockstep.syncs.filter(({ name, files }) => syncs.includes(name) && files);
  const names = chosen.map(({ name }) => name);
  if (names.length === 0) {
    throw usage(
      `No sync keeps files: ${syncs.join(", ")} ${syncs.length === 1 ? "has" : "have"} no \`media\`.`,
      "Add `media: { to: ./photos }` to the sync.",
    );
  }
  if (keys !== undefined && names.length > 1) {
    throw usage("Keys belong to one sync; name it.", `Syncs: ${names.join(", ")}.`);
  }
  return names;
}

/** One sync after the other; one that cannot begin does not stop the next. */
async function runAll(
  lockstep: Lockstep,
  syncs: readonly string[],
  request: SyncRunRequest,
  watch: Watch & WatchedBy,
  isAlone: boolean,
): Promise<Ran> {
  const results: SyncRunResult[] = [];
  const errors: SyncErrorJson[] = [];
  for (const sync of syncs) {
    if (watch.signal.aborted) break;
    try {
      results.push(await lockstep.run(sync, ownPart(lockstep, sync, request), watch));
    } catch (error) {
      if (!isSyncError(error) || isAlone) throw error;
      const { code, message, hint } = error;
      errors.push({ sync, error: { code, message, hint } });
    }
  }
  return { results, errors };
}

/** The request with only this sync's streams in it. */
function ownPart(lockstep: Lockstep, sync: string, request: SyncRunRequest): SyncRunRequest {
  if (request.mode === "media") return request;
  const own =
    lockstep.syncs.find(({ name }) => name === sync)?.streams.map(({ stream }) => stream) ?? [];
  const asked = request.streams ?? (request.mode === "keys" ? own : undefined);
  return asked === undefined
    ? request
    : { ...request, streams: asked.filter((stream) => own.includes(stream)) };
}

const OUTCOMES: readonly RunOutcome[] = ["done", "partial", "stopped", "failed", "halted"];

async function show(
  session: Session,
  { results, errors: ofCopies }: Ran,
  { runs: sides, errors: ofSides }: RanSides,
): Promise<void> {
  const { globals } = session;
  const errors = [...ofCopies, ...ofSides];
  if (globals.quiet && !globals.json)
    return showErrors(session, [...errors, ...streamErrors(results)]);
  const { runSummary } = await import("../render/run-summary.ts");
  const { sidesRunLines } = await import("../render/sides-run.ts");
  const worst = Math.max(
    0,
    ...[...results, ...sides].map(({ outcome }) => OUTCOMES.indexOf(outcome)),
  );
  const json: RunJson = {
    outcome: errors.length > 0 ? "failed" : (OUTCOMES[worst] ?? "done"),
    results,
    sides,
    errors,
  };
  await session.print(json, (look) =>
    [
      ...results.map((result) => runSummary(result, look)),
      ...sides.map((result) => sidesRunLines(result, look)),
    ].flatMap((lines, index) => [...(index === 0 ? [] : [""]), ...lines]),
  );
  if (!globals.json) await showErrors(session, errors);
}

/** What went wrong in single streams, for who asked to hear of nothing else. */
function streamErrors(results: readonly SyncRunResult[]): readonly SyncErrorJson[] {
  return results.flatMap(({ sync, runs }) =>
    runs.flatMap((run) =>
      run.streams.flatMap(({ stream, error }) =>
        error === undefined ? [] : [{ sync: `${sync}, ${stream}`, error }],
      ),
    ),
  );
}

async function showErrors({ io, look }: Session, errors: readonly SyncErrorJson[]): Promise<void> {
  if (errors.length === 0) return;
  const { errorLines } = await import("../render/error.ts");
  const { style } = await look();
  for (const { sync, error } of errors) {
    const lines = errorLines({ ...error, message: `${sync}: ${error.message}` }, style);
    io.err(lines.map((line) => `${line}\n`).join(""));
  }
}
