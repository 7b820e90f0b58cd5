import type { Command } from "commander";
import type { ChangeCategory } from "../../core/categories.ts";
import type { Lockstep } from "../../engine/lockstep.ts";
import type { ChangesRequest, ClassifiedChange } from "../../engine/results.ts";
import type { RecordKey } from "../../model/record.ts";
import {
  checkStreams,
  chosenOfBoth,
  collectNames,
  isSideOf,
  oneOf,
  pointInTime,
  transition,
  usage,
  wholeNumber,
} from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { monitorsOf } from "../monitors.ts";
import { act, type Session } from "../session.ts";

interface ChangesOptions {
  readonly sync?: string;
  readonly key?: string;
  readonly kind?: readonly string[];
  readonly field?: readonly string[];
  readonly transition?: string;
  readonly since?: string;
  readonly until?: string;
  readonly run?: string;
  readonly oldestFirst?: boolean;
  readonly limit: number;
}

const KINDS: readonly ChangeCategory[] = ["new", "updated", "deleted", "status", "price"];

export function addChanges(program: Command, cli: Cli): void {
  program
    .command("changes")
    .helpGroup("Look:")
    .summary("what changed, field by field")
    .description(
      "Lists changes of copies, and what was written to sides, newest first. Needs no network.",
    )
    .argument("[stream]", "only this stream, or this side")
    .option("--sync <name>", "only this sync")
    .option("--key <key>", "only this record")
    .option("--kind <kind>", `${KINDS.join(", ")} (repeat, or part with commas)`, collectNames)
    .option("--field <field>", "changes of this field (repeat, or part with commas)", collectNames)
    .option(
      "--transition <from:to>",
      'a status that changed so, such as "Active:Pending"; either may be left out',
    )
    .option("--since <when>", "1d, 6h, 2026-11-01 or 2026-11-01T08:00")
    .option("--until <when>", "likewise")
    .option("--run <id>", "only what this run did")
    .option("--oldest-first", "in the order in which it happened")
    .option("--limit <n>", "at most so many; 0 for all", wholeNumber("--limit", 0), 50)
    .action((stream: string | undefined, options: ChangesOptions, command: Command) =>
      act(cli, command, (session) => changes(session, stream, options)),
    );
}

function requestOf(
  stream: string | undefined,
  options: ChangesOptions,
  now: number,
): ChangesRequest {
  const { since, until } = options;
  const moves = options.transition === undefined ? undefined : transition(options.transition);
  if (moves !== undefined && (options.field?.length ?? 0) > 1) {
    throw usage("A transition is of one field; --field names several.");
  }
  const field = options.field?.[0];
  return {
    ...(options.sync === undefined ? {} : { sync: options.sync }),
    ...(stream === undefined ? {} : { stream }),
    ...(options.key === undefined ? {} : { key: options.key as RecordKey }),
    ...(options.kind === undefined
      ? {}
      : { categories: options.kind.map((kind) => oneOf("--kind", KINDS, kind)) }),
    ...(moves === undefined
      ? options.field === undefined
        ? {}
        : { fields: options.field }
      : { transition: { ...moves, ...(field === undefined ? {} : { field }) } }),
    ...(options.run === undefined ? {} : { runId: options.run }),
    ...(since === undefined ? {} : { since: pointInTime("--since", since, now) }),
    ...(until === undefined ? {} : { until: pointInTime("--until", until, now) }),
    ...(options.oldestFirst ? { oldestFirst: true } : {}),
    // One more than is shown, to know whether there are more.
    ...(options.limit === 0 ? {} : { limit: options.limit + 1 }),
  };
}

async function changes(
  session: Session,
  stream: string | undefined,
  options: ChangesOptions,
): Promise<ExitCode> {
  const request = requestOf(stream, options, session.io.now());
  return session.withLockstep(async (lockstep) => {
    const { copies, sides } = chosenOfBoth(lockstep, options.sync);
    if (stream !== undefined && !isSideOf(lockstep, sides, stream)) {
      checkStreams(lockstep, copies, [stream]);
    }
    const found = lockstep.changes(request);
    const limit = options.limit === 0 ? Number.POSITIVE_INFINITY : options.limit;
    if (session.globals.json) await writeJson(session, found, limit);
    else await writeLines(session, lockstep, found, limit);
    return EXIT.done;
  });
}

/** ChangesJson, written as it is read: the log may be larger than memory. */
async function writeJson(
  { io }: Session,
  found: AsyncIterable<ClassifiedChange>,
  limit: number,
): Promise<void> {
  let count = 0;
  let truncated = false;
  io.out('{\n  "changes": [');
  for await (const change of found) {
    if (io.isOutClosed()) return;
    if (count === limit) {
      truncated = true;
      break;
    }
    io.out(`${count === 0 ? "" : ","}\n    ${JSON.stringify(change)}`);
    count += 1;
  }
  io.out(`${count === 0 ? "" : "\n  "}],\n  "truncated": ${truncated}\n}\n`);
}

async function writeLines(
  session: Session,
  lockstep: Lockstep,
  found: AsyncIterable<ClassifiedChange>,
  limit: number,
): Promise<void> {
  const { changeColumns, changeLines } = await import("../render/changes.ts");
  const look = await session.look();
  const monitorOf = monitorsOf(lockstep);
  const streams = [
    ...lockstep.syncs.flatMap((sync) => sync.streams.map(({ stream }) => stream.length)),
    ...lockstep.reconcile.syncs.flatMap(({ sides }) => sides.map(({ side }) => side.length)),
  ];
  let columns = { stream: Math.max(6, ...streams), key: 7 };
  let count = 0;
  for await (const batch of batches(found, BATCH)) {
    const shown = batch.slice(0, limit - count);
    columns = changeColumns(shown, columns);
    const lines = shown.flatMap((change) =>
      changeLines(change, monitorOf(change.sync, change.stream), columns, look),
    );
    session.io.out(lines.map((line) => `${line}\n`).join(""));
    if (session.io.isOutClosed()) return;
    count += shown.length;
    if (shown.length < batch.length) {
      const more = `There are more; --limit ${limit * 10} shows more, --limit 0 all of them.`;
      session.io.out(look.style.dim(`${more}\n`));
      return;
    }
  }
  if (count === 0) session.io.out("No such change is recorded.\n");
}

/** So many changes are aligned with one another; the log may be larger than memory. */
const BATCH = 200;

async function* batches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
