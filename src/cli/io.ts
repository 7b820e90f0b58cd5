import { userInfo } from "node:os";
import { createInterface } from "node:readline/promises";
import { EXIT } from "./exit-codes.ts";

/** Everything of the outside world that the command line touches, so that a test can give its own. */
export interface CliIo {
  /** Results. */
  readonly out: (text: string) => void;
  /** Progress and errors. */
  readonly err: (text: string) => void;
  /** Nobody reads results any more (`lockstep changes | head`): what only prints may end. */
  readonly isOutClosed: () => boolean;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Somebody can be asked. */
  readonly inIsTerminal: boolean;
  /** Asks on stderr and gives the line that was typed; "" at the end of the input. */
  readonly ask: (question: string) => Promise<string>;
  /** Width of the terminal; 80 where there is none. */
  readonly columns: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths are meant from; absolute. */
  readonly directory: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** IANA name of the user's time zone. */
  readonly timeZone: string;
  /** Name of the operating system's user, for the audit. */
  readonly user: string;
  /** Calls back on SIGINT and SIGTERM with the signal's name; gives the way to stop listening. */
  readonly onInterrupt: (listener: (signal: "SIGINT" | "SIGTERM") => void) => () => void;
  /** Ends the process without another word. */
  readonly exit: (code: number) => never;
}

/**
 * The real one. A reader that goes away (`lockstep run | head`) stops nothing: what is under way
 * goes on to its end and ends with its own exit code, and what it says is said to nobody. Results
 * that cannot be written elsewhere, as on a full disk, stop nothing either, but are no success.
 */
export function processIo(): CliIo {
  const err = sayingTo(process.stderr, () => undefined);
  const out = sayingTo(process.stdout, ({ message }) => {
    err.say(
      `Failed: What this command says cannot be written (${message}); what it does goes on.\n` +
        "What to do: make room there, then see `lockstep status` for what was done.\n",
    );
    process.on("exit", (code) => {
      if (code === EXIT.done) process.exitCode = EXIT.failed;
    });
  });
  return {
    out: out.say,
    err: err.say,
    isOutClosed: out.isClosed,
    outIsTerminal: process.stdout.isTTY === true,
    errIsTerminal: process.stderr.isTTY === true,
    inIsTerminal: process.stdin.isTTY === true,
    ask: askOnTerminal,
    columns: () => process.stderr.columns ?? process.stdout.columns ?? 80,
    env: process.env,
    directory: process.cwd(),
    now: () => Date.now(),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    user: userInfo().username,
    onInterrupt: (listener) => {
      process.on("SIGINT", listener);
      process.on("SIGTERM", listener);
      return () => {
        process.off("SIGINT", listener);
        process.off("SIGTERM", listener);
      };
    },
    exit: (code) => process.exit(code),
  };
}

/** Calls `onLost` once where what is said is lost though somebody waits for it. */
function sayingTo(
  stream: NodeJS.WriteStream,
  onLost: (error: Error) => void,
): {
  readonly say: (text: string) => void;
  readonly isClosed: () => boolean;
} {
  let isClosed = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && !isClosed) onLost(error);
    isClosed = true;
  });
  return {
    say: (text) => {
      if (!isClosed) stream.write(text);
    },
    isClosed: () => isClosed,
  };
}

/** Ctrl-C while it asks is the answer "". */
async function askOnTerminal(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise<string>((resolve) => {
      lines.on("close", () => resolve(""));
      lines.on("SIGINT", () => lines.close());
      void lines.question(question).then(resolve, () => resolve(""));
    });
  } finally {
    lines.close();
  }
}
