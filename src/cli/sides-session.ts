import type { ReconcileEvent } from "../engine/reconcile/context.ts";
import type { ReconcileWatch } from "../engine/reconcile/verbs.ts";
import { createLook } from "./render/look.ts";
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
    const shown = progressOf(session, sync);
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

function progressOf({ io, globals }: Session, sync: string): Shown {
  if (globals.quiet === true || (!io.errIsTerminal && globals.json === true)) {
    return { emit: () => {}, stop: () => {} };
  }
  let [lastAt, isDrawn] = [Number.NEGATIVE_INFINITY, false];
  const every = io.errIsTerminal ? FRAME_MS : LOG_EVERY_MS;
  const { times } = createLook({ isColoured: false, timeZone: io.timeZone, now: 0, columns: 80 });
  const clear = (): void => {
    if (isDrawn) io.err(CLEAR_LINE);
    isDrawn = false;
  };
  const say = (text: string): void => {
    if (io.errIsTerminal)
      io.err(CLEAR_LINE + clip(`${sync}: ${text}`, Math.max(20, io.columns() - 1)));
    else io.err(`${times.full(io.now())}  ${sync}: ${text}\n`);
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
      // A log hears of what takes long, not of what is over at once.
      if (lastAt === Number.NEGATIVE_INFINITY && !io.errIsTerminal) lastAt = event.at;
      if (event.at - lastAt < every) return;
      lastAt = event.at;
      say(inWords(event));
    },
    stop: clear,
  };
}

function inWords(event: ReconcileEvent): string {
  switch (event.kind) {
    case "observing": {
      const of = event.total === undefined ? "" : ` of ${formatCount(event.total)}`;
      return `reading ${event.side}, ${formatCount(event.read)}${of}`;
    }
    case "merging":
      return `comparing, ${formatCount(event.merged)}`;
    case "applying":
      return `writing, ${formatCount(event.done)} of ${formatCount(event.total)}`;
    case "note":
      return event.message;
  }
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
