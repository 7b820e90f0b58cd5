import type { Value, ValueType } from "../../model/value.ts";

/**
 * What a timestamp's or time's column loses of a canonical value are digits of the fraction:
 * zeros at its end, and everything below the microsecond. They stand beside the row, as JSON:
 * `[3]` when all fractions of the row have three digits, else `[null, {"Field": "1234567"}]` with
 * the fractions that the columns do not give back.
 */

/** A field whose values have a fraction, with its place among the schema's fields. */
export interface FractionField {
  readonly index: number;
  readonly name: string;
  readonly kind: "timestamp" | "time";
}

/** Characters before the point and behind the fraction. */
const SHAPES = { timestamp: { before: 19, behind: 1 }, time: { before: 8, behind: 0 } } as const;
const COLUMN_DIGITS = 6;

export const hasFraction = (type: ValueType): type is { readonly kind: FractionField["kind"] } =>
  type.kind === "timestamp" || type.kind === "time";

/** Null when the columns give everything back. */
export function exactFractions(
  fields: readonly FractionField[],
  values: readonly (Value | undefined)[],
): string | null {
  let isPlain = true;
  let common: number | undefined;
  let isUniform = true;
  for (const { index, kind } of fields) {
    const value = values[index];
    if (typeof value !== "string") continue;
    const digits = digitsOf(value, kind);
    if (!isKeptByColumn(value, kind, digits)) isPlain = false;
    if (common === undefined) common = digits;
    else if (common !== digits) isUniform = false;
  }
  if (isPlain) return null;
  if (isUniform && common !== undefined && common <= COLUMN_DIGITS) return `[${common}]`;
  const fractions: Record<string, string> = {};
  for (const { index, name, kind } of fields) {
    const value = values[index];
    if (typeof value !== "string") continue;
    const digits = digitsOf(value, kind);
    if (isKeptByColumn(value, kind, digits)) continue;
    const start = SHAPES[kind].before + 1;
    fractions[name] = value.slice(start, start + digits);
  }
  return JSON.stringify([null, fractions]);
}

function digitsOf(value: string, kind: FractionField["kind"]): number {
  const { before, behind } = SHAPES[kind];
  return Math.max(0, value.length - before - behind - 1);
}

function isKeptByColumn(value: string, kind: FractionField["kind"], digits: number): boolean {
  if (digits === 0) return true;
  return digits <= COLUMN_DIGITS && value[SHAPES[kind].before + digits] !== "0";
}

/** What `exactFractions` gave, read once for a row. */
export type ReadFractions = readonly [number | null, Readonly<Record<string, string>>?];

export function readFractions(stored: string | null): ReadFractions | undefined {
  return stored === null ? undefined : (JSON.parse(stored) as ReadFractions);
}

/** The canonical value of what its column gave. */
export function withFraction(
  value: string,
  { name, kind }: Pick<FractionField, "name" | "kind">,
  [common, fractions = {}]: ReadFractions,
): string {
  const { before, behind } = SHAPES[kind];
  const end = value.length - behind;
  const kept = value.slice(before + 1, end);
  const exact = Object.hasOwn(fractions, name) ? fractions[name] : kept.padEnd(common ?? 0, "0");
  if (exact === undefined || exact === "") return value;
  return `${value.slice(0, before)}.${exact}${value.slice(end)}`;
}
