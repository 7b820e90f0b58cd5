import { existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { SyncError } from "../../model/sync-error.ts";
import { collect, oneOf, usage } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { InitReconcileOptions } from "../init/reconcile.ts";
import type { InitJson } from "../json.ts";
import { act, type Session } from "../session.ts";

interface InitOptions extends InitReconcileOptions {
  readonly force?: boolean;
  readonly schema?: boolean;
}

export function addInit(program: Command, cli: Cli): void {
  program
    .command("init")
    .helpGroup("Set up:")
    .summary("write a commented lockstep.yaml")
    .description(
      "Writes a commented lockstep.yaml here and says what to do next. Templates: wfrmls, sample; reconcile looks into two or more systems and proposes how to keep them in step.",
    )
    .argument(
      "[template]",
      "wfrmls, sample for a made-up MLS on this machine, or reconcile for systems of your own",
    )
    .option("--force", "write over a file that exists (not for reconcile)")
    .option("--side <name=system.stream>", "reconcile: a side; give it twice or more", collect)
    .option("--sqlite <path>", "reconcile: a SQLite file to look into", collect)
    .option("--csv <path>", "reconcile: a CSV, JSONL or XLSX file to look into", collect)
    .option("--postgres <env:name>", "reconcile: where a PostgreSQL's URL stands", collect)
    .option("--mysql <env:name>", "reconcile: where the URL of a MySQL or MariaDB stands", collect)
    .option("--name <sync>", "reconcile: the sync's name (inventory)")
    .option("--out <file>", "reconcile: the file to write (lockstep.yaml)")
    .option("--schema", "write lockstep.schema.json too, so that editors complete and check")
    .action((template: string | undefined, options: InitOptions, command: Command) =>
      act(cli, command, (session) => init(cli, session, template, options)),
    );
}

async function init(
  cli: Cli,
  session: Session,
  name: string | undefined,
  options: InitOptions,
): Promise<ExitCode> {
  if (name === "reconcile") return initReconcile(session, options);
  const { TEMPLATES, SCHEMA_FILE, SCHEMA_LINE } = await import("../init/templates.ts");
  const names = TEMPLATES.map((template) => template.name);
  if (name === undefined && !options.schema) {
    throw usage(
      `Name a template: ${names.join(", ")} or reconcile.`,
      "Run `lockstep init wfrmls`, `lockstep init sample` to try things out, or `lockstep init reconcile` for systems to keep in step.",
    );
  }
  const { directory } = session.io;
  const template =
    name === undefined
      ? undefined
      : TEMPLATES[names.indexOf(oneOf("The template", [...names, "reconcile"], name))];
  const config = resolve(directory, session.globals.config ?? "lockstep.yaml");
  const written: string[] = [];
  if (options.schema) {
    const schema = JSON.stringify(await cli.app.configSchema(), null, 2);
    written.push(writeNew(resolve(directory, SCHEMA_FILE), `${schema}\n`, true));
  }
  if (template !== undefined) {
    const text = (options.schema ? SCHEMA_LINE : "") + template.yaml;
    written.push(writeNew(config, text, options.force === true));
  }
  const json: InitJson = { written };
  await session.print(json, () => [
    ...written.map((path) => `Wrote ${path}`),
    ...(template === undefined ? [] : ["", "Next:", ...template.next.map((step) => `  ${step}`)]),
  ]);
  return EXIT.done;
}

/** Proposes a sync of sides from what stands in them, shows it, and writes it down. */
async function initReconcile(session: Session, options: InitOptions): Promise<ExitCode> {
  const { proposeFile } = await import("../init/reconcile.ts");
  const { proposalLines } = await import("../init/reconcile-shown.ts");
  const proposed = await session.withWatch(({ signal }) => proposeFile(session, options, signal));
  const written = [writeNew(proposed.path, proposed.text, false)];
  const { sync, proposal } = proposed;
  const json: InitJson = {
    written,
    sync,
    match: proposal.match,
    matches: proposal.others.map(({ side, key }) => ({ side: side.name, ...key })),
  };
  await session.print(json, (look) => proposalLines(proposed, look, session.io.directory));
  return EXIT.done;
}

/** Writes a file that must not exist yet, unless it may be written over; gives its path. */
function writeNew(path: string, text: string, mayReplace: boolean): string {
  if (!mayReplace && existsSync(path)) {
    throw usage(
      `"${path}" exists already; nothing was written.`,
      "Give --force to write over it, or name another file with --config FILE.",
    );
  }
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw unwritable(path, error);
  }
  return path;
}

function unwritable(path: string, cause: unknown): SyncError {
  return new SyncError("USAGE", `"${path}" cannot be written.`, {
    hint: "Check the folder and its permissions.",
    cause,
  });
}
