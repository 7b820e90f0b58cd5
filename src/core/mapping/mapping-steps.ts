import { canonicalDecimal } from "../../model/decimal.ts";
import { inverseDecimal, multiplyDecimals } from "../../model/decimal-math.ts";
import type { Value } from "../../model/value.ts";
import { valuesEqual } from "../../model/value.ts";
import type { MappingStep } from "./field-mapping.ts";

/** A changed value, or why there is none. Null is never changed, unless a table says so. */
export type Stepped =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "misfit"; readonly reason: string };

const valued = (value: Value): Stepped => ({ kind: "value", value });

/** One step as the side's value is read. */
export function stepToShared(step: MappingStep, value: Value): Stepped {
  switch (step.kind) {
    case "table": {
      const pair = step.pairs.find(([side]) => valuesEqual(side, value));
      if (pair !== undefined) return valued(pair[1]);
      return value === null ? valued(null) : misfitTable(step.pairs.map(([side]) => side));
    }
    case "trim":
      return valued(ofTexts(value, (text) => text.trim()));
    case "case":
      return valued(
        ofTexts(value, (text) => (step.to === "upper" ? text.toUpperCase() : text.toLowerCase())),
      );
    case "scale":
      return value === null ? valued(null) : scale(value, step.by);
  }
}

/** The step undone, as a shared value is written. Texts keep what a step would have taken off. */
export function stepToSide(step: MappingStep, value: Value): Stepped {
  switch (step.kind) {
    case "table": {
      const pair = step.pairs.find(([, shared]) => valuesEqual(shared, value));
      if (pair !== undefined) return valued(pair[0]);
      return value === null ? valued(null) : misfitTable(step.pairs.map(([, shared]) => shared));
    }
    case "trim":
    case "case":
      return valued(value);
    case "scale": {
      const inverse = inverseDecimal(step.by);
      if (inverse === undefined) {
        return { kind: "misfit", reason: `it cannot be divided by ${step.by} exactly` };
      }
      return value === null ? valued(null) : scale(value, inverse);
    }
  }
}

function misfitTable(known: readonly Value[]): Stepped {
  const shown = known.slice(0, SHOWN_MAX).map((value) => JSON.stringify(value));
  const more = known.length > SHOWN_MAX ? ", …" : "";
  return { kind: "misfit", reason: `its table has only ${shown.join(", ")}${more}` };
}

const SHOWN_MAX = 8;

function ofTexts(value: Value, change: (text: string) => string): Value {
  if (Array.isArray(value)) return value.map((item: Value) => ofTexts(item, change));
  return typeof value === "string" ? change(value) : value;
}

function scale(value: Value, by: string): Stepped {
  const isNumber = typeof value === "number" || typeof value === "string";
  const plain = isNumber ? canonicalDecimal(String(value).trim()) : undefined;
  const scaled = plain === undefined ? undefined : multiplyDecimals(plain, by);
  return scaled === undefined
    ? { kind: "misfit", reason: "a number is expected where a unit is changed" }
    : valued(scaled);
}
