import type { MappingProblem } from "../core/mapping/field-mapping.ts";
import { prefer, priority, review } from "../core/policies/choose-side.ts";
import { fieldByField } from "../core/policies/field-by-field.ts";
import { latestWins } from "../core/policies/latest-wins.ts";
import { mergeValues } from "../core/policies/merge-values.ts";
import {
  type Rule,
  type RuleAction,
  type RuleCondition,
  rules,
  type TimeCondition,
} from "../core/policies/rules.ts";
import type { Expression } from "../model/expression.ts";
import type { Policy, PolicyChain, SharedField } from "../model/reconcile.ts";
import type { ConfigPath } from "./config-problem.ts";
import { compileExpression, type FieldTypes, type Wanted } from "./expressions.ts";
import { ruleFunction } from "./given-functions.ts";
import { parseDuration } from "./quantities.ts";
import type {
  FieldByFieldInput,
  PolicyInput,
  ReconcileInput,
  RuleFunction,
  RuleInput,
  TimeInput,
} from "./reconcile-input.ts";

interface Compiling {
  readonly sides: readonly string[];
  /** The shared fields; empty where they are not known yet, and then no name of one is judged. */
  readonly types: FieldTypes;
  readonly now: string;
  readonly problems: PolicyProblem[];
}

/** `path` is where it stands in the sync. */
export interface PolicyProblem extends Omit<MappingProblem, "path"> {
  readonly path: ConfigPath;
}

/**
 * What is wrong with the policies as far as that can be told before the sides are reached: all but
 * names of shared fields that are not declared.
 */
export function policyProblems(
  input: ReconcileInput,
  sides: readonly string[],
): readonly PolicyProblem[] {
  const names = Object.keys(input.fields ?? {});
  const fields = names.map((name) => ({ name, type: { kind: "text" }, compare: {} }) as const);
  return compilePolicies(input, sides, fields, "").problems;
}

/** The chain of each shared field: its own policies, else the sync's; nothing is left to chance. */
export function compilePolicies(
  input: ReconcileInput,
  sides: readonly string[],
  fields: readonly SharedField[],
  now: string,
): { readonly chains: readonly PolicyChain[]; readonly problems: readonly PolicyProblem[] } {
  const problems: PolicyProblem[] = [];
  const types = new Map(fields.map(({ name, type }) => [name, type]));
  const compiling: Compiling = { sides, types, now, problems };
  const { hub } = input;
  const first: PolicyChain = hub === undefined ? [] : [{ ...prefer(hub), name: `hub: ${hub}` }];
  const usual = [...first, ...chain(input.policy, ["policy"], compiling)];
  const chains = fields.map(({ name }) => {
    const own = input.fields?.[name]?.policy;
    return own === undefined ? usual : chain(own, ["fields", name, "policy"], compiling);
  });
  return { chains, problems };
}

function chain(
  input: PolicyInput | readonly PolicyInput[] | undefined,
  path: ConfigPath,
  compiling: Compiling,
): PolicyChain {
  if (input === undefined) return [];
  if (!Array.isArray(input)) return [compilePolicy(input as PolicyInput, path, compiling)];
  return input.map((one: PolicyInput, index) => compilePolicy(one, [...path, index], compiling));
}

function compilePolicy(input: PolicyInput, path: ConfigPath, compiling: Compiling): Policy {
  if (input === "latest-wins") return latestWins();
  if (input === "merge") return mergeValues;
  if (input === "review") return review;
  if ("latest-wins" in input) {
    const { ties } = input["latest-wins"];
    knownSides(ties, [...path, "latest-wins", "ties"], compiling);
    return latestWins(ties);
  }
  if ("priority" in input) {
    knownSides(input.priority, [...path, "priority"], compiling);
    return priority(input.priority);
  }
  if ("prefer" in input) {
    knownSides([input.prefer], [...path, "prefer"], compiling);
    return prefer(input.prefer);
  }
  if ("field-by-field" in input) {
    return compileFieldByField(input["field-by-field"], [...path, "field-by-field"], compiling);
  }
  const list = input.rules.map((rule, index) =>
    compileRule(rule, [...path, "rules", index], compiling),
  );
  return rules(list, compiling.now);
}

function compileFieldByField(
  { fields, otherwise }: FieldByFieldInput,
  path: ConfigPath,
  compiling: Compiling,
): Policy {
  const { types, problems } = compiling;
  for (const field of Object.keys(fields)) {
    if (types.size === 0 || types.has(field)) continue;
    problems.push({
      path: [...path, "fields", field],
      reason: "is no shared field",
      remedy: correctField(types),
    });
  }
  const chains = Object.entries(fields).map(
    ([field, own]) => [field, chain(own, [...path, "fields", field], compiling)] as const,
  );
  return fieldByField(new Map(chains), chain(otherwise, [...path, "otherwise"], compiling));
}

function compileRule(
  { name, when = {}, then }: RuleInput,
  path: ConfigPath,
  compiling: Compiling,
): Rule {
  const { field_priority, source_priority, value_based, time_based } = when;
  const { types, problems } = compiling;
  for (const field of field_priority ?? []) {
    if (types.size === 0 || types.has(field)) continue;
    problems.push({
      path: [...path, "when", "field_priority"],
      reason: `names "${field}", which is no shared field`,
      remedy: correctField(types),
    });
  }
  if (source_priority !== undefined) {
    knownSides(source_priority, [...path, "when", "source_priority"], compiling);
  }
  const conditions: readonly RuleCondition[] = [
    ...(field_priority === undefined
      ? []
      : [{ kind: "field_priority", fields: field_priority } as const]),
    ...(source_priority === undefined
      ? []
      : [{ kind: "source_priority", sources: source_priority } as const]),
    ...(value_based === undefined
      ? []
      : [
          {
            kind: "value_based",
            expression: expression(
              value_based,
              "truth",
              [...path, "when", "value_based"],
              compiling,
            ),
          } as const,
        ]),
    ...(time_based === undefined
      ? []
      : [{ kind: "time_based", when: time(time_based, [...path, "when"], compiling) } as const]),
  ];
  return { name, conditions, action: action(then, path, compiling) };
}

function time(input: TimeInput, path: ConfigPath, compiling: Compiling): TimeCondition {
  if (typeof input === "string" || typeof input === "function") {
    const compiled = expression(input, "truth", [...path, "time_based"], compiling);
    return { kind: "expression", expression: compiled };
  }
  const sides = (...named: readonly string[]): void =>
    knownSides(named, [...path, "time_based"], compiling);
  if ("newer_than" in input) {
    sides(input.newer_than.side, input.newer_than.than);
    return { kind: "newer_than", ...input.newer_than };
  }
  if ("older_than" in input) {
    sides(input.older_than.side, input.older_than.than);
    return { kind: "older_than", ...input.older_than };
  }
  const kind = "within" in input ? "within" : "before";
  const { side, age } = "within" in input ? input.within : input.before;
  sides(side);
  return { kind, side, ageMs: parseDuration(age) ?? 0 };
}

function action(then: RuleInput["then"], path: ConfigPath, compiling: Compiling): RuleAction {
  if (typeof then === "string") return { kind: then };
  if ("prefer_source" in then) {
    knownSides([then.prefer_source], [...path, "then", "prefer_source"], compiling);
    return { kind: "prefer_source", source: then.prefer_source };
  }
  const compiled = expression(then.calculate, "any", [...path, "then", "calculate"], compiling);
  return { kind: "calculate", expression: compiled };
}

function expression(
  given: string | RuleFunction<unknown>,
  wanted: Wanted,
  path: ConfigPath,
  { sides, types, problems }: Compiling,
): Expression {
  if (typeof given === "function") return ruleFunction(given);
  const compiled = compileExpression(given, wanted, types, sides);
  if (compiled.kind === "compiled") return compiled.expression;
  problems.push({ path, reason: compiled.message, remedy: "Correct the expression." });
  return { text: given, evaluate: () => null };
}

function correctField(types: FieldTypes): string {
  return `Correct the name; shared fields: ${[...types.keys()].join(", ")}.`;
}

function knownSides(
  names: readonly string[],
  path: ConfigPath,
  { sides, problems }: Compiling,
): void {
  for (const name of names) {
    if (sides.includes(name)) continue;
    problems.push({
      path,
      reason: `names "${name}", which is no side`,
      remedy: `Correct the name; sides: ${sides.join(", ")}.`,
    });
  }
}
