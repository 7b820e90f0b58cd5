import type { Lockstep } from "../../engine/lockstep.ts";
import type { KeptRule, RuleAnswer } from "../../engine/reconcile/kept-rules.ts";
import type { ConflictAnswer, ConflictFilter } from "../../engine/reconcile/verbs.ts";
import { describeType, fitValue } from "../../model/fit-value.ts";
import type { OpenConflict } from "../../model/plan.ts";
import type { Value, ValueType } from "../../model/value.ts";
import { chosenSides, oneOf, usage } from "../arguments.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { ResolvedJson } from "../json.ts";
import type { Session } from "../session.ts";
import { isConfirmed, withSidesWatch } from "../sides-session.ts";
import { mergeConflicts } from "./merge-conflicts.ts";

export interface ResolveOptions {
  readonly sync?: string;
  readonly field?: string;
  readonly name?: string;
  readonly all?: boolean;
  readonly take?: string;
  readonly value?: string;
  readonly empty?: boolean;
  readonly merge?: boolean;
  readonly delete?: boolean;
  readonly keep?: boolean;
  readonly asRule?: boolean;
  readonly by?: string;
  readonly yes?: boolean;
}

const ANSWERS = ["take", "value", "empty", "merge", "delete", "keep"] as const;

/** Notes one decision on the conflicts that are meant, after asking where they are several. */
export async function resolveConflicts(
  session: Session,
  lockstep: Lockstep,
  id: number | undefined,
  options: ResolveOptions,
): Promise<ExitCode> {
  const [given, second] = ANSWERS.filter((answer) => options[answer] !== undefined);
  if (given === undefined || second !== undefined) {
    throw usage(
      "A conflict needs one answer.",
      "Give one of --take SIDE, --value VALUE, --empty, --merge, --delete, --keep.",
    );
  }
  if (options.asRule === true && (given === "delete" || given === "keep")) {
    throw usage(
      `--as-rule keeps how a field's value is decided, and --${given} decides whether a record lives.`,
      "For all such records set `deletes: { againstEdit: edit-wins }` (or delete-wins) in the sync.",
    );
  }
  const filter = filterOf(lockstep, id, options);
  const meant = await lockstep.reconcile.conflicts(filter);
  if (meant.length === 0) {
    throw usage(
      id === undefined ? "No open conflict is meant by that." : `There is no open conflict ${id}.`,
      "Run `lockstep conflicts` to see those that wait.",
    );
  }
  if (options.asRule === true) refuseManyRules(given, meant);
  const answer = await answerOf(session, lockstep, given, options, meant);
  const question = `Decide ${meant.length} ${meant.length === 1 ? "conflict" : "conflicts"}?`;
  if (id === undefined && !(await isConfirmed(session, question, options.yes))) {
    session.io.err("Nothing was decided.\n");
    return EXIT.parked;
  }
  const by = options.by?.trim() || session.io.user;
  const { resolved, refused } =
    given === "merge"
      ? await mergeConflicts(session, lockstep, meant, by)
      : await lockstep.reconcile.resolve(filter, answer, by);
  const rules = options.asRule === true ? await keepAll(lockstep, resolved, by) : [];
  const json: ResolvedJson = { resolved, refused, rules };
  const { resolvedLines } = await import("../render/conflicts.ts");
  await session.print(json, (look) => resolvedLines(json, look));
  return refused.length > 0 ? EXIT.parked : EXIT.done;
}

function filterOf(
  lockstep: Lockstep,
  id: number | undefined,
  { sync, field, name, all }: ResolveOptions,
): ConflictFilter {
  if (id !== undefined) {
    const [other] =
      Object.entries({ sync, field, name, all }).find(([, value]) => value !== undefined) ?? [];
    if (other !== undefined) throw usage(`A number names one conflict; leave --${other} out.`);
    return { id };
  }
  if (all !== true) {
    throw usage(
      "Which conflict is meant?",
      "Give its number, or --all with --sync, --field or --name for all that fit.",
    );
  }
  const [only, another] = lockstep.reconcile.syncs;
  if (sync === undefined && another !== undefined) {
    throw usage("Decisions are of one sync; give --sync NAME.");
  }
  const one = sync === undefined ? only?.name : chosenSides(lockstep, sync).name;
  return {
    ...(one === undefined ? {} : { sync: one }),
    ...(field === undefined ? {} : { field }),
    ...(name === undefined ? {} : { name }),
  };
}

async function answerOf(
  session: Session,
  lockstep: Lockstep,
  given: (typeof ANSWERS)[number],
  { take = "", value = "" }: ResolveOptions,
  meant: readonly OpenConflict[],
): Promise<ConflictAnswer> {
  switch (given) {
    case "take": {
      const [sync] = meant.map((conflict) => conflict.sync);
      const sides = lockstep.reconcile.syncs.find(({ name }) => name === sync)?.sides ?? [];
      return {
        take: oneOf(
          "--take",
          sides.map(({ side }) => side),
          take,
        ),
      };
    }
    case "value":
      return { value: await fittedValue(session, lockstep, meant, value) };
    case "empty":
      return { value: null };
    case "merge":
      return { merge: true };
    case "delete":
      return { deletes: true };
    case "keep":
      return { deletes: false };
  }
}

/** The text as the value that the field's type has; the sides are asked for the type. */
async function fittedValue(
  session: Session,
  lockstep: Lockstep,
  meant: readonly OpenConflict[],
  text: string,
): Promise<Value> {
  const fields = new Set(meant.flatMap(({ field }) => (field === undefined ? [] : [field])));
  const [field, another] = fields;
  const [first] = meant;
  if (first === undefined || field === undefined || another !== undefined) {
    throw usage("--value is for one field; give --field, or the conflict's number.");
  }
  const { sync } = first;
  const shape = await withSidesWatch(session, sync, (watch) =>
    lockstep.reconcile.describe(sync, watch),
  );
  const type = shape.fields.find(({ name }) => name === field)?.type ?? { kind: "text" };
  const value = fitValue(type, itemsOf(type, text));
  if (value !== undefined) return value;
  throw usage(`--value is "${text}"; "${field}" expects ${describeType(type)}.`);
}

/** A list is a JSON array, or its items parted by commas. */
function itemsOf(type: ValueType, text: string): Value {
  if (type.kind !== "list") return text;
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed)) return parsed as Value;
  } catch {
    // No JSON: items parted by commas.
  }
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** So many rules at once are a policy, which belongs into the configuration. */
const MOST_RULES = 50;

/** A rule for each field that was decided or, for a value, for each meeting of values. */
async function keepAll(
  lockstep: Lockstep,
  resolved: readonly OpenConflict[],
  by: string,
): Promise<readonly KeptRule[]> {
  const wanted = rulesOf(resolved);
  const kept: KeptRule[] = [];
  for (const rule of wanted) kept.push(await lockstep.reconcile.addRule({ ...rule, by }));
  return kept;
}

type WantedRule = RuleAnswer & Pick<KeptRule, "sync" | "field">;

function rulesOf(resolved: readonly OpenConflict[]): readonly WantedRule[] {
  const rules = resolved.flatMap((conflict): readonly WantedRule[] => {
    const { sync, field, resolution, candidates } = conflict;
    if (field === undefined || resolution === undefined) return [];
    if (resolution.take !== undefined) return [{ sync, field, prefer: resolution.take }];
    if (resolution.merge === true) return [{ sync, field, merge: true }];
    if (resolution.value === undefined) return [];
    return [{ sync, field, when: meeting(candidates), value: resolution.value }];
  });
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

/** The values that meet, each once and in an order of their own. */
function meeting(candidates: OpenConflict["candidates"]): readonly Value[] {
  const values = new Map(candidates.map(({ value }) => [JSON.stringify(value), value]));
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

/** Refuses a value as a rule for meetings so many that nobody meant each of them. */
function refuseManyRules(given: string, meant: readonly OpenConflict[]): void {
  if (given !== "value" && given !== "empty") return;
  const meetings = new Set(
    meant.map(({ sync, field, candidates }) => JSON.stringify([sync, field, meeting(candidates)])),
  );
  if (meetings.size <= MOST_RULES) return;
  throw usage(
    `--value with --as-rule keeps a rule for each meeting of values, and here are ${meetings.size}.`,
    "Give a policy with `rules` to the field in the configuration, or decide them without --as-rule.",
  );
}
