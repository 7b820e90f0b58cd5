import type { CliIo } from "../../src/cli/io.ts";

/** A command line's surroundings that a test can look into. */
export interface FakeIo extends CliIo {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Codes with which the process would have ended at once. */
  readonly exits: () => readonly number[];
  /** Sends a signal, as Ctrl-C does. */
  readonly interrupt: (signal?: "SIGINT" | "SIGTERM") => void;
}

export interface FakeIoOptions {
  readonly directory: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly isTerminal?: boolean;
  readonly now?: () => number;
  /** What is typed when it asks, in order; given, there is somebody to ask. */
  readonly answers?: readonly string[];
  /** Called with every piece written to stderr. */
  readonly onErr?: (text: string, io: FakeIo) => void;
}

export function fakeIo(options: FakeIoOptions): FakeIo {
  const out: string[] = [];
  const err: string[] = [];
  const exits: number[] = [];
  const answers = [...(options.answers ?? [])];
  const listeners = new Set<(signal: "SIGINT" | "SIGTERM") => void>();
  const isTerminal = options.isTerminal ?? false;
  const io: FakeIo = {
    out: (text) => void out.push(text),
    err: (text) => {
      err.push(text);
      options.onErr?.(text, io);
    },
    isOutClosed: () => false,
    outIsTerminal: isTerminal,
    errIsTerminal: isTerminal,
    inIsTerminal: options.answers !== undefined,
    ask: async (question) => {
      err.push(question);
      return answers.shift() ?? "";
    },
    columns: () => 100,
    env: options.env ?? {},
    directory: options.directory,
    now: options.now ?? (() => Date.now()),
    timeZone: "America/Denver",
    user: "tester",
    onInterrupt: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exit: (code) => {
      exits.push(code);
      throw new Error(`The process would have ended with ${code}.`);
    },
    stdout: () => out.join(""),
    stderr: () => err.join(""),
    exits: () => exits,
    interrupt: (signal = "SIGINT") => {
      for (const listener of listeners) listener(signal);
    },
  };
  return io;
}
