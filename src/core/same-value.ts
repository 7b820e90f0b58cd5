import { canonicalDecimal, roundDecimal } from "../model/decimal.ts";
import type { Comparison, SharedField } from "../model/reconcile.ts";
import { type Value, type ValueType, valuesEqual } from "../model/value.ts";

/** What must be known of a field to compare its values. */
export type ComparedField = Pick<SharedField, "type" | "compare">;

/** True when the two canonical values are the same value of this field. */
export function sameValue(field: ComparedField, a: Value, b: Value): boolean {
  if (valuesEqual(a, b)) return true;
  return valuesEqual(comparedForm(field, a), comparedForm(field, b));
}

/** The form in which values of the field are compared: equal forms are the same value. */
export function comparedForm(field: ComparedField, value: Value): Value {
  const { compare, type } = field;
  if (value === null) return null;
  if (Array.isArray(value)) {
    if (value.length === 0 && compare.blankIsNull === true) return null;
    const items = value.map((item) => comparedItem(field, item));
    return type.kind === "list" && type.ordered ? items : sortedSet(items);
  }
  const form = scalarForm(compare, type.kind, value);
  return form === "" && compare.blankIsNull === true ? null : form;
}

/** The form in which one item of a list field is compared. */
export function comparedItem({ compare, type }: ComparedField, item: Value): Value {
  return scalarForm(compare, type.kind === "list" ? type.of.kind : "text", item);
}

/** Null, an empty text and an empty list, as the field compares them. */
export function isBlank(field: ComparedField, value: Value): boolean {
  const form = comparedForm(field, value);
  return form === null || form === "" || (Array.isArray(form) && form.length === 0);
}

function scalarForm(compare: Comparison, kind: ValueType["kind"], value: Value): Value {
  if (typeof value !== "string") return value;
  if (kind === "decimal") {
    const plain = compare.scale === undefined ? undefined : canonicalDecimal(value);
    return plain === undefined ? value : roundDecimal(plain, compare.scale ?? 0);
  }
  if (kind === "timestamp" || kind === "time") return cutFraction(value, compare.fraction);
  if (kind !== "text") return value;
  let text = value;
  if (compare.normalize === true) text = text.normalize("NFC");
  if (compare.trim === true) text = text.trim();
  if (compare.ignoreCase === true) text = text.toLowerCase();
  return text;
}

/** Zeros that end a fraction name no other instant, whatever is cut off. */
function cutFraction(value: string, digits: number | undefined): string {
  return value.replace(/\.(\d+)/, (_, fraction: string) => {
    const kept = fraction.slice(0, digits).replace(/0+$/, "");
    return kept === "" ? "" : `.${kept}`;
  });
}

function sortedSet(items: readonly Value[]): readonly Value[] {
  const byText = new Map(items.map((item) => [JSON.stringify(item), item] as const));
  return [...byText.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}
