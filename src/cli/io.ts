import { userInfo } from "node:os";
import { createInterface } from "node:readline/promises";

/** Everything of the outside world that the command line touches, so that a test can give its own. */
export interface CliIo {
  /** Results. */
  readonly out: (text: string) => void;
  /** Progress and errors. */
  readonly err: (text: string) => void;
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

/** The real one. A reader that goes away (`lockstep changes | head`) ends the process in peace. */
export function processIo(): CliIo {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
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
