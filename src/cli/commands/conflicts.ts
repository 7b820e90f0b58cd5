import type { Command } from "commander";
import type { Lockstep } from "../../engine/lockstep.ts";
import type { ConflictFilter } from "../../engine/reconcile/verbs.ts";
import { chosenSides, usage, wholeNumber } from "../arguments.ts";
import type { Cli } from "../cli.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { ConflictsJson, RulesJson } from "../json.ts";
import { act, type Session } from "../session.ts";
import { type ResolveOptions, resolveConflicts } from "./resolve-conflicts.ts";

interface ListOptions {
  readonly field?: string;
  readonly name?: string;
  readonly limit?: number;
}

const SHOWN = 50;

export function addConflicts(program: Command, cli: Cli): void {
  const conflicts = program
    .command("conflicts")
    .helpGroup("Sides:")
    .summary("what waits for a person's decision, and deciding it")
    .description(
      "Lists what waits for a decision, by field, with the base and every side's value and time. Needs no network.",
    );
  conflicts
    .command("list", { isDefault: true })
    .summary("list what waits (what conflicts alone does)")
    .argument("[sync]", "only this sync")
    .option("--field <field>", "only this field")
    .option("--name <record>", "only this record")
    .option("--limit <n>", "at most so many (50); 0 for all", wholeNumber("--limit", 0))
    .action((sync: string | undefined, options: ListOptions, command: Command) =>
      act(cli, command, (session) => session.withLockstep((l) => list(session, l, sync, options))),
    );
  conflicts
    .command("show")
    .summary("one of them, and the ways to decide it")
    .argument("<id>", "its number", wholeNumber("The conflict", 1))
    .action((id: number, _options: unknown, command: Command) =>
      act(cli, command, (session) => session.withLockstep((l) => show(session, l, id))),
    );
  addResolve(conflicts, cli);
  addRules(conflicts, cli);
}

function addResolve(conflicts: Command, cli: Cli): void {
  conflicts
    .command("resolve")
    .summary("decide one, or all that fit; the next run carries it out")
    .description(
      "Notes a decision on one conflict, or with --all on all that --sync, --field and --name leave. It holds for the values that were shown: if a side says something else until the next run, it is asked anew.",
    )
    .argument("[id]", "its number", wholeNumber("The conflict", 1))
    .option("--sync <name>", "those of this sync")
    .option("--field <field>", "those about this field")
    .option("--name <record>", "those of this record")
    .option("--all", "all that fit; without a number")
    .option("--take <side>", "that side's value")
    .option("--value <value>", "another value, as the field's type has it")
    .option("--empty", "no value")
    .option("--merge", "fill blanks, unite lists, keep the later time")
    .option("--delete", "of a record's life: it is deleted everywhere")
    .option("--keep", "of a record's life: it lives on everywhere")
    .option(
      "--as-rule",
      "for later conflicts, too: with --take and --merge of the field, with --value and --empty where the same values meet",
    )
    .option("--by <name>", "who decides; kept in the audit (default: the user of the system)")
    .option("-y, --yes", "do not ask")
    .action((id: number | undefined, options: ResolveOptions, command: Command) =>
      act(cli, command, (session) =>
        session.withLockstep((lockstep) => resolveConflicts(session, lockstep, id, options)),
      ),
    );
}

function addRules(conflicts: Command, cli: Cli): void {
  conflicts
    .command("rules")
    .summary("decisions that hold for later conflicts (--as-rule)")
    .argument("[sync]", "only this sync")
    .action((sync: string | undefined, _options: unknown, command: Command) =>
      act(cli, command, (session) =>
        session.withLockstep(async (lockstep) => {
          const name = sync === undefined ? undefined : chosenSides(lockstep, sync).name;
          const json: RulesJson = { rules: await lockstep.reconcile.rules(name) };
          const { ruleLines } = await import("../render/conflicts.ts");
          await session.print(json, (look) => ruleLines(json.rules, look));
          return EXIT.done;
        }),
      ),
    );
  conflicts
    .command("forget-rule")
    .summary("take such a rule back")
    .argument("<id>", "its number", wholeNumber("The rule", 1))
    .option("--by <name>", "who decides; kept in the audit (default: the user of the system)")
    .action((id: number, { by }: { readonly by?: string }, command: Command) =>
      act(cli, command, (session) =>
        session.withLockstep(async (lockstep) => {
          const rule = await lockstep.reconcile.forgetRule(id, by ?? session.io.user);
          const json: RulesJson = { rules: [rule] };
          const { ruleInWords } = await import("../render/conflicts.ts");
          await session.print(json, () => [
            `Rule ${id} is taken back: it no longer holds that ${rule.field ?? "any field"} of ${rule.sync} ${ruleInWords(rule)}.`,
          ]);
          return EXIT.done;
        }),
      ),
    );
}

async function list(
  session: Session,
  lockstep: Lockstep,
  sync: string | undefined,
  { field, name, limit: asked = SHOWN }: ListOptions,
): Promise<ExitCode> {
  if (name !== undefined && sync === undefined && lockstep.reconcile.syncs.length > 1) {
    throw usage("A record's name is of one sync; name the sync.");
  }
  const limit = asked === 0 ? Number.MAX_SAFE_INTEGER - 1 : asked;
  const filter: ConflictFilter = {
    limit: limit + 1,
    ...(sync === undefined ? {} : { sync: chosenSides(lockstep, sync).name }),
    ...(field === undefined ? {} : { field }),
    ...(name === undefined ? {} : { name }),
  };
  const found = await lockstep.reconcile.conflicts(filter);
  const shown = found.slice(0, limit);
  const json: ConflictsJson = { conflicts: shown, truncated: found.length > shown.length };
  const { conflictLines } = await import("../render/conflicts.ts");
  await session.print(json, (look) => conflictLines(json, look));
  return EXIT.done;
}

async function show(session: Session, lockstep: Lockstep, id: number): Promise<ExitCode> {
  const conflicts = await lockstep.reconcile.conflicts({ id });
  const [conflict] = conflicts;
  if (conflict === undefined) {
    throw usage(
      `There is no open conflict ${id}.`,
      "Run `lockstep conflicts` to see those there are.",
    );
  }
  const json: ConflictsJson = { conflicts, truncated: false };
  const { conflictStory } = await import("../render/conflicts.ts");
  await session.print(json, (look) => conflictStory(conflict, look));
  return EXIT.done;
}
