import { type Command, CommanderError } from "commander";
import { isSyncError, SyncError, toSyncError } from "../model/sync-error.ts";
import type { Application } from "./cli.ts";
import { EXIT, type ExitCode, exitOfError } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import type { ErrorJson } from "./json.ts";
import { createProgram } from "./program.ts";
import { exitOfInterrupt, InterruptError, isColouredFor } from "./session.ts";

/** Runs one command line and gives its exit code; every error is told, none is thrown. */
export async function runCli(
  args: readonly string[],
  io: CliIo,
  app: Application,
): Promise<ExitCode> {
  let exit: ExitCode = EXIT.done;
  const finish = (code: ExitCode): void => {
    exit = code;
  };
  const program = createProgram({
    io,
    app,
    finish,
    run: (typed, own) => runCli(typed, own, app),
  });
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args, { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    const isHalf = error instanceof CommanderError && error.code === "commander.help";
    const told = isHalf ? halfCommand(args, program) : error;
    return await tellError(told, args, io, groupOf(args, program));
  }
}

async function tellError(
  thrown: unknown,
  args: readonly string[],
  io: CliIo,
  group: string,
): Promise<ExitCode> {
  const has = (option: string): boolean => args.includes(option);
  if (thrown instanceof InterruptError) {
    if (!has("--quiet") && !has("-q")) io.err(`${thrown.message}\n`);
    return exitOfInterrupt(thrown.by);
  }
  const error =
    thrown instanceof CommanderError ? usageError(thrown, args, group) : toSyncError(thrown);
  const exit = exitOfError(error.code);
  if (has("--json")) io.out(`${JSON.stringify({ error: errorJson(error, exit) }, null, 2)}\n`);
  else {
    const { createStyle } = await import("./render/style.ts");
    const { errorLines, stackLines } = await import("./render/error.ts");
    const style = createStyle(isColouredFor(io.errIsTerminal, { color: !has("--no-color") }, io));
    const lines = errorLines(error, style);
    const isBug = !isSyncError(thrown) && !(thrown instanceof CommanderError);
    const stack = has("--verbose") || isBug ? stackLines(error, style) : [];
    io.err([...lines, ...(has("--verbose") ? stack : [])].map((line) => `${line}\n`).join(""));
    if (isBug && !has("--verbose"))
      io.err("Run it again with --verbose to see where it happened.\n");
  }
  return exit;
}

/** ` demo` where the command line begins with a command that has others in it. */
function groupOf(args: readonly string[], program: Command): string {
  const group = program.commands.find((one) => one.name() === args[0] && one.commands.length > 0);
  return group === undefined ? "" : ` ${group.name()}`;
}

/** `lockstep demo`: a command that has its work in others, of which none was named. */
function halfCommand(args: readonly string[], program: Command): SyncError {
  const command = program.commands.find((one) => args.includes(one.name()));
  const name = command?.name() ?? "";
  const words = command?.commands.map((one) => one.name()) ?? [];
  return new SyncError("USAGE", `\`lockstep ${name}\` needs one of: ${words.join(", ")}.`, {
    hint: `Run \`lockstep ${name} ${words[0] ?? ""}\`; \`lockstep ${name} --help\` tells what each is.`,
  });
}

/** Commander's words as ours: `error: unknown option '--foo'\n(Did you mean --full?)`. */
function usageError(error: CommanderError, args: readonly string[], group: string): SyncError {
  const text = error.message
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ")
    .replace(/'([^']*)'/g, '"$1"')
    .replace(/\(Did you mean ([^?)]*)\?\)/, '(did you mean "$1"?)');
  const command = error.code === "commander.unknownCommand" ? group : ` ${args[0] ?? ""}`;
  return new SyncError(
    "USAGE",
    `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.?$/, ".")}`,
    {
      hint: `Run \`lockstep${command.startsWith(" -") ? "" : command} --help\` to see what it takes.`,
      cause: error,
    },
  );
}

function errorJson(error: SyncError, exit: ExitCode): ErrorJson["error"] {
  const { code, message, hint, context, details } = error;
  return { code, message, hint, exit, context, details };
}
