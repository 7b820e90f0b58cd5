import type { ASTNode } from "@marcbachmann/cel-js";
import { didYouMean } from "./did-you-mean.ts";
import { childrenOf, LOOPS, type RefusedPart } from "./expression-limits.ts";

/** Keys that a map can hold; `what` they are, in words. */
export interface MapNames {
  readonly what: string;
  readonly keys: readonly string[];
  /** Of maps in the map: what each of them holds. */
  readonly inner?: MapNames;
}

/** What the maps that an expression sees can hold, by the maps' names. */
export type ScopeNames = ReadonlyMap<string, MapNames>;

/**
 * The first key that is written out and that its map can never hold: such an expression fails when
 * it is asked, in the middle of a run, or with `has` is false without a word.
 */
export function unknownName(
  node: ASTNode,
  names: ScopeNames,
  bound: ReadonlySet<string> = new Set(),
): RefusedPart | undefined {
  if (node.op === "rcall" && LOOPS.has(node.args[0])) {
    const [, receiver, given] = node.args;
    const [variable] = given;
    const inner = variable?.op === "id" ? new Set([...bound, variable.args]) : bound;
    return (
      unknownName(receiver, names, bound) ??
      given.map((part) => unknownName(part, names, inner)).find((found) => found !== undefined)
    );
  }
  const part = keyOf(node);
  if (part !== undefined) {
    const map = mapOf(part.of, names, bound);
    if (map !== undefined && !map.keys.includes(part.key)) {
      const known = `${didYouMean(part.key, map.keys)}; known: ${map.keys.join(", ")}`;
      return { at: node.start, message: `"${part.key}" is no ${map.what}${known}` };
    }
  }
  return childrenOf(node.args)
    .map((child) => unknownName(child, names, bound))
    .find((found) => found !== undefined);
}

/** The map that a part of the expression stands for, where that is told by the part itself. */
function mapOf(node: ASTNode, names: ScopeNames, bound: ReadonlySet<string>): MapNames | undefined {
  if (node.op === "id") return bound.has(node.args) ? undefined : names.get(node.args);
  const part = keyOf(node);
  return part === undefined ? undefined : mapOf(part.of, names, bound)?.inner;
}

/** `of.key`, or `of["key"]`. */
function keyOf(node: ASTNode): { readonly of: ASTNode; readonly key: string } | undefined {
  if (node.op === ".") return { of: node.args[0], key: node.args[1] };
  if (node.op !== "[]") return undefined;
  const [of, key] = node.args;
  return key.op === "value" && typeof key.args === "string" ? { of, key: key.args } : undefined;
}
