import type { ASTNode } from "@marcbachmann/cel-js";

/** Bounds within which an expression's cost stays in proportion to its text and its lists. */
export const LIMITS = {
  maxAstNodes: 500,
  maxDepth: 40,
  maxListElements: 200,
  maxMapEntries: 50,
  maxCallArguments: 8,
};

/** A part of an expression that is not allowed, and why. */
export interface RefusedPart {
  readonly at: number;
  readonly message: string;
}

/** Calls that bind their first argument to each item in turn. */
export const LOOPS: ReadonlySet<string> = new Set(["all", "exists", "exists_one", "filter", "map"]);

/**
 * The first part whose cost has no bound, or whose answer would be wrong without a word: loops in
 * loops, `cel.bind` (texts may double at each), patterns with a repeated group, and `in` for
 * anything but texts, since it does not compare numbers by value.
 */
export function refusedPart(node: ASTNode, isInLoop = false): RefusedPart | undefined {
  if (node.op === "rcall") {
    const [name, receiver, given] = node.args;
    const refused = refusedCall(node, name, receiver, given, isInLoop);
    if (refused !== undefined) return refused;
    const isLoop = LOOPS.has(name);
    return first([receiver], isInLoop) ?? first(given, isInLoop || isLoop);
  }
  if (node.op === "in" && !isOfTexts(node.args)) {
    return {
      at: node.start,
      message: '"in" compares texts only; write `list.exists(x, x == value)`',
    };
  }
  return first(childrenOf(node.args), isInLoop);
}

function refusedCall(
  node: ASTNode,
  name: string,
  receiver: ASTNode,
  given: readonly ASTNode[],
  isInLoop: boolean,
): RefusedPart | undefined {
  if (LOOPS.has(name) && isInLoop) {
    return { at: node.start, message: `"${name}" is a loop within a loop` };
  }
  if (name === "bind" && receiver.op === "id" && receiver.args === "cel") {
    return { at: node.start, message: '"cel.bind" is not allowed' };
  }
  const [pattern] = given;
  if (name !== "matches" || pattern === undefined) return undefined;
  if (pattern.op !== "value" || typeof pattern.args !== "string") {
    return { at: pattern.start, message: 'the pattern of "matches" must be written out' };
  }
  if (/\)[*+{]/.test(pattern.args)) {
    return { at: pattern.start, message: "a pattern must not repeat a group, which may never end" };
  }
  return undefined;
}

function isOfTexts([left, right]: readonly [ASTNode, ASTNode]): boolean {
  const isText = (node: ASTNode): boolean => node.op === "value" && typeof node.args === "string";
  return isText(left) || (right.op === "list" && right.args.every(isText)) || right.op === "map";
}

function first(nodes: readonly ASTNode[], isInLoop: boolean): RefusedPart | undefined {
  for (const node of nodes) {
    const refused = refusedPart(node, isInLoop);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

/** The parts of a node, whatever its arguments are. */
export function childrenOf(args: unknown): readonly ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(childrenOf);
  return isNode(args) ? [args] : [];
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}
