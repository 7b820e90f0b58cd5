import type { FilesStatus } from "../../engine/files-results.ts";
import type { StatusResult, StreamStatus, SyncStatus } from "../../engine/results.ts";
import type { Halt } from "../../model/parked.ts";
import { haltLines } from "./halts.ts";
import { activity } from "./last-run.ts";
import type { Look } from "./look.ts";
import { formatBytes, formatCount, plural } from "./numbers.ts";
import { sidesStatusLines } from "./sides-status.ts";
import { cleanText } from "./style.ts";
import { indent, table } from "./table.ts";
import { formatAge, formatDuration, sourceTimeMs } from "./times.ts";

/** How fresh each stream is, what is going on, and what waits for a person. */
export function statusLines(result: StatusResult, look: Look): readonly string[] {
  const blocks = [
    ...result.syncs.map((sync) => syncLines(sync, look)),
    ...result.reconciles.map((sync) => sidesStatusLines(sync, look)),
  ];
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
    ...(sync.files === undefined ? [] : ["", ...filesLines(sync.files, sync.sync, look)]),
    ...haltLines(sync.halts, look),
  ];
}

/** What is held, and how the last fetch of files ended. */
function filesLines(files: FilesStatus, sync: string, look: Look): readonly string[] {
  const { style, now } = look;
  const { stream, location, held, parked, walked, lastRun } = files;
  const amount =
    held.files === 0
      ? "no file held"
      : `${plural(held.files, "file")} of ${plural(held.records, "record")} held, ${formatBytes(held.bytes)}`;
  const waiting = parked === 0 ? "" : `, ${style.yellow(`${formatCount(parked)} parked`)}`;
  const command = `lockstep run ${sync} --media`;
  const ended =
    lastRun === undefined
      ? style.dim(`never fetched; ${command} does it`)
      : `last fetch ${lastRun.phase === "done" ? style.green("done") : style.red(lastRun.phase)} ${formatAge(lastRun.finishedAt, now)}${walked ? "" : `; not all records were looked at yet, ${command} goes on`}`;
  const { error } = lastRun ?? {};
  return [
    `${style.bold("files")}  ${stream}: ${amount}${waiting}, in ${cleanText(location)}`,
    ...indent([ended, ...(error === undefined ? [] : [cleanText(error.message)])]),
  ];
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
