import type { Values } from "../model/record.ts";
import type { Field } from "../model/schema.ts";
import type { Value, ValueType } from "../model/value.ts";

/** What was read of one side to propose a mapping from: fields, and records in their order. */
export interface SideSample {
  readonly fields: readonly Field[];
  readonly rows: readonly Values[];
  /** The names of the key, where the system has one of its own. */
  readonly key: readonly string[];
  /** Those that the system fills by itself: keys that it counts up, computed columns, times of change. */
  readonly filled?: readonly string[];
}

/** True for what the side fills by itself, so that nobody can tell it to it. */
export function isFilled({ filled }: SideSample, name: string): boolean {
  return filled?.includes(name) === true;
}

/** A field of either side, by both of which records are matched. */
export interface KeyPair {
  readonly left: string;
  readonly right: string;
}

/** How records of two sides would be matched: by one field of each, or by several together. */
export interface KeyProposal {
  readonly pairs: readonly KeyPair[];
  /** Values that stand once on both sides. */
  readonly matched: number;
  readonly onlyLeft: number;
  readonly onlyRight: number;
  /** Values that stand more than once on a side, which are matched with nothing. */
  readonly ambiguous: number;
}

/** Columns in which fewer of the values are told apart are no key. */
const UNIQUE_SHARE = 0.9;
/** Columns that share fewer of their values are no key of the same records. */
const SHARED_MIN = 0.1;
/** Of so many columns of one name on both sides, any two or three together are tried. */
const TOGETHER_MAX = 8;

/** "Item No" and `item_number` are one name. */
export function normalName(name: string): string {
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

/**
 * The fields by which most records of both sides are the same one; nothing where there are none. One
 * field of each where one does, else several: the key that either system has, or what is called the
 * same on both. What a system counts up itself comes after what is not, since two that count up from
 * 1 share most of it by chance. `named` are the left side's where they are chosen already.
 */
export function proposeKey(
  left: SideSample,
  right: SideSample,
  named?: readonly string[],
): KeyProposal | undefined {
  const [own, other] = [censuses(left), censuses(right)];
  const judged = (candidates: readonly (readonly KeyPair[])[]): KeyProposal | undefined => {
    const [best] = candidates
      .flatMap((pairs) => judgeKey(own, other, pairs) ?? [])
      .sort((a, b) => b.score - a.score);
    return best?.proposal;
  };
  if (named !== undefined && named.length > 1) return judged([counterparts(left, right, named)]);
  const names = named ?? left.fields.map(({ name }) => name);
  const singles = names.flatMap((name) =>
    right.fields.map((field): readonly KeyPair[] => [{ left: name, right: field.name }]),
  );
  const filledBy = (sides: number): readonly (readonly KeyPair[])[] =>
    singles.filter(([pair]) => pair !== undefined && countFilled(left, right, pair) === sides);
  const single = judged(filledBy(0));
  if (single !== undefined) return single;
  const chosen = [
    counterparts(left, right, left.key),
    counterparts(right, left, right.key).map((pair) => ({ left: pair.right, right: pair.left })),
  ].filter((pairs) => pairs.length > 1);
  const several = named === undefined ? judged(chosen) : undefined;
  return (
    several ??
    judged(filledBy(1)) ??
    (named === undefined ? judged(together(left, right)) : undefined) ??
    judged(filledBy(2))
  );
}

const countFilled = (left: SideSample, right: SideSample, pair: KeyPair): number =>
  Number(isFilled(left, pair.left)) + Number(isFilled(right, pair.right));

/** The other side's fields for these: of the same name, else that in the same place of its key. */
function counterparts(
  side: SideSample,
  other: SideSample,
  names: readonly string[],
): readonly KeyPair[] {
  const pairs = names.flatMap((name, at): KeyPair[] => {
    const namesake = other.fields.find((field) => normalName(field.name) === normalName(name));
    const found = namesake?.name ?? (other.key.length === names.length ? other.key[at] : undefined);
    return found === undefined ? [] : [{ left: name, right: found }];
  });
  return pairs.length === names.length && columnsOf(side, names).every((at) => at >= 0)
    ? pairs
    : [];
}

/** Any two, then any three of what is called the same on both sides. */
function together(left: SideSample, right: SideSample): readonly (readonly KeyPair[])[] {
  const pairs = left.fields
    .flatMap(({ name }) => counterparts(left, { ...right, key: [] }, [name]))
    .filter((pair) => isFit(left, pair.left) && isFit(right, pair.right))
    .slice(0, TOGETHER_MAX);
  const after = (chosen: readonly KeyPair[]): readonly (readonly KeyPair[])[] => {
    const last = chosen.at(-1);
    const from = last === undefined ? 0 : pairs.indexOf(last) + 1;
    return pairs.slice(from).map((pair) => [...chosen, pair]);
  };
  const two = pairs.flatMap((pair) => after([pair]));
  return [...two, ...two.flatMap(after)];
}

const FIT: ReadonlySet<ValueType["kind"]> = new Set(["text", "integer"]);
const FIT_TOGETHER: ReadonlySet<ValueType["kind"]> = new Set([...FIT, "date", "timestamp"]);

const isFit = ({ fields }: SideSample, wanted: string): boolean =>
  fields.some(({ name, type }) => name === wanted && FIT_TOGETHER.has(type.kind));

interface JudgedKey {
  readonly score: number;
  readonly proposal: KeyProposal;
}

function judgeKey(
  ofLeft: Censuses,
  ofRight: Censuses,
  pairs: readonly KeyPair[],
): JudgedKey | undefined {
  const own = ofLeft(pairs.map((pair) => pair.left));
  const other = ofRight(pairs.map((pair) => pair.right));
  if (own === undefined || other === undefined) return undefined;
  const isNamesake = pairs.every((pair) => normalName(pair.left) === normalName(pair.right));
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
      pairs,
      matched,
      onlyLeft: alone(own.once, other.once),
      onlyRight: alone(other.once, own.once),
      ambiguous: ambiguous.size,
    },
  };
}

interface Tallied {
  readonly once: ReadonlySet<string>;
  readonly repeated: ReadonlySet<string>;
  readonly filled: number;
}

interface Census extends Tallied {
  /** It is the key that the system has, or a part of it. */
  readonly isChosen: boolean;
}

/** The values of these columns, where they tell nearly all of a side's records apart. */
type Censuses = (names: readonly string[]) => Census | undefined;

/** Each is taken once. */
function censuses(side: SideSample): Censuses {
  const taken = new Map<string, Census | undefined>();
  return (names) => {
    const id = JSON.stringify(names);
    if (!taken.has(id)) taken.set(id, takeCensus(side, names));
    return taken.get(id);
  };
}

function takeCensus(side: SideSample, names: readonly string[]): Census | undefined {
  const { fields, rows, key } = side;
  if (names.length === 0) return undefined;
  const at = columnsOf(side, names);
  const fit = names.length === 1 ? FIT : FIT_TOGETHER;
  if (at.some((column) => !fit.has(fields[column]?.type.kind ?? "json"))) return undefined;
  const tally = tallied(rows, at);
  if (tally.once.size < rows.length * UNIQUE_SHARE) return undefined;
  if (tally.filled === 0 && rows.length > 0) return undefined;
  const isChosen = names.every((name) => key.includes(name));
  // One part of a key tells apart what the others do not differ in, as long as it is little.
  const isPart = isChosen && names.length < key.length;
  return isPart && tally.repeated.size > 0 ? undefined : { ...tally, isChosen };
}

/** The places of the fields among all of the side's. */
export function columnsOf({ fields }: SideSample, names: readonly string[]): readonly number[] {
  return names.map((wanted) => fields.findIndex(({ name }) => name === wanted));
}

/** Which values stand once in these columns, and which more than once. */
export function tallied(rows: readonly Values[], columns: readonly number[]): Tallied {
  const once = new Set<string>();
  const repeated = new Set<string>();
  let filled = 0;
  for (const row of rows) {
    const text = keyText(row, columns);
    if (text === undefined) continue;
    filled += 1;
    if (repeated.has(text)) continue;
    if (once.delete(text)) repeated.add(text);
    else once.add(text);
  }
  return { once, repeated, filled };
}

/** What a record is told apart by in these columns; nothing where one of them has no value. */
export function keyText(row: Values, columns: readonly number[]): string | undefined {
  const parts = columns.map((column) => partText(row[column]));
  if (parts.includes(undefined)) return undefined;
  return parts.length === 1 ? parts[0] : JSON.stringify(parts);
}

function partText(value: Value | undefined): string | undefined {
  if (value === null || value === undefined || typeof value === "object") return undefined;
  const text = String(value);
  return text === "" ? undefined : text;
}
