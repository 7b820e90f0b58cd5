import type { Value, ValueType } from "../../model/value.ts";

const FORMS = {
  int64: /^(0|-?[1-9]\d*)$/,
  decimal: /^(0|-?(0|[1-9]\d*)(\.\d*[1-9])?)$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
  timestamp: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/,
  time: /^\d{2}:\d{2}:\d{2}(\.\d+)?$/,
  base64: /^[A-Za-z0-9+/]*={0,2}$/,
} as const;

const isForm = (value: Value, form: RegExp): boolean =>
  typeof value === "string" && form.test(value);

/** True when a value that is not null stands in the canonical form of its type. */
export function isCanonical(type: ValueType, value: Value): boolean {
  switch (type.kind) {
    case "text":
      return typeof value === "string";
    case "integer":
      return type.bits === 64 ? isForm(value, FORMS.int64) : isWithin(value, type.bits);
    case "decimal":
      return isForm(value, FORMS.decimal);
    case "double":
      return Number.isFinite(value);
    case "boolean":
      return typeof value === "boolean";
    case "date":
      return isForm(value, FORMS.date);
    case "timestamp":
      return isForm(value, FORMS.timestamp);
    case "time":
      return isForm(value, FORMS.time);
    case "binary":
      return isForm(value, FORMS.base64);
    case "json":
      return typeof value === "string" && isJson(value);
    case "list":
      return isList(type, value);
  }
}

function isWithin(value: Value, bits: 16 | 32): boolean {
  return Number.isInteger(value) && Math.abs(Number(value)) <= 2 ** (bits - 1);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isList(type: Extract<ValueType, { readonly kind: "list" }>, value: Value): boolean {
  if (!Array.isArray(value)) return false;
  return value.every((item: Value) => item !== null && isCanonical(type.of, item));
}
