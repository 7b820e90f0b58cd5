import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { SyncError } from "../../model/sync-error.ts";
import { usage } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { TypesJson } from "../json.ts";
import { act, type Session } from "../session.ts";

interface TypesOptions {
  readonly out?: string;
  readonly force?: boolean;
}

export function addTypes(program: Command, cli: Cli): void {
  program
    .command("types")
    .helpGroup("Set up:")
    .summary("write TypeScript types of an MLS")
    .description(
      "Writes TypeScript types from a system's $metadata, for the client in lockstep/reso: an interface for every entity set, lookups as unions of their values.",
    )
    .argument("[system]", "which system; may be left out where only one has $metadata")
    .option("--out <file>", "where to write them; without it they are printed")
    .option("--force", "write over a file that this command did not write")
    .action((system: string | undefined, options: TypesOptions, command: Command) =>
      act(cli, command, (session) => types(cli, session, system, options)),
    );
}

/** How every file of types begins. */
const MARK = "// Written by `lockstep types`.";

async function types(
  cli: Cli,
  session: Session,
  name: string | undefined,
  options: TypesOptions,
): Promise<ExitCode> {
  const { directory, env } = session.io;
  const { config } = session.globals;
  const out = options.out === undefined ? undefined : resolve(directory, options.out);
  if (out !== undefined && options.force !== true) requireOwn(out);
  const { system, text, streams, lookups } = await session.withWatch(({ signal }) =>
    cli.app.types(
      { directory, env, ...(config === undefined ? {} : { configFile: config }) },
      name,
      signal,
    ),
  );
  if (out !== undefined) write(out, text);
  const json: TypesJson = { system, streams, lookups, ...(out === undefined ? { text } : { out }) };
  await session.print(json, () =>
    out === undefined
      ? [text.trimEnd()]
      : [
          `Wrote ${out}`,
          `  ${streams} entity sets, ${lookups} lookups of system "${system}"`,
          "  `Streams` in it is for createResoClient<Streams>(…)",
        ],
  );
  return EXIT.done;
}

function requireOwn(path: string): void {
  if (!existsSync(path)) return;
  const isOwn = contents(path).startsWith(MARK);
  if (isOwn) return;
  throw usage(
    `"${path}" exists and was not written by lockstep types; nothing was written.`,
    "Name another file, or give --force to write over it.",
  );
}

function contents(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unusable(path, "read", error);
  }
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw unusable(path, "written", error);
  }
}

function unusable(path: string, how: "read" | "written", cause: unknown): SyncError {
  const hint = "Check the folder and its permissions.";
  return new SyncError("USAGE", `"${path}" cannot be ${how}.`, { hint, cause });
}
