import type { Conflict, PolicyAnswer, PolicyChain } from "../model/reconcile.ts";

/** The answer of the first policy that has one, with the name of that policy. */
export function askChain(
  chain: PolicyChain,
  conflict: Conflict,
): { readonly policy: string; readonly answer: NonNullable<PolicyAnswer> } | undefined {
  for (const policy of chain) {
    const answer = policy.decide(conflict);
    if (answer !== undefined) return { policy: policy.name, answer };
  }
  return undefined;
}
