import { canonicalDecimal, roundDecimal } from "../model/decimal.ts";
import type { Comparison } from "../model/reconcile.ts";
import { type Value, type ValueType, valuesEqual } from "../model/value.ts";
import { sameValue } from "./same-value.ts";

/** What systems do to texts, lists and times that they are told. */
const LOOSELY: Comparison = {
  trim: true,
  ignoreCase: true,
  normalize: true,
  blankIsNull: true,
  fraction: 0,
};

/**
 * True when a system that was told the one value may have made the other of it by itself: spaces,
 * case, composed letters, order, a blank for null, digits after the point or of a second cut off
 * or rounded. It is what tells the answer to a write that nobody heard from an edit by a person.
 */
export function isOwnWay(type: ValueType, told: Value, kept: Value): boolean {
  if (valuesEqual(told, kept)) return true;
  switch (type.kind) {
    case "integer":
    case "decimal":
      return isRounded(told, kept);
    case "double":
      return isRounded(told, kept) || isSingle(told, kept);
    default:
      return sameValue({ type, compare: LOOSELY }, told, kept);
  }
}

function isRounded(told: Value, kept: Value): boolean {
  const [whole, short] = [plainNumber(told), plainNumber(kept)];
  if (whole === undefined || short === undefined) return false;
  const digits = short.split(".")[1]?.length ?? 0;
  return roundDecimal(whole, digits) === short || cutTo(whole, digits) === short;
}

function cutTo(decimal: string, digits: number): string | undefined {
  const [whole = "", fraction = ""] = decimal.split(".");
  return canonicalDecimal(`${whole}.${fraction.slice(0, digits)}`);
}

function plainNumber(value: Value): string | undefined {
  const isNumber = typeof value === "string" || typeof value === "number";
  return isNumber ? canonicalDecimal(String(value)) : undefined;
}

/** The same number where only single precision is kept. */
function isSingle(told: Value, kept: Value): boolean {
  return typeof told === "number" && typeof kept === "number" && Math.fround(told) === kept;
}
