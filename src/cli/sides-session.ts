import type { ReconcileEvent } from "../engine/reconcile/context.ts";
import type { ReconcileWatch } from "../engine/reconcile/verbs.ts";
import { createLook, type Look } from "./render/look.ts";
import { formatCount } from "./render/numbers.ts";
import { cleanText, clip } from "./render/style.ts";
import type { Session, WatchedBy } from "./session.ts";

const LOG_EVERY_MS = 10_000;
const FRAME_MS = 100;
const CLEAR_LINE = "\r\u001b[2K";

/** Work with a sync of sides under a person's eyes: one line that moves, or lines in a log. */
export async function withSidesWatch<T>(
  session: Session,
  sync: string,
  act: (watch: ReconcileWatch & WatchedBy) => Promise<T>,
): Promise<T> {
  return session.withWatch(async ({ signal, interruptedBy }) => {
    const { waitInWords } = await import("./render/run-progress.ts");
    const shown = progressOf(session, sync, waitInWords);
    try {
      return await act({ signal, interruptedBy, emit: shown.emit });
    } finally {
      shown.stop();
    }
  });
}

interface Shown {
  readonly emit: (event: ReconcileEvent) => void;
  readonly stop: () => void;
}

type Wait = ReconcileEvent & { readonly kind: "wait" };

function progressOf(
  { io, globals }: Session,
  sync: string,
  waitInWords: (wait: Wait, look: Look) => string,
): Shown {
  if (globals.quiet === true || (!io.errIsTerminal && globals.json === true)) {
    return { emit: () => {}, stop: () => {} };
  }
  let [lastAt, isDrawn] = [Number.NEGATIVE_INFINITY, false];
  const every = io.errIsTerminal ? FRAME_MS : LOG_EVERY_MS;
  const look = createLook({ isColoured: false, timeZone: io.timeZone, now: 0, columns: 80 });
  const waits = new Map<string, Wait>();
  const waiting = (wait: Wait, now: number): string =>
    `${wait.system} ${waitInWords(wait, { ...look, now })}`;
  const clear = (): void => {
    if (isDrawn) io.err(CLEAR_LINE);
    isDrawn = false;
  };
  const say = (text: string): void => {
    if (io.errIsTerminal)
      io.err(CLEAR_LINE + clip(`${sync}: ${text}`, Math.max(20, io.columns() - 1)));
    else io.err(`${look.times.full(io.now())}  ${sync}: ${text}\n`);
    isDrawn = io.errIsTerminal;
  };
  return {
    emit: (event) => {
      if (event.kind === "note") {
        if (globals.verbose !== true) return;
        clear();
        io.err(`${sync}: ${cleanText(event.message)}\n`);
        return;
      }
      if (event.kind === "wait") {
        waits.set(event.system, event);
        say(waiting(event, event.at));
        return;
      }
      // A log hears of what takes long, not of what is over at once.
      if (lastAt === Number.NEGATIVE_INFINITY && !io.errIsTerminal) lastAt = event.at;
      if (event.at - lastAt < every) return;
      lastAt = event.at;
      const standing = io.errIsTerminal
        ? [...waits.values()].filter(({ untilMs }) => untilMs > event.at)
        : [];
      say([...standing.map((wait) => waiting(wait, event.at)), inWords(event)].join("; "));
    },
    stop: clear,
  };
}

type Step = Exclude<ReconcileEvent, { readonly kind: "note" | "wait" }>;

function inWords(event: Step): string {
  if (event.kind === "merging") return `comparing, ${formatCount(event.merged)}`;
  if (event.kind === "applying") {
    return `writing, ${formatCount(event.done)} of ${formatCount(event.total)}`;
  }
  const of = event.total === undefined ? "" : ` of ${formatCount(event.total)}`;
  return `reading ${event.side}, ${formatCount(event.read)}${of}`;
}

/** Asks before something is written; nobody is asked where there is nobody, or with `--yes`. */
export async function isConfirmed(
  { io }: Session,
  question: string,
  yes: boolean | undefined,
): Promise<boolean> {
  if (yes === true || !io.inIsTerminal) return true;
  const answer = await io.ask(`${question} [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}
