import type { Problem, Values } from "../model/record.ts";
import type { ValidationRule } from "../model/replicate.ts";
import { fieldIndex, type StreamSchema } from "../model/schema.ts";
import type { Value } from "../model/value.ts";

/** What the rules say of a record: nothing, or park or reject it with these problems. */
export interface Verdict {
  readonly action: "park" | "reject";
  readonly problems: readonly Problem[];
}

/** Compiles the rules of a stream once; the result judges one record's values. */
export function compileRules(
  schema: StreamSchema,
  rules: readonly ValidationRule[],
): (values: Values) => Verdict | undefined {
  const checks = rules.map((rule) => ({
    rule,
    index: fieldIndex(schema, rule.field),
    failure: compileCheck(rule),
  }));
  return (values) => {
    const problems: Problem[] = [];
    let reject = false;
    for (const { rule, index, failure } of checks) {
      const message = failure(values[index]);
      if (message === undefined) continue;
      problems.push({ code: "RECORD_RULE", field: rule.field, message });
      reject ||= rule.otherwise === "reject";
    }
    if (problems.length === 0) return undefined;
    return { action: reject ? "reject" : "park", problems };
  };
}

type Failure = (value: Value | undefined) => string | undefined;

/** Every check but `required` passes where there is no value. */
function compileCheck({ field, check }: ValidationRule): Failure {
  const whenPresent = (fails: (value: Value) => boolean, wanted: string): Failure => {
    return (value) => {
      if (value === null || value === undefined || !fails(value)) return undefined;
      return `${field} is "${shown(value)}"; the rule asks for ${wanted}.`;
    };
  };
  switch (check.kind) {
    case "required":
      return (value) =>
        isBlank(value) ? `${field} has no value; the rule asks for one.` : undefined;
    case "min":
      return whenPresent((value) => !(Number(value) >= check.value), `at least ${check.value}`);
    case "max":
      return whenPresent((value) => !(Number(value) <= check.value), `at most ${check.value}`);
    case "maxLength":
      return whenPresent(
        (value) => String(value).length > check.value,
        `at most ${check.value} characters`,
      );
    case "oneOf":
      return whenPresent(
        (value) =>
          !(Array.isArray(value) ? value : [value]).every((item) =>
            check.values.includes(String(item)),
          ),
        `one of ${check.values.join(", ")}`,
      );
    case "pattern": {
      const pattern = new RegExp(check.source, "u");
      return whenPresent((value) => !pattern.test(String(value)), `text like ${check.source}`);
    }
  }
}

function isBlank(value: Value | undefined): boolean {
  return (
    value === null ||
    value === undefined ||
    value === "" ||
    (Array.isArray(value) && value.length === 0)
  );
}

/** Long values are cut: a message is for a person, not a copy of the record. */
function shown(value: Value): string {
  const text = Array.isArray(value) ? value.join(", ") : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
