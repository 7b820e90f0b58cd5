import type { Value, ValueType } from "../../model/value.ts";
import type { NumberForm } from "./destination-settings.ts";

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/**
 * A canonical value as JSON text. Decimals and 64-bit integers are numbers with all their digits,
 * or strings, as `numbers` says; without a type a value is written as it is.
 */
export function jsonValue(value: Value, type: ValueType | undefined, numbers: NumberForm): string {
  if (type?.kind === "list" && Array.isArray(value)) {
    return `[${value.map((item: Value) => jsonValue(item, type.of, numbers)).join(",")}]`;
  }
  if (numbers === "exact" && typeof value === "string" && isNumeric(type) && NUMBER.test(value)) {
    return value;
  }
  return JSON.stringify(value);
}

/**
 * A canonical value as the text of a CSV cell, or null. Lists are JSON; every other value is its
 * canonical text, so a number keeps all its digits and a text that looks like one stays as it is.
 */
export function cellText(value: Value, type: ValueType, numbers: NumberForm): string | null {
  if (value === null) return null;
  return typeof value === "object" ? jsonValue(value, type, numbers) : String(value);
}

function isNumeric(type: ValueType | undefined): boolean {
  return type?.kind === "decimal" || type?.kind === "integer";
}
