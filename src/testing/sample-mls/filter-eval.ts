import type { Comparable, FilterContext, Side } from "./filter-bind.ts";
import { bind } from "./filter-bind.ts";
import type { Literal } from "./filter-lexer.ts";
import type { Filter, Operand, Operator } from "./filter-parser.ts";
import { compareNumbers } from "./numbers.ts";
import type { SampleBehavior } from "./options.ts";
import { badRequest } from "./request-error.ts";

/** Tells whether a row satisfies a filter. */
export type RowTest = (slot: number) => boolean;

/**
 * Checks a filter and compiles it. Unknown properties, comparisons of different types and operators
 * that are switched off are refused.
 */
export function compileFilter(filter: Filter, context: FilterContext): RowTest {
  switch (filter.kind) {
    case "and": {
      const tests = filter.operands.map((operand) => compileFilter(operand, context));
      return (slot) => tests.every((test) => test(slot));
    }
    case "or": {
      requireOneField(filter, context);
      const tests = filter.operands.map((operand) => compileFilter(operand, context));
      return (slot) => tests.some((test) => test(slot));
    }
    case "not": {
      const test = compileFilter(filter.operand, context);
      return (slot) => !test(slot);
    }
    case "in":
      return compileIn(filter.left, filter.list, context);
    case "truth": {
      const side = bind(filter.operand, context);
      if (side.domain !== "boolean") {
        throw badRequest("The $filter is not a condition");
      }
      return (slot) => side.read(slot) === true;
    }
    case "compare":
      return compileCompare(filter.operator, filter.left, filter.right, context);
  }
}

/** All property names in a filter. */
function filterProperties(filter: Filter): Set<string> {
  const names = new Set<string>();
  const note = (operand: Operand): void => {
    if (operand.kind === "property" || operand.kind === "distance") {
      names.add(operand.name);
    }
  };
  const visit = (part: Filter): void => {
    switch (part.kind) {
      case "and":
      case "or":
        part.operands.forEach(visit);
        break;
      case "not":
        visit(part.operand);
        break;
      case "in":
        note(part.left);
        break;
      case "truth":
        note(part.operand);
        break;
      case "compare":
        note(part.left);
        note(part.right);
        break;
    }
  };
  visit(filter);
  return names;
}

function requireOneField(filter: Filter, context: FilterContext): void {
  if (!context.behavior.orAcrossFields && filterProperties(filter).size > 1) {
    throw badRequest("'or' between different properties is not supported");
  }
}

function compileIn(left: Operand, list: readonly Literal[], context: FilterContext): RowTest {
  if (!context.behavior.inOperator) {
    throw badRequest("Operator 'in' is not supported");
  }
  const tests = list.map((literal) =>
    compileCompare("eq", left, { kind: "literal", literal }, context),
  );
  return (slot) => tests.some((test) => test(slot));
}

function compileCompare(
  operator: Operator,
  leftOperand: Operand,
  rightOperand: Operand,
  context: FilterContext,
): RowTest {
  const left = bind(leftOperand, context, rightOperand);
  const right = bind(rightOperand, context, leftOperand);
  const domain = left.domain === "null" ? right.domain : left.domain;
  const isNullTest = left.domain === "null" || right.domain === "null";
  if (isNullTest ? operator !== "eq" && operator !== "ne" : left.domain !== right.domain) {
    throw badRequest(`Operator '${operator}' cannot compare ${left.domain} and ${right.domain}`);
  }
  if (operator === "has" || domain.startsWith("flags ")) {
    return compileEnumSet(operator, left, right, domain);
  }
  if ((domain === "geo" && !isNullTest) || isOrderOfUnordered(operator, domain)) {
    throw badRequest(`Operator '${operator}' is not supported for ${domain}`);
  }
  const holds = comparison(operator, domain, context.behavior);
  return (slot) => holds(left.read(slot), right.read(slot));
}

function isOrderOfUnordered(operator: Operator, domain: string): boolean {
  return (
    operator !== "eq" &&
    operator !== "ne" &&
    (domain === "boolean" || domain.startsWith("enum ") || domain.startsWith("flags "))
  );
}

/** Flags are compared as sets of members; `has` on a single enum is equality. */
function compileEnumSet(operator: Operator, left: Side, right: Side, domain: string): RowTest {
  const isEnum = domain.startsWith("enum ") || domain.startsWith("flags ");
  if (!isEnum || isOrderOfUnordered(operator === "has" ? "eq" : operator, domain)) {
    throw badRequest(`Operator '${operator}' is not supported for ${domain}`);
  }
  const members = (value: Comparable): string[] | null =>
    value === null ? null : String(value).split(",");
  return (slot) => {
    const a = members(left.read(slot));
    const b = members(right.read(slot));
    if (operator === "has") {
      return a !== null && (b?.every((member) => a.includes(member)) ?? false);
    }
    const isEqual =
      a === null || b === null
        ? a === b
        : a.length === b.length && b.every((member) => a.includes(member));
    return isEqual === (operator === "eq");
  };
}

type Comparison = (a: Comparable, b: Comparable) => boolean;

/** As in OData, an order comparison with null does not hold, and null equals only null. */
function comparison(operator: Operator, domain: string, behavior: SampleBehavior): Comparison {
  const order = (a: Comparable, b: Comparable): number => {
    if (domain === "number") {
      return compareNumbers(a as number | string, b as number | string);
    }
    return (a as string) < (b as string) ? -1 : a === b ? 0 : 1;
  };
  const ordered =
    (holds: (sign: number) => boolean): Comparison =>
    (a, b) =>
      a !== null && b !== null && holds(order(a, b));
  const isEqual: Comparison = (a, b) => (a === null || b === null ? a === b : order(a, b) === 0);
  switch (operator) {
    case "gt":
      return ordered((sign) => sign > 0);
    case "ge":
      return isExclusiveGe(domain, behavior)
        ? ordered((sign) => sign > 0)
        : ordered((sign) => sign >= 0);
    case "lt":
      return ordered((sign) => sign < 0);
    case "le":
      return ordered((sign) => sign <= 0);
    case "ne":
      return (a, b) => !isEqual(a, b);
    default:
      return isEqual;
  }
}

/** The bug that `inclusiveGe: false` switches on. */
function isExclusiveGe(domain: string, behavior: SampleBehavior): boolean {
  return domain === "timestamp" && !behavior.inclusiveGe;
}
