import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { Cli } from "./cli.ts";
import { addApply } from "./commands/apply.ts";
import { addBackup } from "./commands/backup.ts";
import { addInstallCapture, addUninstallCapture } from "./commands/capture.ts";
import { addChanges } from "./commands/changes.ts";
import { addCheck } from "./commands/check.ts";
import { addCompare } from "./commands/compare.ts";
import { addConflicts } from "./commands/conflicts.ts";
import { addDemo } from "./commands/demo.ts";
import { addExplain } from "./commands/explain.ts";
import { addHalts, addRelease } from "./commands/halts.ts";
import { addHistory } from "./commands/history.ts";
import { addInit } from "./commands/init.ts";
import { addParked } from "./commands/parked.ts";
import { addPlan } from "./commands/plan.ts";
import { addQuota } from "./commands/quota.ts";
import { addReport } from "./commands/report.ts";
import { addRun } from "./commands/run.ts";
import { addSampleMls } from "./commands/sample-mls.ts";
import { addShow } from "./commands/show.ts";
import { addStatus } from "./commands/status.ts";
import { addTypes } from "./commands/types.ts";
import { addUndo } from "./commands/undo.ts";
import { addVerify } from "./commands/verify.ts";

const COMMANDS = [
  addInit,
  addCheck,
  addInstallCapture,
  addUninstallCapture,
  addPlan,
  addRun,
  addStatus,
  addQuota,
  addChanges,
  addShow,
  addReport,
  addVerify,
  addCompare,
  addApply,
  addConflicts,
  addExplain,
  addHistory,
  addUndo,
  addHalts,
  addRelease,
  addParked,
  addBackup,
  addTypes,
  addDemo,
  addSampleMls,
] as const;

/**
 * All commands with their options. Each command loads what it needs only when it is called, so
 * that `lockstep --help` and a mistyped word answer at once.
 */
export function createProgram(cli: Cli): Command {
  const program = new Command("lockstep")
    .description(
      "Keeps systems that share data in step: an exact, fresh copy of an MLS in your database, or two and more systems that people edit.",
    )
    .version(packageVersion(), "-V, --version", "print the version")
    .option("-c, --config <file>", "the configuration (default: lockstep.yaml here)")
    .option("--json", "print the result as JSON, a documented contract")
    .option("-q, --quiet", "print nothing but errors and what was asked for")
    .option("--verbose", "notes while it runs; where an error comes from")
    .option("--no-color", "no colours")
    .helpOption("-h, --help", "print what a command takes")
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed or different, 2 usage or configuration, 3 halted,\n4 done with parked records or open conflicts, 5 a plan with something to do, 130 stopped.",
    )
    .exitOverride();
  const outHelp = { writeOut: cli.io.out, writeErr: () => {}, getOutHelpWidth: cli.io.columns };
  program.configureOutput(outHelp);
  for (const add of COMMANDS) add(program, cli);
  return program;
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  return (manifest as { readonly version: string }).version;
}
