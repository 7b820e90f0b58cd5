import type { Policy, PolicyChain } from "../../model/reconcile.ts";
import { askChain } from "../ask-chain.ts";

/** Each field by its own chain; fields that are not named by `otherwise`. */
export function fieldByField(
  chains: ReadonlyMap<string, PolicyChain>,
  otherwise: PolicyChain,
): Policy {
  return {
    name: "field-by-field",
    decide: (conflict) => {
      const chain = chains.get(conflict.field.name) ?? otherwise;
      const asked = askChain(chain, conflict);
      if (asked === undefined) return undefined;
      const { policy, answer } = asked;
      return { ...answer, why: `${policy}: ${answer.why}` };
    },
  };
}
