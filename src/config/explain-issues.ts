import { z } from "zod";
import type { ConfigPath, ConfigProblem } from "./config-problem.ts";
import { showValue } from "./config-problem.ts";
import { didYouMean } from "./did-you-mean.ts";
import { EXPECTATIONS } from "./expectations.ts";

/** Takes away `optional`, `nullable`, `default` and their like. */
function unwrapped(schema: unknown): unknown {
  let inner = schema;
  while (
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodNullable ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodReadonly
  ) {
    inner = inner.def.innerType;
  }
  return inner;
}

/** The schema that judges what stands at a path, or nothing where the path leaves the schema. */
function schemaAt(root: z.ZodType, path: ConfigPath): unknown {
  let schema: unknown = unwrapped(root);
  for (const part of path) {
    if (schema instanceof z.ZodObject) schema = schema.shape[String(part)];
    else if (schema instanceof z.ZodRecord) schema = schema.def.valueType;
    else if (schema instanceof z.ZodArray) schema = schema.def.element;
    else return undefined;
    schema = unwrapped(schema);
  }
  return schema;
}

function valueAt(data: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null
        ? (value as Record<string, unknown>)[part]
        : undefined,
    data,
  );
}

/** What was allowed, in words: the schema's own, else made of the issue. */
function expectation(issue: z.core.$ZodIssue, schema: unknown): string {
  const known = schema instanceof z.ZodType ? EXPECTATIONS.get(schema) : undefined;
  if (known !== undefined) return `expected ${known.expected}`;
  switch (issue.code) {
    case "invalid_type":
      return `expected ${EXPECTED_TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `allowed: ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `expected at least ${issue.minimum}`;
    case "too_big":
      return `expected at most ${issue.maximum}`;
    case "invalid_format":
      return `expected ${issue.format === "url" ? "a URL such as https://example.com/odata" : issue.format}`;
    case "invalid_union":
      return "expected another kind of value";
    default:
      return issue.message;
  }
}

const EXPECTED_TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a mapping",
  record: "a mapping",
  array: "a list",
};

/**
 * Zod's issues as problems of the configuration: unknown keys with the nearest known one and the
 * list of allowed ones, other values with what was expected. `prefix` is where `data` stands.
 */
export function explainIssues(
  schema: z.ZodType,
  data: unknown,
  issues: readonly z.core.$ZodIssue[],
  prefix: ConfigPath = [],
): readonly ConfigProblem[] {
  return issues.flatMap((issue) => explainIssue(schema, data, issue, prefix));
}

function explainIssue(
  schema: z.ZodType,
  data: unknown,
  issue: z.core.$ZodIssue,
  prefix: ConfigPath,
): readonly ConfigProblem[] {
  const inside = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
  const path = [...prefix, ...inside];
  const at = schemaAt(schema, inside);
  const value = valueAt(data, inside);
  if (issue.code === "unrecognized_keys") {
    const allowed = at instanceof z.ZodObject ? Object.keys(at.shape) : [];
    return issue.keys.map((key) => unknownKey([...path, key], key, allowed));
  }
  if (issue.code === "invalid_key") {
    return [wrongName(path, schemaAt(schema, inside.slice(0, -1)))];
  }
  const inner =
    issue.code === "invalid_union" && at instanceof z.ZodUnion
      ? insideBranch(at, value, issue.errors, path)
      : undefined;
  if (inner !== undefined) return inner;
  return [{ path, message: `${foundInWords(value)}; ${expectation(issue, at)}` }];
}

function foundInWords(value: unknown): string {
  if (value === undefined) return "is missing";
  return value === null ? "is empty" : `is ${showValue(value)}`;
}

function wrongName(path: ConfigPath, parent: unknown): ConfigProblem {
  const keyType = parent instanceof z.ZodRecord ? parent.def.keyType : undefined;
  const known = keyType instanceof z.ZodType ? EXPECTATIONS.get(keyType) : undefined;
  const expected = known?.expected ?? "another name";
  return { path, message: `has a wrong name; expected ${expected}`, atKey: true };
}

/** A union's mistakes told as those of the one branch whose kind of value was meant. */
function insideBranch(
  union: z.ZodUnion,
  value: unknown,
  branches: readonly (readonly z.core.$ZodIssue[])[],
  path: ConfigPath,
): readonly ConfigProblem[] | undefined {
  const meant = branches.findIndex((issues) =>
    issues.every(({ code, path: at }) => at.length > 0 || code === "unrecognized_keys"),
  );
  const schema = union.def.options[meant];
  const issues = branches[meant];
  if (!(schema instanceof z.ZodType) || issues === undefined) return undefined;
  return explainIssues(schema, value, issues, path);
}

function unknownKey(path: ConfigPath, key: string, allowed: readonly string[]): ConfigProblem {
  const list = allowed.length === 0 ? "" : `; allowed: ${allowed.join(", ")}`;
  return { path, message: `is not a known key${didYouMean(key, allowed)}${list}`, atKey: true };
}
