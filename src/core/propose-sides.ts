import { canonicalDecimal } from "../model/decimal.ts";
import { multiplyDecimals } from "../model/decimal-math.ts";
import type { Values } from "../model/record.ts";
import type { Field } from "../model/schema.ts";
import type { Value } from "../model/value.ts";

/** What was read of one side to propose a mapping from: fields, and records in their order. */
export interface SideSample {
  readonly fields: readonly Field[];
  readonly rows: readonly Values[];
  /** The names of the key, where the system has one of its own. */
  readonly key: readonly string[];
}

/** How records of two sides would be matched, by one field of each. */
export interface KeyProposal {
  readonly left: string;
  readonly right: string;
  /** Values that stand once on both sides. */
  readonly matched: number;
  readonly onlyLeft: number;
  readonly onlyRight: number;
  /** Values that stand more than once on a side, which are matched with nothing. */
  readonly ambiguous: number;
}

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

/** A column in which fewer of the values are told apart is no key. */
const UNIQUE_SHARE = 0.9;
const SAME_SHARE = 0.6;
/** Columns that share fewer of their values are no key of the same records. */
const SHARED_MIN = 0.1;
const COMPARED_MIN = 3;
const SCALES = ["0.01", "100", "0.001", "1000"] as const;

/** "Item No" and `item_number` are one name. */
function normalName(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
  return words.map((word) => SHORT[word] ?? word).join("");
}

const SHORT: Readonly<Record<string, string>> = {
  number: "no",
  nr: "no",
  num: "no",
  quantity: "qty",
  description: "desc",
  identifier: "id",
};

/** The fields by which most records of both sides are the same one; nothing where there are none. */
export function proposeKey(left: SideSample, right: SideSample): KeyProposal | undefined {
  const ofRight = right.fields.map(({ name }, at) => censusOf(right, name, at));
  const pairs = left.fields.flatMap(({ name }, at) => {
    const own = censusOf(left, name, at);
    return own.isKey ? ofRight.map((other) => judgeKey(own, other)) : [];
  });
  const [best] = pairs.flatMap((pair) => pair ?? []).sort((a, b) => b.score - a.score);
  return best?.proposal;
}

interface JudgedKey {
  readonly score: number;
  readonly proposal: KeyProposal;
}

function judgeKey(own: NamedCensus, other: NamedCensus): JudgedKey | undefined {
  if (!other.isKey) return undefined;
  const isNamesake = normalName(own.name) === normalName(other.name);
  const matched = [...own.once].filter((value) => other.once.has(value)).length;
  const fewer = Math.min(own.once.size, other.once.size);
  const share = fewer === 0 ? 0 : matched / fewer;
  if (share < SHARED_MIN && !isNamesake) return undefined;
  const ambiguous = new Set([...own.repeated, ...other.repeated]);
  const alone = (of: ReadonlySet<string>, others: ReadonlySet<string>): number =>
    [...of].filter((value) => !others.has(value) && !ambiguous.has(value)).length;
  return {
    score: share + (isNamesake ? 0.5 : 0) + (own.isChosen || other.isChosen ? 0.25 : 0),
    proposal: {
      left: own.name,
      right: other.name,
      matched,
      onlyLeft: alone(own.once, other.once),
      onlyRight: alone(other.once, own.once),
      ambiguous: ambiguous.size,
    },
  };
}

interface NamedCensus extends Census {
  readonly name: string;
  /** It is the key that the system has. */
  readonly isChosen: boolean;
}

const censusOf = (side: SideSample, name: string, at: number): NamedCensus => ({
  name,
  isChosen: side.key.includes(name),
  ...census(side, at),
});

interface Census {
  readonly once: ReadonlySet<string>;
  readonly repeated: ReadonlySet<string>;
  readonly isKey: boolean;
}

function census({ rows, fields }: SideSample, at: number): Census {
  const once = new Set<string>();
  const repeated = new Set<string>();
  let filled = 0;
  for (const row of rows) {
    const text = keyText(row[at]);
    if (text === undefined) continue;
    filled += 1;
    if (repeated.has(text)) continue;
    if (once.delete(text)) repeated.add(text);
    else once.add(text);
  }
  const kind = fields[at]?.type.kind ?? "text";
  const isFit = kind === "text" || kind === "integer";
  const isUnique = once.size >= rows.length * UNIQUE_SHARE;
  return { once, repeated, isKey: isFit && isUnique && (filled > 0 || rows.length === 0) };
}

const keyText = (value: Value | undefined): string | undefined => {
  if (value === null || value === undefined || typeof value === "object") return undefined;
  const text = String(value);
  return text === "" ? undefined : text;
};

/** The pairs of fields that seem to be the same, by their names or by what matched records say. */
export function proposeFields(
  left: SideSample,
  right: SideSample,
  key: Pick<KeyProposal, "left" | "right">,
): readonly FieldProposal[] {
  const pairs = matchedRows(left, right, key);
  const found = left.fields.flatMap(({ name }, at) =>
    right.fields.flatMap((other, to) => {
      if (name === key.left || other.name === key.right) return [];
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
  key: Pick<KeyProposal, "left" | "right">,
): readonly (readonly [Values, Values])[] {
  const at = left.fields.findIndex(({ name }) => name === key.left);
  const to = right.fields.findIndex(({ name }) => name === key.right);
  const own = census(left, at).once;
  const other = census(right, to).once;
  const byKey = new Map(right.rows.map((row) => [keyText(row[to]), row]));
  return left.rows.flatMap((row) => {
    const text = keyText(row[at]);
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
