import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { PlanRequest, SyncPlan } from "../../engine/plan-results.ts";
import { SyncError } from "../../model/sync-error.ts";
import { checkStreams, chosenSyncs, collectNames, usage } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode, exitOfError, worstExit } from "../exit-codes.ts";
import type { PlanJson } from "../json.ts";
import { act, type Session } from "../session.ts";

interface PlanOptions {
  readonly full?: boolean;
  readonly incremental?: boolean;
  readonly deletions?: boolean;
  readonly sweep?: boolean;
  readonly stream?: readonly string[];
  readonly out?: string;
}

export function addPlan(program: Command, cli: Cli): void {
  program
    .command("plan")
    .helpGroup("Copy:")
    .summary("what a run would do, and what it would cost of each quota")
    .description(
      "Says what `lockstep run` with the same options would do: records, calls, bytes, and minutes against each quota. Asks the source a little and changes nothing. Ends with 5 when there is something to do.",
    )
    .argument("[sync]", "only this sync; without it, all of the configuration")
    .option("--full", "plan a copy of everything")
    .option("--incremental", "plan only what was created or changed")
    .option("--deletions", "plan only what the source tells as deleted")
    .option("--sweep", "plan a comparison of all keys and times")
    .option("--stream <name>", "only this stream (repeat, or part with commas)", collectNames)
    .option("--out <file>", "write the plan there as JSON, too")
    .action((sync: string | undefined, options: PlanOptions, command: Command) =>
      act(cli, command, (session) => plan(session, sync, options)),
    );
}

const MODES = ["full", "incremental", "deletions", "sweep"] as const;

function requestOf(options: PlanOptions): PlanRequest {
  const [mode = "auto", second] = MODES.filter((each) => options[each] === true);
  if (second !== undefined)
    throw usage(`--${mode} and --${second} are two runs; give one of them.`);
  return { mode, ...(options.stream === undefined ? {} : { streams: options.stream }) };
}

async function plan(
  session: Session,
  sync: string | undefined,
  options: PlanOptions,
): Promise<ExitCode> {
  const request = requestOf(options);
  return session.withLockstep(async (lockstep) => {
    const syncs = chosenSyncs(lockstep, sync);
    checkStreams(lockstep, syncs, request.streams ?? []);
    const chosen = lockstep.syncs.filter(({ name }) => syncs.includes(name));
    const plans = await session.withWatch(async (watch) => {
      const made: SyncPlan[] = [];
      for (const { name, streams } of chosen) {
        const own = streams.map(({ stream }) => stream);
        const part = request.streams?.filter((stream) => own.includes(stream));
        if (part?.length === 0) continue;
        const asked = part === undefined ? request : { ...request, streams: part };
        made.push(await lockstep.plan(name, asked, watch));
      }
      return made;
    });
    const json: PlanJson = { due: plans.some(({ due }) => due), plans };
    if (options.out !== undefined) write(resolve(session.io.directory, options.out), json);
    if (!session.globals.quiet || session.globals.json) {
      const { planLines } = await import("../render/plan.ts");
      await session.print(json, (look) =>
        plans.flatMap((each, index) => [...(index === 0 ? [] : [""]), ...planLines(each, look)]),
      );
    }
    return worstExit(plans.map(exitOf));
  });
}

function exitOf({ due, streams }: SyncPlan): ExitCode {
  const errors = streams.flatMap(({ error }) =>
    error === undefined ? [] : [exitOfError(error.code)],
  );
  return worstExit([...(due ? [EXIT.planned] : []), ...errors]);
}

function write(file: string, json: PlanJson): void {
  try {
    writeFileSync(file, `${JSON.stringify(json, null, 2)}\n`);
  } catch (error) {
    throw unwritable(file, error);
  }
}

function unwritable(file: string, cause: unknown): SyncError {
  return new SyncError("USAGE", `The plan cannot be written to "${file}".`, {
    hint: "Name a file in a folder that exists and that you may write to.",
    cause,
  });
}
