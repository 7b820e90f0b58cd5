import { scalarDecoder } from "./coerce-scalar.ts";
import { canonicalDecimal } from "./decimal.ts";
import type { ScalarType, Value, ValueType } from "./value.ts";

/**
 * A canonical value of any type as the canonical value of `type`, exactly; `undefined` when it does
 * not fit without loss. Numbers and their texts are told apart by the type alone: "12.50" is the
 * decimal 12.5, 12 is the text "12". "true" and "false" are booleans in any case. Null fits all.
 */
export function fitValue(type: ValueType, value: Value): Value | undefined {
  if (value === null) return null;
  if (type.kind === "list") return Array.isArray(value) ? fitList(type, value) : undefined;
  if (Array.isArray(value)) return type.kind === "json" ? JSON.stringify(value) : undefined;
  return fitScalar(type, value as string | number | boolean);
}

function fitScalar(type: ScalarType, value: string | number | boolean): Value | undefined {
  const trimmed = typeof value === "string" ? value.trim() : value;
  switch (type.kind) {
    case "text":
      return fitText(type, value);
    case "integer":
      return typeof value === "boolean" ? undefined : scalarDecoder(type, { isKey: true })(trimmed);
    case "decimal":
      return typeof value === "boolean" ? undefined : fitDecimal(type, String(trimmed));
    case "double":
      return typeof trimmed === "string" ? exactDouble(trimmed) : scalarDecoder(type, {})(trimmed);
    case "boolean":
      return BOOLEANS.get(String(trimmed).toLowerCase());
    case "json":
      return typeof value === "string" && isJson(value) ? value : JSON.stringify(value);
    default:
      return scalarDecoder(type, {})(trimmed);
  }
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["false", false],
]);

function fitText(
  { maxLength }: ValueType & { readonly kind: "text" },
  value: string | number | boolean,
): string | undefined {
  const text = typeof value === "number" ? canonicalDecimal(String(value)) : String(value);
  if (text === undefined || maxLength === undefined) return text;
  return [...text].length > maxLength ? undefined : text;
}

function fitDecimal(
  { precision, scale }: ValueType & { readonly kind: "decimal" },
  text: string,
): string | undefined {
  const plain = canonicalDecimal(text);
  if (plain === undefined) return undefined;
  const [whole = "", fraction = ""] = plain.replace("-", "").split(".");
  if (scale !== undefined && fraction.length > scale) return undefined;
  const digits = whole === "0" ? 0 : whole.length;
  const room = precision === undefined ? undefined : precision - (scale ?? 0);
  return room !== undefined && digits > room ? undefined : plain;
}

/** The double of a number's text, if the double writes itself as that number again. */
function exactDouble(text: string): number | undefined {
  const plain = canonicalDecimal(text);
  if (plain === undefined) return undefined;
  const number = Number(plain);
  return canonicalDecimal(String(number)) === plain ? number : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function fitList(
  type: ValueType & { readonly kind: "list" },
  items: readonly Value[],
): readonly Value[] | undefined {
  const fitted = items.map((item) => fitValue(type.of, item));
  if (fitted.some((item) => item === undefined)) return undefined;
  return canonicalList(type, fitted as readonly Value[]);
}

/** The items as the list type has them: a set is sorted and without repeats. */
export function canonicalList(
  type: ValueType & { readonly kind: "list" },
  items: readonly Value[],
): readonly Value[] {
  if (type.ordered) return items;
  const distinct = new Map(items.map((item) => [JSON.stringify(item), item] as const));
  return [...distinct.values()].sort(compareItems);
}

function compareItems(a: Value, b: Value): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const x = String(a);
  const y = String(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** What fits the type, as a sentence goes on: `expected a whole number of 32 bits`. */
export function describeType(type: ValueType): string {
  switch (type.kind) {
    case "list":
      return `a ${type.ordered ? "list" : "set"}, each item ${describeType(type.of)}`;
    case "integer":
      return `a whole number of ${type.bits} bits`;
    case "text":
      return type.maxLength === undefined
        ? "a text"
        : `a text of at most ${type.maxLength} letters`;
    case "decimal":
      return type.scale === undefined
        ? "a decimal number"
        : `a decimal number with at most ${type.scale} digits after the point`;
    case "double":
      return "a number";
    case "boolean":
      return "true or false";
    case "date":
      return "a date YYYY-MM-DD that exists";
    case "timestamp":
      return "a timestamp with a zone that exists";
    case "time":
      return "a time HH:MM:SS";
    case "binary":
      return "base64";
    case "json":
      return "any JSON";
  }
}

const SHOWN_MAX = 60;

/** A value for a message: short, on one line. */
export function showCanonical(value: Value): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const shown = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX - 1)}…` : text;
  return `"${shown.replace(/\s+/g, " ")}"`;
}
