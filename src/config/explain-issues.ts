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

/**
 * The schema that judges what stands at a path, or nothing where the path leaves the schema. Of a
 * union it is that of the first branch that knows the way: where one branch alone fits but for
 * small mistakes, Zod tells those with their paths, and not as mistakes of the union.
 */
function schemaAt(root: unknown, path: ConfigPath): unknown {
  const schema = unwrapped(root);
  const [part, ...rest] = path;
  if (part === undefined) return schema;
  if (schema instanceof z.ZodObject) return schemaAt(schema.shape[String(part)], rest);
  if (schema instanceof z.ZodRecord) return schemaAt(schema.def.valueType, rest);
  if (schema instanceof z.ZodArray) return schemaAt(schema.def.element, rest);
  if (!(schema instanceof z.ZodUnion)) return undefined;
  for (const branch of schema.def.options) {
    const found = schemaAt(branch, path);
    if (found !== undefined) return found;
  }
  return undefined;
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
      return optionsInWords(issue) ?? "expected another kind of value";
    default:
      return issue.message;
  }
}

/** `allowed: none, page` where mappings are told apart by the word under one key. */
function optionsInWords(issue: z.core.$ZodIssueInvalidUnion): string | undefined {
  if (!("options" in issue) || !Array.isArray(issue.options)) return undefined;
  return `allowed: ${issue.options.map(String).join(", ")}`;
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
    const allowed = keysOf(at);
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

/** The keys that a mapping may have; of a union, of that branch of it that is a mapping. */
function keysOf(schema: unknown): readonly string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  if (!(schema instanceof z.ZodUnion)) return [];
  return schema.def.options.flatMap((option) => keysOf(unwrapped(option)));
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

/**
 * A union's mistakes told as those of the one branch that was meant: of those for this kind of
 * value, the one that knows the most of its keys. Where none knows them, all keys are allowed.
 */
function insideBranch(
  union: z.ZodUnion,
  value: unknown,
  branches: readonly (readonly z.core.$ZodIssue[])[],
  path: ConfigPath,
): readonly ConfigProblem[] | undefined {
  const possible = branchesOf(union, branches).flatMap(({ schema, issues }) => {
    const isOfThisKind = issues.every(
      ({ code, path: at }) => at.length > 0 || code === "unrecognized_keys",
    );
    return isOfThisKind ? [{ schema, issues, unknown: unknownKeys(issues) }] : [];
  });
  const [meant] = possible.toSorted((a, b) => a.unknown.length - b.unknown.length);
  if (meant === undefined) return undefined;
  const isAnybodys = possible.length > 1 && meant.unknown.length > 0;
  if (!isAnybodys) return explainIssues(meant.schema, value, meant.issues, path);
  const allowed = keysOf(union);
  const given = Object.keys(value as object).filter((key) => allowed.includes(key));
  // Keys that are known, each to another branch.
  if (meant.unknown.every((key) => allowed.includes(key))) {
    return [{ path, message: `has ${given.join(" and ")}, which do not go together` }];
  }
  return meant.unknown.map((key) => unknownKey([...path, key], key, allowed));
}

interface Branch {
  readonly schema: z.ZodType;
  readonly issues: readonly z.core.$ZodIssue[];
}

/** A union's branches, those of a union among them in its place. */
function branchesOf(
  union: z.ZodUnion,
  errors: readonly (readonly z.core.$ZodIssue[])[],
): readonly Branch[] {
  return errors.flatMap((issues, index): readonly Branch[] => {
    const schema = unwrapped(union.def.options[index]);
    const [first] = issues;
    if (schema instanceof z.ZodUnion && first?.code === "invalid_union" && first.path.length === 0)
      return branchesOf(schema, first.errors);
    return schema instanceof z.ZodType ? [{ schema, issues }] : [];
  });
}

/** Keys of the mapping itself that a branch does not know. */
function unknownKeys(issues: readonly z.core.$ZodIssue[]): readonly string[] {
  return issues.flatMap((issue) =>
    issue.code === "unrecognized_keys" && issue.path.length === 0 ? issue.keys : [],
  );
}

function unknownKey(path: ConfigPath, key: string, allowed: readonly string[]): ConfigProblem {
  const list = allowed.length === 0 ? "" : `; allowed: ${allowed.join(", ")}`;
  return { path, message: `is not a known key${didYouMean(key, allowed)}${list}`, atKey: true };
}
