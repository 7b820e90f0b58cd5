import type { RunEvent } from "../../model/events.ts";
import type { FileLedger } from "../../model/media.ts";
import type { Ledger, Phase, RunMode, StreamReport } from "../../model/run.ts";
import { EMPTY_LEDGER } from "../../model/run.ts";
import { filesInWords } from "./files.ts";
import { ledgerInWords } from "./ledger.ts";
import type { Look } from "./look.ts";
import { formatCount, formatRate, formatShare } from "./numbers.ts";
import { cleanText, clip } from "./style.ts";
import { pad } from "./table.ts";
import { formatDuration } from "./times.ts";

interface Wait {
  readonly reason: string;
  readonly untilMs: number;
  readonly attempt: number;
}

/** `walked` at a moment, for the speed. */
interface Sample {
  readonly at: number;
  readonly walked: number;
}

/** One stream's part in the run as far as it is known. */
export interface StreamProgress {
  readonly stream: string;
  readonly phase: Phase | "queued";
  readonly ledger: Ledger;
  /** In a run of mode `media`. */
  readonly files?: FileLedger;
  readonly walked: number;
  readonly total?: number;
  readonly wait?: Wait;
  /** The last few, oldest first. */
  readonly samples: readonly Sample[];
  readonly report?: StreamReport;
}

/** What a run's events add up to; drawn anew at each frame. */
export interface RunProgress {
  readonly sync: string;
  readonly mode: RunMode;
  readonly streams: readonly StreamProgress[];
  /** A wait that concerns the whole run. */
  readonly wait?: Wait;
}

const SAMPLES_KEPT = 20;

/** The progress after one more event. A new run begins anew. */
export function advance(
  progress: RunProgress | undefined,
  event: RunEvent,
): RunProgress | undefined {
  if (event.kind === "run-started") {
    return { sync: event.sync, mode: event.mode, streams: event.streams.map(queued) };
  }
  return progress === undefined ? undefined : afterEvent(progress, event);
}

function afterEvent(progress: RunProgress, event: RunEvent): RunProgress {
  switch (event.kind) {
    case "phase":
      return changeStream(progress, event.stream, (stream) => ({ ...stream, phase: event.phase }));
    case "progress":
      return changeStream(progress, event.stream, ({ wait: _, ...stream }) => ({
        ...stream,
        ledger: event.ledger,
        ...(event.files === undefined ? {} : { files: event.files }),
        walked: event.walked,
        ...(event.total === undefined ? {} : { total: event.total }),
        samples: [
          ...stream.samples.slice(1 - SAMPLES_KEPT),
          { at: event.at, walked: event.walked },
        ],
      }));
    case "wait": {
      const { reason, untilMs, attempt } = event;
      const wait = { reason, untilMs, attempt };
      if (event.stream === undefined) return { ...progress, wait };
      return changeStream(progress, event.stream, (stream) => ({ ...stream, wait }));
    }
    case "stream-finished":
      return changeStream(progress, event.report.stream, ({ wait: _, ...stream }) => ({
        ...stream,
        phase: event.report.phase,
        ledger: event.report.ledger,
        ...(event.report.files === undefined ? {} : { files: event.report.files }),
        report: event.report,
      }));
    case "run-started":
    case "note":
    case "run-finished":
      return progress;
  }
}

function queued(stream: string): StreamProgress {
  return { stream, phase: "queued", ledger: EMPTY_LEDGER, walked: 0, samples: [] };
}

function changeStream(
  progress: RunProgress,
  name: string,
  change: (stream: StreamProgress) => StreamProgress,
): RunProgress {
  const known = progress.streams.some(({ stream }) => stream === name);
  const streams = known ? progress.streams : [...progress.streams, queued(name)];
  return {
    ...progress,
    streams: streams.map((stream) => (stream.stream === name ? change(stream) : stream)),
  };
}

/** Records per second over the samples kept, or nothing before there are two apart in time. */
export function speedOf({ samples }: StreamProgress): number | undefined {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at) return undefined;
  return ((last.walked - first.walked) * 1000) / (last.at - first.at);
}

/** One line per stream, none wider than the terminal. */
export function progressLines(progress: RunProgress, look: Look): readonly string[] {
  const nameWidth = Math.max(...progress.streams.map(({ stream }) => stream.length));
  const lines = progress.streams.map(
    (stream) => `${pad(stream.stream, nameWidth, "left")}  ${streamLine(stream, look)}`,
  );
  const { wait } = progress;
  if (wait !== undefined && wait.untilMs > look.now) lines.push(waitInWords(wait, look));
  return lines.map((line) => clip(line, look.columns - 1));
}

function streamLine(stream: StreamProgress, look: Look): string {
  const { style } = look;
  const { phase, wait } = stream;
  if (wait !== undefined && wait.untilMs > look.now) return style.yellow(waitInWords(wait, look));
  switch (phase) {
    case "queued":
    case "connecting":
      return style.dim(phase);
    case "done":
      return `${style.green("done")}  ${countsInWords(stream)}`;
    case "stopped":
      return `${style.yellow("stopped")}  ${countsInWords(stream)}`;
    case "failed":
    case "halted":
      return `${style.red(phase)}  ${cleanText(stream.report?.error?.message ?? "")}`;
    case "reading":
    case "proving":
    case "guarding":
    case "deleting":
    case "checkpointing":
    case "publishing":
      return `${pad(phase, 9, "left")}  ${counted(stream, look)}`;
  }
}

const BAR_WIDTH = 20;

/** Bar, counts, speed and time left, as far as they are known. */
function counted(stream: StreamProgress, look: Look): string {
  const { walked, total } = stream;
  const speed = speedOf(stream);
  const rate = speed === undefined ? "" : `  ${formatRate(speed)}`;
  const files = stream.files === undefined ? "" : `  ${filesInWords(stream.files)}`;
  if (total === undefined || total === 0) return `${formatCount(walked)}${rate}${files}`;
  const share = Math.min(1, walked / total);
  const filled = Math.floor(share * BAR_WIDTH);
  const bar = look.style.cyan("█".repeat(filled)) + look.style.dim("░".repeat(BAR_WIDTH - filled));
  const percent = pad(`${Math.floor(share * 100)}%`, 4, "right");
  const left =
    speed === undefined || speed <= 0 || walked >= total
      ? ""
      : `  ${formatDuration(((total - walked) / speed) * 1000)} left`;
  return `${bar} ${percent}  ${formatCount(walked)} of ${formatCount(total)}${rate}${left}${files}`;
}

function countsInWords({ ledger, files }: StreamProgress): string {
  return files === undefined ? ledgerInWords(ledger) : filesInWords(files);
}

/** `waiting 12 s, until 14:03:20: a page of "Property" failed with …`. */
export function waitInWords(wait: Wait, look: Look): string {
  const seconds = formatDuration(Math.ceil((wait.untilMs - look.now) / 1000) * 1000);
  const until = look.times.clock(wait.untilMs, look.now);
  const attempt = wait.attempt > 1 ? ` (attempt ${wait.attempt})` : "";
  return `waiting ${seconds}, until ${until}: ${cleanText(wait.reason)}${attempt}`;
}

/** For a log: `56%` or the bare count. */
export function shareInWords(stream: StreamProgress): string {
  const { walked, total } = stream;
  if (total === undefined || total === 0) return formatCount(walked);
  return `${formatCount(walked)} of ${formatCount(total)} (${formatShare(Math.min(1, walked / total))})`;
}
