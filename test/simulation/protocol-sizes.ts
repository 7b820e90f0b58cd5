import { priority } from "../../src/core/policies/choose-side.ts";
import {
  type Explored,
  type Exploring,
  explore,
  INVARIANTS,
} from "../../src/testing/protocol/explore.ts";
import { createModel, type Protocol } from "../../src/testing/protocol/model.ts";

/** A size of the model: keys, value fields, sides, and what may happen how often. */
export interface Size {
  readonly name: string;
  readonly protocol: Protocol;
}

const size = (
  keys: number,
  fields: number,
  sides: number,
  edits: number,
  deletes: number,
  accidents: { readonly crashes: number; readonly losses: number },
  rules: Pick<Protocol, "policies" | "deletes">,
): Size => {
  const { crashes, losses } = accidents;
  const waits = rules.policies.length === 0 ? "review" : "decided";
  const { editAgainstDelete } = rules.deletes;
  const parts = [`${keys} keys`, `${fields} fields`, `${sides} sides`, `${edits} edits`];
  const more = [`${deletes} deletes`, `${crashes} crashes`, `${losses} lost answers`];
  return {
    name: [...parts, ...more, waits, editAgainstDelete].join(", "),
    protocol: {
      keys: ["1", "2"].slice(0, keys),
      fields: ["x", "y"].slice(0, fields),
      sides: ["a", "b", "c"].slice(0, sides),
      ...rules,
      budget: { edits, deletes, crashes, losses },
    },
  };
};

const DECIDED = [priority(["b", "a", "c"])];
const RULES = [DECIDED, []].flatMap((policies) =>
  (["edit-wins", "delete-wins", "review"] as const).map((editAgainstDelete) => ({
    policies,
    deletes: { propagate: "remove" as const, editAgainstDelete },
  })),
);
const EDIT_WINS = RULES.filter(({ deletes }) => deletes.editAgainstDelete === "edit-wins");

/** Explored by `npm test`. */
export const SMALL: readonly Size[] = RULES.map((rules) =>
  size(1, 1, 2, 2, 1, { crashes: 1, losses: 1 }, rules),
);

/** Explored by command: `npm run simulate -- --protocol`; about two million states. */
export const FULL: readonly Size[] = [
  ...SMALL,
  ...RULES.map((rules) => size(1, 2, 2, 3, 1, { crashes: 1, losses: 0 }, rules)),
  ...RULES.map((rules) => size(1, 2, 3, 2, 1, { crashes: 1, losses: 1 }, rules)),
  ...RULES.map((rules) => size(2, 2, 3, 2, 1, { crashes: 1, losses: 1 }, rules)),
  ...EDIT_WINS.map((rules) => size(2, 2, 3, 3, 0, { crashes: 1, losses: 0 }, rules)),
];

export function exploreSize({ protocol }: Size, tell?: (exploring: Exploring) => void): Explored {
  return explore(createModel(protocol), INVARIANTS, tell);
}
