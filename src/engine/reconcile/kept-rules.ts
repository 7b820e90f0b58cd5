import { prefer } from "../../core/policies/choose-side.ts";
import { mergeValues } from "../../core/policies/merge-values.ts";
import { whenTheseMeet } from "../../core/policies/when-these-meet.ts";
import type { PolicyChain } from "../../model/reconcile.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import type { Home } from "../../ports/home.ts";
import { hashText } from "../replicate/hash.ts";
import type { ReconcileContext } from "./context.ts";

/** What a kept rule answers: a side's value, what the policy `merge` makes, or a value. */
export type RuleAnswer =
  | { readonly prefer: string }
  | { readonly merge: true }
  /** Where exactly these values meet, whichever sides have them. */
  | { readonly when: readonly Value[]; readonly value: Value };

/** A person's decision that holds for the next conflicts too. */
export type KeptRule = RuleAnswer & {
  readonly id: number;
  readonly sync: string;
  /** Absent: every field. */
  readonly field?: string;
  readonly by: string;
  /** Epoch milliseconds. */
  readonly at: number;
};

/** A rule that is to be kept. */
export type NewRule = RuleAnswer & Pick<KeptRule, "sync" | "field" | "by" | "at">;

interface Kept {
  readonly next: number;
  readonly rules: readonly KeptRule[];
}

/** The notes of the home are by system; no system can have this name. */
const PLACE = "lockstep:reconcile";
const KEY = "rules";

/** The rules of one sync, or of all, oldest first. */
export async function keptRules(home: Home, sync?: string): Promise<readonly KeptRule[]> {
  const { rules } = await recall(home);
  return sync === undefined ? rules : rules.filter((rule) => rule.sync === sync);
}

/**
 * Keeps a rule; one of the same field (and, for a value, of the same values that meet) takes the
 * place of an earlier one. It is asked before the configured policies from the next plan on.
 * Audited.
 */
export async function keepRule(home: Home, rule: NewRule): Promise<KeptRule> {
  const { next, rules } = await recall(home);
  const kept: KeptRule = { id: next, ...rule };
  const others = rules.filter((other) => subjectOf(other) !== subjectOf(rule));
  await home
    .memory(PLACE)
    .remember(KEY, JSON.stringify({ next: next + 1, rules: [...others, kept] }));
  const { by, at, ...details } = kept;
  await home.appendAudit({ at, actor: by, action: "conflict-rule", details });
  return kept;
}

/** What a rule is about; of one subject there is one rule. */
function subjectOf(rule: NewRule): string {
  const when = "when" in rule ? rule.when.map((value) => JSON.stringify(value)).sort() : [];
  return JSON.stringify([rule.sync, rule.field, when]);
}

/** Takes a rule back; throws USAGE where there is none of that number. Audited. */
export async function forgetRule(
  home: Home,
  id: number,
  by: string,
  at: number,
): Promise<KeptRule> {
  const { next, rules } = await recall(home);
  const found = rules.find((rule) => rule.id === id);
  if (found === undefined) {
    throw new SyncError("USAGE", `There is no rule ${id}.`, {
      hint: "Run `lockstep conflicts rules` to see those there are.",
    });
  }
  const rest = rules.filter((rule) => rule !== found);
  await home.memory(PLACE).remember(KEY, JSON.stringify({ next, rules: rest }));
  const details = { id, sync: found.sync };
  await home.appendAudit({ at, actor: by, action: "conflict-rule-forget", details });
  return found;
}

async function recall(home: Home): Promise<Kept> {
  const text = await home.memory(PLACE).recall(KEY);
  return text === undefined ? { next: 1, rules: [] } : (JSON.parse(text) as Kept);
}

/** The sync with its kept rules before its policies; a plan made under others is stale. */
export function withRules(context: ReconcileContext, rules: readonly KeptRule[]): ReconcileContext {
  if (rules.length === 0) return context;
  const policies = context.rules.policies.map((chain, index) => {
    const name = context.rules.fields[index]?.name;
    const own = rules.filter(({ field }) => field === undefined || field === name);
    const sorted = own.toSorted((a, b) => widthOf(a) - widthOf(b));
    return [...sorted.map(policyOf), ...chain];
  });
  return {
    ...context,
    rules: { ...context.rules, policies },
    configuration: hashText(JSON.stringify([context.configuration, rules])),
  };
}

/** The narrower rule speaks first: of single values, of a field, of all fields. */
function widthOf(rule: KeptRule): number {
  if ("when" in rule) return 0;
  return rule.field === undefined ? 2 : 1;
}

function policyOf(rule: KeptRule): PolicyChain[number] {
  return { name: `rule ${rule.id} of ${rule.by}`, decide: answerOf(rule).decide };
}

function answerOf(rule: KeptRule): PolicyChain[number] {
  if ("when" in rule) return whenTheseMeet(rule.when, rule.value);
  return "merge" in rule ? mergeValues : prefer(rule.prefer);
}
