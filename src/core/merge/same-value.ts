import { roundDecimal } from "../../model/decimal.ts";
import type { Comparison, SharedField } from "../../model/reconcile.ts";
import { type Value, valuesEqual } from "../../model/value.ts";

/** True when the two canonical values are the same value of this field. */
export function sameValue(field: SharedField, a: Value, b: Value): boolean {
  if (valuesEqual(a, b)) return true;
  return valuesEqual(comparedForm(field, a), comparedForm(field, b));
}

/** The form in which values of the field are compared: equal forms are the same value. */
export function comparedForm(field: SharedField, value: Value): Value {
  const { compare, type } = field;
  if (value === null) return null;
  if (Array.isArray(value)) {
    if (value.length === 0 && compare.blankIsNull === true) return null;
    const of = type.kind === "list" ? type.of.kind : "text";
    const items = value.map((item) => scalarForm(compare, of, item));
    const ordered = type.kind === "list" && type.ordered;
    return ordered ? items : sortedSet(items);
  }
  const form = scalarForm(compare, type.kind, value);
  return form === "" && compare.blankIsNull === true ? null : form;
}

function scalarForm(compare: Comparison, kind: string, value: Value): Value {
  if (typeof value !== "string") return value;
  if (kind === "decimal") {
    return compare.scale === undefined ? value : roundDecimal(value, compare.scale);
  }
  if (kind === "timestamp" || kind === "time") {
    return compare.fraction === undefined ? value : cutFraction(value, compare.fraction);
  }
  if (kind !== "text") return value;
  let text = value;
  if (compare.normalize === true) text = text.normalize("NFC");
  if (compare.trim === true) text = text.trim();
  if (compare.ignoreCase === true) text = text.toLowerCase();
  return text;
}

function cutFraction(value: string, digits: number): string {
  return value.replace(/\.(\d+)/, (_, fraction: string) => {
    const kept = fraction.slice(0, digits).replace(/0+$/, "");
    return kept === "" ? "" : `.${kept}`;
  });
}

function sortedSet(items: readonly Value[]): readonly Value[] {
  const byText = new Map(items.map((item) => [JSON.stringify(item), item] as const));
  return [...byText.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}
