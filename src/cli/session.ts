import type { Command } from "commander";
import type { Lockstep } from "../engine/lockstep.ts";
import type { Watch } from "../engine/results.ts";
import type { Cli, GlobalOptions } from "./cli.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import type { Look } from "./render/look.ts";

/** One command while it runs: its options, its output, the application it opens. */
export interface Session {
  readonly io: CliIo;
  readonly globals: GlobalOptions;
  /** How results are drawn; loads the renderers. */
  readonly look: () => Promise<Look>;
  /** The result, as JSON or for a person. */
  readonly print: (json: unknown, lines: (look: Look) => readonly string[]) => Promise<void>;
  /** Opens the application, and closes it whatever happens. */
  readonly withLockstep: <T>(act: (lockstep: Lockstep) => Promise<T>) => Promise<T>;
  /** Progress and a way to stop: the first Ctrl-C asks, the second one ends the process. */
  readonly withWatch: <T>(act: (watch: Watch & WatchedBy) => Promise<T>) => Promise<T>;
}

/** Which signal asked to stop, if one did. */
export interface WatchedBy {
  readonly interruptedBy: () => "SIGINT" | "SIGTERM" | undefined;
}

/** Thrown through whatever goes on when a person stops it. */
export class InterruptError extends Error {
  readonly by: "SIGINT" | "SIGTERM";

  constructor(by: "SIGINT" | "SIGTERM") {
    super(`Stopped by ${by === "SIGINT" ? "Ctrl-C" : by}.`);
    this.name = "AbortError";
    this.by = by;
  }
}

export function exitOfInterrupt(by: "SIGINT" | "SIGTERM" | undefined): ExitCode {
  return by === "SIGTERM" ? EXIT.terminated : EXIT.interrupted;
}

/** Runs a command's action with a session of its own and notes how it ended. */
export async function act(
  cli: Cli,
  command: Command,
  action: (session: Session) => Promise<ExitCode>,
): Promise<void> {
  cli.finish(await action(createSession(cli, command.optsWithGlobals<GlobalOptions>())));
}

function createSession(cli: Cli, globals: GlobalOptions): Session {
  const { io } = cli;
  const look = async (): Promise<Look> => {
    const { createLook } = await import("./render/look.ts");
    const isColoured = isColouredFor(io.outIsTerminal, globals, io);
    // What goes into a file or a pipe is cut nowhere.
    const columns = io.outIsTerminal ? io.columns() : Number.POSITIVE_INFINITY;
    return createLook({ isColoured, timeZone: io.timeZone, now: io.now(), columns });
  };
  return {
    io,
    globals,
    look,
    print: async (json, lines) => {
      if (globals.json) io.out(`${JSON.stringify(json, null, 2)}\n`);
      else
        io.out(
          lines(await look())
            .map((line) => `${line}\n`)
            .join(""),
        );
    },
    withLockstep: async (action) => {
      const { config } = globals;
      const lockstep = await cli.app.open({
        directory: io.directory,
        env: io.env,
        ...(config === undefined ? {} : { configFile: config }),
      });
      try {
        return await action(lockstep);
      } finally {
        await lockstep.close();
      }
    },
    withWatch: (action) => watched(io, globals, action),
  };
}

export function isColouredFor(
  isTerminal: boolean,
  { color }: Pick<GlobalOptions, "color">,
  io: CliIo,
): boolean {
  const forced = io.env["FORCE_COLOR"];
  if (!color || io.env["NO_COLOR"]) return false;
  return isTerminal || (forced !== undefined && forced !== "0");
}

async function watched<T>(
  io: CliIo,
  globals: GlobalOptions,
  action: (watch: Watch & WatchedBy) => Promise<T>,
): Promise<T> {
  const watcher = await chooseWatcher(io, globals);
  const controller = new AbortController();
  let interruptedBy: "SIGINT" | "SIGTERM" | undefined;
  const forget = io.onInterrupt((signal) => {
    if (interruptedBy !== undefined) {
      watcher.stop();
      io.exit(exitOfInterrupt(signal));
    }
    interruptedBy = signal;
    if (!globals.quiet)
      watcher.say("Stopping at the next safe point; press Ctrl-C again to stop at once.");
    controller.abort(new InterruptError(signal));
  });
  try {
    return await action({
      signal: controller.signal,
      emit: watcher.emit,
      interruptedBy: () => interruptedBy,
    });
  } finally {
    forget();
    watcher.stop();
  }
}

async function chooseWatcher(
  io: CliIo,
  globals: GlobalOptions,
): Promise<import("./render/watch-run.ts").RunWatcher> {
  const { SILENT_WATCHER, watchAsLines, watchOnTerminal } = await import("./render/watch-run.ts");
  const options = {
    isColoured: isColouredFor(io.errIsTerminal, globals, io),
    isVerbose: globals.verbose === true,
  };
  if (globals.quiet) return SILENT_WATCHER;
  if (io.errIsTerminal) return watchOnTerminal(io, options);
  return globals.json ? SILENT_WATCHER : watchAsLines(io, options);
}
