import type { FieldChange } from "../../model/change.ts";
import type { Value } from "../../model/value.ts";
import { formatShare, groupDigits } from "./numbers.ts";
import { cleanText, clip } from "./style.ts";

const NUMBER_PATTERN = /^-?\d+(\.\d+)?$/;

/** A canonical value for people, on one line; `asAmount` groups the digits of a number. */
export function showValue(value: Value | undefined, asAmount = false): string {
  if (value === undefined || value === null || value === "") return "(empty)";
  if (Array.isArray(value))
    return value.length === 0 ? "(empty)" : value.map((item) => showValue(item)).join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  const text = String(value);
  return asAmount && NUMBER_PATTERN.test(text) ? groupDigits(text) : cleanText(text);
}

const CLIP = 48;
/** So much of what texts begin with alike stays before the place where they part. */
const LEAD = 12;

/**
 * Texts that are read beside one another, each in at most `width` columns. One that parts from
 * another only where it would be cut shows that place and not how both begin.
 */
export function clipApart(texts: readonly string[], width = CLIP): readonly string[] {
  const long = texts.map((text) => [...text]).filter(({ length }) => length > width);
  const lead = Math.min(LEAD, Math.floor(width / 2));
  return texts.map((text) => {
    const own = [...text];
    const others = long.filter((other) => other.join("") !== text);
    const parts = Math.max(0, ...others.map((other) => alikeUntil(own, other)));
    const isSeen = own.length <= width || parts <= width - lead;
    return clip(isSeen ? text : `…${own.slice(parts - lead).join("")}`, width);
  });
}

/** How many characters both begin with. */
function alikeUntil(one: readonly string[], other: readonly string[]): number {
  const at = one.findIndex((character, index) => character !== other[index]);
  return at < 0 ? one.length : at;
}

/** `ListPrice 450,000 → 440,000 (−2.2%)`, `Appliances +Oven −Range`, `City (empty) → Provo`. */
export function showFieldChange(change: FieldChange, isAmount: boolean): string {
  const { field, before, after } = change;
  if (Array.isArray(before) && Array.isArray(after))
    return `${field} ${listDifference(before, after)}`;
  const [from, to] = clipApart([showValue(before, isAmount), showValue(after, isAmount)]);
  return `${field} ${from} → ${to}${isAmount ? shareOfChange(before, after) : ""}`;
}

/** `+Oven −Range`. */
export function listDifference(before: readonly Value[], after: readonly Value[]): string {
  const added = after.filter((item) => !before.includes(item)).map((item) => `+${showValue(item)}`);
  const gone = before.filter((item) => !after.includes(item)).map((item) => `−${showValue(item)}`);
  return clip([...added, ...gone].join(" ") || "another order", 2 * CLIP);
}

/** ` (−2.2%)`; nothing where there is no number to compare with. */
function shareOfChange(before: Value, after: Value): string {
  const from = Number(before ?? Number.NaN);
  const to = Number(after ?? Number.NaN);
  if (!Number.isFinite(from) || !Number.isFinite(to) || from === 0 || from === to) return "";
  const share = (to - from) / Math.abs(from);
  return ` (${share > 0 ? "+" : "−"}${formatShare(Math.abs(share))})`;
}
