import { canonicalDecimal } from "../model/decimal.ts";
import { multiplyDecimals } from "../model/decimal-math.ts";
import type { Values } from "../model/record.ts";
import type { Value } from "../model/value.ts";
import {
  columnsOf,
  isFilled,
  type KeyPair,
  keyText,
  normalName,
  type SideSample,
  tallied,
} from "./propose-key.ts";

/** Two fields that seem to be the same one. */
export interface FieldProposal {
  readonly left: string;
  readonly right: string;
  /** Matched records in which both have a value. */
  readonly compared: number;
  /** Those of them in which the values are the same, as the proposal compares them. */
  readonly same: number;
  readonly trim: boolean;
  readonly ignoreCase: boolean;
  /** By which the right side's numbers are multiplied to be the left's. */
  readonly scale?: string;
}

const SAME_SHARE = 0.6;
const COMPARED_MIN = 3;
const SCALES = ["0.01", "100", "0.001", "1000"] as const;

/** The pairs of fields that seem to be the same, by their names or by what matched records say. */
export function proposeFields(
  left: SideSample,
  right: SideSample,
  key: readonly KeyPair[],
): readonly FieldProposal[] {
  const pairs = matchedRows(left, right, key);
  const found = left.fields.flatMap(({ name }, at) =>
    right.fields.flatMap((other, to) => {
      if (key.some((pair) => pair.left === name || pair.right === other.name)) return [];
      // What a side fills by itself cannot be told to it.
      if (isFilled(left, name) || isFilled(right, other.name)) return [];
      return judgeFields(name, other.name, compareColumns(pairs, at, to));
    }),
  );
  found.sort((a, b) => b.score - a.score);
  const used = { left: new Set<string>(), right: new Set<string>() };
  const chosen = found.filter(({ proposal }) => {
    if (used.left.has(proposal.left) || used.right.has(proposal.right)) return false;
    used.left.add(proposal.left);
    used.right.add(proposal.right);
    return true;
  });
  const order = left.fields.map(({ name }) => name);
  return chosen
    .map(({ proposal }) => proposal)
    .sort((a, b) => order.indexOf(a.left) - order.indexOf(b.left));
}

interface JudgedFields {
  readonly score: number;
  readonly proposal: FieldProposal;
}

function judgeFields(
  left: string,
  right: string,
  { distinct, ...compared }: Compared,
): readonly JudgedFields[] {
  const share = compared.compared === 0 ? 0 : compared.same / compared.compared;
  const named = left === right ? 1 : normalName(left) === normalName(right) ? 0.9 : 0;
  const isSeen =
    share >= SAME_SHARE && compared.compared >= COMPARED_MIN && distinct >= COMPARED_MIN;
  if (named === 0 && !isSeen) return [];
  return [{ score: named + share, proposal: { left, right, ...compared } }];
}

function matchedRows(
  left: SideSample,
  right: SideSample,
  key: readonly KeyPair[],
): readonly (readonly [Values, Values])[] {
  const at = columnsOf(
    left,
    key.map((pair) => pair.left),
  );
  const to = columnsOf(
    right,
    key.map((pair) => pair.right),
  );
  const own = tallied(left.rows, at).once;
  const other = tallied(right.rows, to).once;
  const byKey = new Map(right.rows.map((row) => [keyText(row, to), row]));
  return left.rows.flatMap((row) => {
    const text = keyText(row, at);
    const found = byKey.get(text);
    if (text === undefined || found === undefined) return [];
    return own.has(text) && other.has(text) ? [[row, found] as const] : [];
  });
}

interface Compared extends Omit<FieldProposal, "left" | "right"> {
  readonly distinct: number;
}

function compareColumns(
  pairs: readonly (readonly [Values, Values])[],
  at: number,
  to: number,
): Compared {
  const both = pairs.flatMap(([left, right]) => {
    const [a, b] = [shownText(left[at]), shownText(right[to])];
    return a === undefined || b === undefined ? [] : [[a, b] as const];
  });
  const count = (isSame: (a: string, b: string) => boolean): number =>
    both.filter(([a, b]) => isSame(a, b)).length;
  const trimmed = count((a, b) => a.trim() === b.trim());
  const loose = count((a, b) => lowered(a) === lowered(b));
  const scales = SCALES.map((scale) => ({
    scale,
    same: count((a, b) => a !== "0" && isNumber(b) && multiplyDecimals(b, scale) === a),
  })).sort((a, b) => b.same - a.same);
  const [first] = scales;
  const plain = {
    compared: both.length,
    distinct: new Set(both.map(([a]) => a)).size,
    trim: loose > count((a, b) => a.toLowerCase() === b.toLowerCase()),
    ignoreCase: loose > trimmed,
    same: loose,
  };
  return first !== undefined && first.same > loose && first.same >= both.length * SAME_SHARE
    ? { ...plain, trim: false, ignoreCase: false, same: first.same, scale: first.scale }
    : plain;
}

/** Numbers of any type in one form; lists and JSON as their text. */
function shownText(value: Value | undefined): string | undefined {
  if (value === null || value === undefined || value === "") return undefined;
  if (typeof value === "object") return JSON.stringify(value);
  const text = String(value);
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) ? (canonicalDecimal(text) ?? text) : text;
}

const isNumber = (text: string): boolean => canonicalDecimal(text) === text;
const lowered = (text: string): string => text.trim().toLowerCase();
