import type { StatusResult, StreamStatus, SyncStatus } from "../../engine/results.ts";
import { ERROR_CODES } from "../../model/error-codes.ts";
import type { Halt } from "../../model/parked.ts";
import type { Look } from "./look.ts";
import { formatCount, plural } from "./numbers.ts";
import { cleanText } from "./style.ts";
import { indent, table } from "./table.ts";
import { formatAge, formatDuration, sourceTimeMs } from "./times.ts";

/** How fresh each stream is, what is going on, and what waits for a person. */
export function statusLines(result: StatusResult, look: Look): readonly string[] {
  const blocks = result.syncs.map((sync) => syncLines(sync, look));
  return [
    ...blocks.flatMap((block, index) => (index === 0 ? block : ["", ...block])),
    "",
    look.style.dim(`home ${result.home}`),
  ];
}

function syncLines(sync: SyncStatus, look: Look): readonly string[] {
  const { style } = look;
  return [
    `${style.bold(sync.sync)}  ${sync.source} → ${sync.destination}`,
    ...indent([activity(sync, look)]),
    "",
    ...table(
      [
        { title: "stream" },
        { title: "rows", align: "right" },
        { title: "fresh as of" },
        { title: "newest change at source" },
        { title: "deletions" },
        { title: "swept" },
        { title: "reads again" },
        { title: "parked", align: "right" },
        { title: "" },
      ],
      sync.streams.map((stream) => streamRow(stream, isHalted(stream.stream, sync.halts), look)),
      style,
    ),
    // What a halt says is told once, below, with the way on.
    ...sync.streams.flatMap(({ stream, error }) =>
      error === undefined || isHalted(stream, sync.halts)
        ? []
        : [
            "",
            `${style.red(`${stream}:`)} ${cleanText(error.message)}`,
            ...(error.hint === undefined
              ? []
              : [`  ${style.bold("What to do:")} ${cleanText(error.hint)}`]),
          ],
    ),
    ...haltLines(sync.halts, look),
  ];
}

function activity({ running, lastRun }: SyncStatus, look: Look): string {
  const { style, now } = look;
  if (running !== undefined) {
    return `${style.cyan("running")} in ${cleanText(running.owner)}; its lease holds until ${look.times.clock(running.leaseUntil, now)}`;
  }
  if (lastRun === undefined) return style.dim("never run; lockstep run begins with a full copy");
  if (lastRun.finishedAt === undefined) {
    return `${style.yellow("interrupted")}: the ${lastRun.mode} run of ${formatAge(lastRun.startedAt, now)} never ended; the next run goes on from there`;
  }
  const outcome = lastRun.outcome ?? "done";
  const paint = {
    done: style.green,
    partial: style.yellow,
    stopped: style.yellow,
    failed: style.red,
    halted: style.red,
  }[outcome];
  return `last run ${paint(outcome)} ${formatAge(lastRun.finishedAt, now)} (${lastRun.mode})`;
}

function isHalted(stream: string, halts: readonly Halt[]): boolean {
  return halts.some((halt) => halt.stream === stream && halt.releasedAt === undefined);
}

function streamRow(stream: StreamStatus, halted: boolean, look: Look): readonly string[] {
  const age = (at: number | undefined): string =>
    at === undefined ? look.style.dim("never") : formatAge(at, look.now);
  const newest = stream.newestSourceTime;
  const newestMs = newest === undefined ? undefined : sourceTimeMs(newest);
  const copy = stream.copied ? "" : stream.resumable ? "full copy half done" : "not copied yet";
  const state = halted ? "halted" : stream.error === undefined ? copy : "failing";
  return [
    stream.stream,
    formatCount(stream.rows),
    age(stream.freshAt),
    newestMs === undefined ? "" : `${look.times.full(newestMs)} (${formatAge(newestMs, look.now)})`,
    age(stream.deletionsAt),
    age(stream.sweptAt),
    readsAgain(stream.overlap),
    formatCount(stream.parked),
    state === copy ? look.style.yellow(state) : look.style.red(state),
  ];
}

/** The overlap in use and, where records came late, what made it so. */
function readsAgain({ nowMs, lateRecords, latestMs }: StreamStatus["overlap"]): string {
  const overlap = formatDuration(nowMs);
  if (latestMs === undefined) return overlap;
  return `${overlap} (${formatCount(lateRecords)} late, up to ${formatDuration(latestMs)})`;
}

/** The run that takes up what a halt stopped: what a walk found is settled by its own mode alone. */
export function runAfter({ sync, stream, details }: Halt): string {
  if (details["lane"] === "media") return `lockstep run ${sync} --media`;
  const modes: Readonly<Record<string, string>> = { walk: " --full", sweep: " --sweep" };
  return `lockstep run ${sync}${modes[String(details["lane"])] ?? ""} --stream ${stream}`;
}

/** Deletions can be released; a schema or records that do not fit must be put right. */
function wayOn(halt: Halt): string {
  if (halt.details["lane"] !== undefined) {
    return `If that is right: lockstep release ${halt.id} --by YOUR-NAME, then ${runAfter(halt)}`;
  }
  const known = halt.code in ERROR_CODES;
  const remedy = known ? ERROR_CODES[halt.code as keyof typeof ERROR_CODES].remedy : "";
  return `${remedy || "Correct the cause."} Then ${runAfter(halt)}`;
}

/** Halts that wait, each with the way on. */
export function haltLines(halts: readonly Halt[], look: Look): readonly string[] {
  const { style } = look;
  return halts.flatMap((halt) => {
    const when = look.times.full(halt.at);
    if (halt.releasedAt !== undefined) {
      const by = cleanText(halt.releasedBy ?? "someone");
      return [
        "",
        `Halt ${halt.id}  ${halt.sync} ${halt.stream}, ${when}: released by ${by} ${formatAge(halt.releasedAt, look.now)}`,
        `  ${cleanText(halt.message)}`,
      ];
    }
    return [
      "",
      `${style.red(`Halt ${halt.id}`)}  ${halt.sync} ${halt.stream}, ${when}`,
      ...indent([cleanText(halt.message), ...detailLines(halt.details), wayOn(halt)]),
    ];
  });
}

/** The facts behind a halt; lists are cut to what a person can judge by. */
function detailLines(details: Readonly<Record<string, unknown>>): readonly string[] {
  const told = Object.entries(details).filter(([name]) => name !== "walkId" && name !== "lane");
  return told.map(([name, value]) => {
    const list = Array.isArray(value) ? value : [value];
    const shown = list
      .slice(0, 8)
      .map((item) =>
        typeof item === "number"
          ? formatCount(item)
          : String(typeof item === "object" ? JSON.stringify(item) : item),
      );
    const rest = list.length - shown.length;
    return cleanText(
      `${name}: ${shown.join(", ")}${rest > 0 ? ` and ${plural(rest, "more", "more")}` : ""}`,
    );
  });
}
