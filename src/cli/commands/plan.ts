import { resolve } from "node:path";
import type { Command } from "commander";
import type { PlanRequest, ReplicatePlan, SyncPlan } from "../../engine/plan-results.ts";
import type { SidesPlan } from "../../engine/reconcile/plan-view.ts";
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
import type { PlanJson } from "../json.ts";
import { writePlan } from "../plan-file.ts";
import { act, type Session } from "../session.ts";
import { planMedia } from "./plan-media.ts";
import { exitOfSidesPlan, makeSidesPlan } from "./plan-sides.ts";

interface PlanOptions {
  readonly full?: boolean;
  readonly incremental?: boolean;
  readonly deletions?: boolean;
  readonly sweep?: boolean;
  readonly media?: boolean;
  readonly stream?: readonly string[];
  readonly out?: string;
  readonly first?: boolean;
  readonly limit?: number;
  readonly all?: boolean;
}

export function addPlan(program: Command, cli: Cli): void {
  program
    .command("plan")
    .helpGroup("Copy:")
    .summary("what a run would do: of sides like a diff, of copies with the cost of each quota")
    .description(
      "Says what `lockstep run` with the same options would do. Of a copy: records, requests, bytes, and minutes against each quota. Of sides: what each would get and why, like a diff; lockstep apply then does exactly that. Changes nothing. Ends with 5 when there is something to do.",
    )
    .argument("[sync]", "only this sync; without it, all of the configuration")
    .option("--full", "plan a copy of everything; read every side whole")
    .option("--incremental", "plan only what was created or changed")
    .option("--deletions", "plan only what the source tells as deleted")
    .option("--sweep", "plan a comparison of all keys and times")
    .option("--media", "plan the fetching of files; with --full, of a look at every record again")
    .option("--stream <name>", "only this stream (repeat, or part with commas)", collectNames)
    .option("--out <file>", "write the plan there, too; of sides, for lockstep apply FILE")
    .option("--limit <n>", "of sides: show so many records (20)", wholeNumber("--limit", 0))
    .option("--all", "of sides: show all records")
    .option("--first", "of sides: show how records that are new find one another")
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
  if (options.media === true) return planMedia(session, sync, options);
  const request = requestOf(options);
  return session.withLockstep(async (lockstep) => {
    refuseWithoutSyncs(lockstep);
    const { copies: syncs, sides } = chosenOfBoth(lockstep, sync);
    if (sync !== undefined && sides.includes(sync)) refuseCopyOptions(sync, copyOptions(options));
    else if (sync !== undefined) refuseSidesOptions(sync, options);
    checkStreams(lockstep, syncs, request.streams ?? []);
    const chosen = lockstep.syncs.filter(({ name }) => syncs.includes(name));
    const asksCopies = Object.values(copyOptions(options)).some((value) => value !== undefined);
    if (!asksCopies) refuseOneFile(options, chosen.length, sides.length);
    const copies = await session.withWatch(async (watch) => {
      const made: ReplicatePlan[] = [];
      for (const { name, streams } of chosen) {
        const own = streams.map(({ stream }) => stream);
        const part = request.streams?.filter((stream) => own.includes(stream));
        if (part?.length === 0) continue;
        const asked = part === undefined ? request : { ...request, streams: part };
        made.push(await lockstep.plan(name, asked, watch));
      }
      return made;
    });
    const sidesPlans: SidesPlan[] = [];
    for (const name of asksCopies ? [] : sides) {
      sidesPlans.push(await makeSidesPlan(session, lockstep, name, options));
    }
    const plans: readonly SyncPlan[] = [...copies, ...sidesPlans];
    const json: PlanJson = { due: plans.some(({ due }) => due), plans };
    if (options.out !== undefined && sidesPlans.length === 0)
      writePlan(resolve(session.io.directory, options.out), json);
    if (!session.globals.quiet || session.globals.json) {
      const { planLines } = await import("../render/plan.ts");
      await session.print(json, (look) =>
        plans.flatMap((each, index) => [
          ...(index === 0 ? [] : [""]),
          ...planLines(each, look, options),
        ]),
      );
    }
    return worstExit(plans.map(exitOf));
  });
}

function exitOf(plan: SyncPlan): ExitCode {
  if (plan.kind === "reconcile") return exitOfSidesPlan(plan);
  const { due, streams } = plan;
  const errors = streams.flatMap(({ error }) =>
    error === undefined ? [] : [exitOfError(error.code)],
  );
  return worstExit([...(due ? [EXIT.planned] : []), ...errors]);
}

/** What only plans of copies know. */
function copyOptions(options: PlanOptions): Readonly<Record<string, unknown>> {
  const { out: _out, first: _first, limit: _limit, all: _all, full: _full, ...own } = options;
  return own;
}

function refuseSidesOptions(sync: string, { first, limit, all }: PlanOptions): void {
  const [given] =
    Object.entries({ first, limit, all }).find(([, value]) => value !== undefined) ?? [];
  if (given !== undefined) throw usage(`--${given} is for syncs of sides; "${sync}" is a copy.`);
}

/** A plan of sides has a file of its own, which `apply` performs. */
function refuseOneFile({ out }: PlanOptions, copies: number, sides: number): void {
  if (out === undefined || sides === 0 || copies + sides === 1) return;
  throw usage("--out takes the plan of one sync of sides; name the sync.");
}
