import type { Conflict, Policy, PolicyAnswer, PolicyChain } from "../model/reconcile.ts";

/**
 * The answer of the first policy that has one, with the name of that policy. Total, whatever a
 * policy does that a person wrote: one that fails, or answers with what is no value, waits for
 * review with its reason, since to pass over it would be to decide by chance.
 */
export function askChain(
  chain: PolicyChain,
  conflict: Conflict,
): { readonly policy: string; readonly answer: NonNullable<PolicyAnswer> } | undefined {
  for (const policy of chain) {
    const answer = answerOf(policy, conflict);
    if (answer !== undefined) return { policy: policy.name, answer };
  }
  return undefined;
}

function answerOf({ decide }: Policy, conflict: Conflict): PolicyAnswer {
  try {
    const answer = decide(conflict);
    if (answer === undefined || answer.kind === "review" || isValue(answer.value)) return answer;
    return { kind: "review", why: "it answered with what is no value" };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "review", why: `it failed: ${reason}` };
  }
}

function isValue(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isValue);
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}
