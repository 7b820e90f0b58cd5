import type { Candidate, PolicyChain } from "../../model/reconcile.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Home } from "../../ports/home.ts";
import { hashText } from "../replicate/hash.ts";
import type { ReconcileContext } from "./context.ts";

/** A person's decision that holds for the next conflicts too: that side's value is taken. */
export interface KeptRule {
  readonly id: number;
  readonly sync: string;
  /** Absent: every field. */
  readonly field?: string;
  readonly prefer: string;
  readonly by: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

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
 * Keeps a rule; one of the same field takes the place of an earlier one. It is asked before the
 * configured policies from the next plan on. Audited.
 */
export async function keepRule(home: Home, rule: Omit<KeptRule, "id">): Promise<KeptRule> {
  const { next, rules } = await recall(home);
  const kept = { id: next, ...rule };
  const others = rules.filter(({ sync, field }) => sync !== rule.sync || field !== rule.field);
  await home
    .memory(PLACE)
    .remember(KEY, JSON.stringify({ next: next + 1, rules: [...others, kept] }));
  const { by, at, ...details } = kept;
  await home.appendAudit({ at, actor: by, action: "conflict-rule", details });
  return kept;
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
    // The narrower rule speaks first.
    const sorted = own.toSorted(
      (a, b) => Number(a.field === undefined) - Number(b.field === undefined),
    );
    return [...sorted.map(policyOf), ...chain];
  });
  return {
    ...context,
    rules: { ...context.rules, policies },
    configuration: hashText(JSON.stringify([context.configuration, rules])),
  };
}

function policyOf({ id, by, prefer }: KeptRule): PolicyChain[number] {
  return {
    name: `rule ${id} of ${by}`,
    decide: ({ candidates }) => {
      const taken = candidates.find(({ side }: Candidate) => side === prefer);
      if (taken === undefined) return undefined;
      return { kind: "value", value: taken.value, from: prefer, why: `${prefer} is preferred` };
    },
  };
}
