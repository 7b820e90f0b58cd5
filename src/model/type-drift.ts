import type { ValueType } from "./value.ts";

/** Decimal digits that every value of an integer type fits in. */
const INTEGER_DIGITS = { 16: 5, 32: 10, 64: 19 } as const;

/** Of two decimals, one that holds both; else the later type. */
export function widestType(before: ValueType, after: ValueType): ValueType {
  if (before.kind !== "decimal" || after.kind !== "decimal") return after;
  const whole = [wholeDigits(before), wholeDigits(after)];
  const scales = [before.scale ?? 0, after.scale ?? 0];
  if (whole.includes(undefined)) return { kind: "decimal" };
  const scale = Math.max(...scales);
  return { kind: "decimal", precision: Math.max(...whole.map(Number)) + scale, scale };
}

export type TypeDrift = "same" | "wider" | "narrower";

/**
 * What a change of a field's declared type means for values kept in the old type's canonical
 * form. A smaller declared length or precision is `same`: sources declare them carelessly, and
 * what holds more holds less. `wider` keeps every old value as it is; all else is `narrower`.
 */
export function typeDrift(from: ValueType, to: ValueType): TypeDrift {
  switch (from.kind) {
    case "text":
      if (to.kind !== "text") return "narrower";
      return atMost(to.maxLength, from.maxLength) ? "same" : "wider";
    case "integer":
      return integerDrift(from.bits, to);
    case "decimal":
      return decimalDrift(from, to);
    case "list":
      return to.kind === "list" && typeDrift(from.of, to.of) === "same" ? "same" : "narrower";
    case "double":
    case "boolean":
      return to.kind === from.kind ? "same" : "narrower";
    case "date":
    case "timestamp":
    case "time":
    case "binary":
    case "json":
      if (to.kind === from.kind) return "same";
      return to.kind === "text" ? "wider" : "narrower";
  }
}

function integerDrift(bits: 16 | 32 | 64, to: ValueType): TypeDrift {
  if (to.kind === "integer" && to.bits === bits) return "same";
  const wider =
    (to.kind === "integer" && to.bits > bits) ||
    (to.kind === "double" && bits < 64) ||
    (to.kind === "decimal" && atMost(INTEGER_DIGITS[bits], wholeDigits(to)));
  return wider ? "wider" : "narrower";
}

function decimalDrift(from: DecimalFacets, to: ValueType): TypeDrift {
  if (to.kind === "text") return "wider";
  if (to.kind !== "decimal") return "narrower";
  const within = atMost(wholeDigits(to), wholeDigits(from)) && atMost(to.scale, from.scale);
  return within ? "same" : "wider";
}

interface DecimalFacets {
  readonly precision?: number;
  readonly scale?: number;
}

function wholeDigits(type: DecimalFacets): number | undefined {
  return type.precision === undefined ? undefined : type.precision - (type.scale ?? 0);
}

/** Absent means without limit. */
function atMost(value: number | undefined, limit: number | undefined): boolean {
  return limit === undefined || (value !== undefined && value <= limit);
}

/** A type in words, with the facets that tell it apart: `text(50)`, `decimal(12,2)`. */
export function typeName(type: ValueType): string {
  switch (type.kind) {
    case "text":
      return type.maxLength === undefined ? "text" : `text(${type.maxLength})`;
    case "integer":
      return `integer(${type.bits} bit)`;
    case "decimal":
      return type.precision === undefined
        ? "decimal"
        : `decimal(${type.precision},${type.scale ?? 0})`;
    case "list":
      return `list of ${typeName(type.of)}`;
    case "double":
    case "boolean":
    case "date":
    case "timestamp":
    case "time":
    case "binary":
    case "json":
      return type.kind;
  }
}
