import type { RunEvent } from "../../model/events.ts";
import type { CliIo } from "../io.ts";
import { filesInWords } from "./files.ts";
import { ledgerInWords } from "./ledger.ts";
import { createLook, type Look } from "./look.ts";
import { formatRate } from "./numbers.ts";
import {
  advance,
  progressLines,
  type RunProgress,
  shareInWords,
  speedOf,
  waitInWords,
} from "./run-progress.ts";
import { cleanText } from "./style.ts";

/** Takes a run's events and shows them; `stop` ends the drawing and leaves the last frame. */
export interface RunWatcher {
  readonly emit: (event: RunEvent) => void;
  /** A line of its own, above whatever is drawn. */
  readonly say: (line: string) => void;
  readonly stop: () => void;
}

export interface WatchOptions {
  readonly isColoured: boolean;
  /** Notes too. */
  readonly isVerbose: boolean;
}

const FRAME_MS = 100;
const CLEAR_LINE = "\u001b[2K";
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const up = (lines: number): string => (lines === 0 ? "\r" : `\u001b[${lines}A\r`);

/** Progress drawn in place on a terminal, ten frames a second at most. */
export function watchOnTerminal(io: CliIo, options: WatchOptions): RunWatcher {
  let progress: RunProgress | undefined;
  let drawnLines = 0;
  const look = (): Look =>
    createLook({ ...options, timeZone: io.timeZone, now: io.now(), columns: io.columns() });
  const draw = (): void => {
    if (progress === undefined) return;
    const lines = progressLines(progress, look());
    const spare = Math.max(0, drawnLines - lines.length);
    io.err(
      up(drawnLines) +
        lines.map((line) => `${CLEAR_LINE}${line}\n`).join("") +
        `${CLEAR_LINE}\n`.repeat(spare) +
        up(spare),
    );
    drawnLines = lines.length;
  };
  const say = (line: string): void => {
    io.err(`${up(drawnLines) + CLEAR_LINE + line}\n`);
    drawnLines = 0;
    draw();
  };
  io.err(HIDE_CURSOR);
  const timer = setInterval(draw, FRAME_MS);
  return {
    emit: (event) => {
      if (event.kind === "run-started" && progress !== undefined) {
        draw();
        drawnLines = 0;
      }
      progress = advance(progress, event);
      if (event.kind === "note" && options.isVerbose) say(noteLine(event));
    },
    say,
    stop: () => {
      clearInterval(timer);
      draw();
      io.err(SHOW_CURSOR);
    },
  };
}

const LOG_EVERY_MS = 10_000;

/** Progress as lines for a log: what begins and ends, waits, and where each stream is now and then. */
export function watchAsLines(io: CliIo, options: WatchOptions): RunWatcher {
  let progress: RunProgress | undefined;
  const loggedAt = new Map<string, number>();
  const look = (): Look =>
    createLook({
      ...options,
      isColoured: false,
      timeZone: io.timeZone,
      now: io.now(),
      columns: 80,
    });
  const say = (line: string): void => io.err(`${look().times.full(io.now())}  ${line}\n`);
  return {
    emit: (event) => {
      progress = advance(progress, event);
      for (const line of logLines(event, progress, loggedAt, look())) say(line);
      if (event.kind === "note" && options.isVerbose) say(noteLine(event));
    },
    say,
    stop: () => {},
  };
}

/** What one event adds to a log; progress of a stream at most every ten seconds. */
function logLines(
  event: RunEvent,
  progress: RunProgress | undefined,
  loggedAt: Map<string, number>,
  look: Look,
): readonly string[] {
  switch (event.kind) {
    case "run-started":
      loggedAt.clear();
      return [`${event.sync}: ${event.mode} run of ${event.streams.join(", ")} began`];
    case "wait":
      return [`${event.stream ?? "run"}: ${waitInWords(event, { ...look, now: event.at })}`];
    case "progress": {
      const last = loggedAt.get(event.stream);
      if (last === undefined) loggedAt.set(event.stream, event.at);
      if (last === undefined || event.at - last < LOG_EVERY_MS) return [];
      loggedAt.set(event.stream, event.at);
      const stream = progress?.streams.find(({ stream: name }) => name === event.stream);
      const speed = stream === undefined ? undefined : speedOf(stream);
      if (stream === undefined) return [];
      return [
        `${event.stream}: ${shareInWords(stream)}${speed === undefined ? "" : `, ${formatRate(speed)}`}`,
      ];
    }
    case "stream-finished": {
      const { stream, phase, ledger, files, error } = event.report;
      const counts = files === undefined ? ledgerInWords(ledger) : filesInWords(files);
      return [`${stream}: ${phase}, ${error === undefined ? counts : cleanText(error.message)}`];
    }
    case "phase":
    case "note":
    case "run-finished":
      return [];
  }
}

function noteLine(event: RunEvent & { readonly kind: "note" }): string {
  return `${event.stream ?? "run"}: ${cleanText(event.message)}`;
}

/** Nothing shown. */
export const SILENT_WATCHER: RunWatcher = { emit: () => {}, say: () => {}, stop: () => {} };
