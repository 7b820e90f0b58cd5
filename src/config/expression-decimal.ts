import type { Environment } from "@marcbachmann/cel-js";
import { canonicalDecimal, roundDecimal } from "../model/decimal.ts";
import {
  addDecimals,
  compareDecimals,
  divideDecimals,
  multiplyDecimals,
  subtractDecimals,
} from "../model/decimal-math.ts";

/** A number in an expression: exact, whatever its size. `text` is a canonical decimal. */
export class Decimal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Any number, or the text of one, as a Decimal. Throws an Error when it is none. */
export function toDecimal(value: unknown): Decimal {
  if (value instanceof Decimal) return value;
  const isNumber = typeof value === "bigint" || typeof value === "number";
  const text = isNumber ? String(value) : typeof value === "string" ? value.trim() : "";
  const plain = canonicalDecimal(text);
  if (plain === undefined) throw new Error(`decimal() was given what is no number`);
  return new Decimal(plain);
}

const ARITHMETIC = {
  "+": addDecimals,
  "-": subtractDecimals,
  "*": multiplyDecimals,
} as const;

const ORDER = {
  "==": (order: number) => order === 0,
  "<": (order: number) => order < 0,
  "<=": (order: number) => order <= 0,
  ">": (order: number) => order > 0,
  ">=": (order: number) => order >= 0,
} as const;

const PAIRS = [
  ["decimal", "decimal"],
  ["decimal", "int"],
  ["int", "decimal"],
  ["decimal", "double"],
  ["double", "decimal"],
] as const;

const DIVISION_SCALE_MAX = 100;

function result(text: string | undefined): Decimal {
  if (text === undefined) throw new Error("the result has too many digits");
  return new Decimal(text);
}

/**
 * Adds the type `decimal` with `+ - *` and comparisons, also beside whole and double numbers (which
 * count as they are written), `decimal(x)`, `divide(a, b, digits)`, `round(x, digits)`,
 * `int(x)` and `string(x)`. There is no `/`, since a quotient is not exact.
 */
export function addDecimalType(environment: Environment): Environment {
  environment
    .registerType("decimal", Decimal)
    .registerFunction("decimal(dyn): decimal", toDecimal)
    .registerFunction("string(decimal): string", (value: Decimal) => value.text)
    .registerFunction("int(decimal): int", (value: Decimal) => toInt(value))
    .registerFunction("divide(dyn, dyn, int): decimal", divide)
    .registerFunction("round(dyn, int): decimal", (value: unknown, digits: bigint) =>
      result(roundDecimal(toDecimal(value).text, scaleOf(digits))),
    );
  for (const [left, right] of PAIRS) {
    for (const [sign, calculate] of Object.entries(ARITHMETIC)) {
      environment.registerOperator(`${left} ${sign} ${right}: decimal`, (a: unknown, b: unknown) =>
        result(calculate(toDecimal(a).text, toDecimal(b).text)),
      );
    }
    for (const [sign, holds] of Object.entries(ORDER)) {
      // The library turns an equality around by itself.
      if (sign === "==" && left !== "decimal") continue;
      environment.registerOperator(`${left} ${sign} ${right}: bool`, (a: unknown, b: unknown) =>
        holds(compareDecimals(toDecimal(a).text, toDecimal(b).text)),
      );
    }
  }
  return environment;
}

function divide(a: unknown, b: unknown, digits: bigint): Decimal {
  const divisor = toDecimal(b).text;
  if (divisor === "0") throw new Error("a number was divided by zero");
  return result(divideDecimals(toDecimal(a).text, divisor, scaleOf(digits)));
}

function toInt({ text }: Decimal): bigint {
  if (text.includes(".")) throw new Error(`int() was given a number with a fraction`);
  return BigInt(text);
}

function scaleOf(digits: bigint): number {
  if (digits >= 0n && digits <= BigInt(DIVISION_SCALE_MAX)) return Number(digits);
  throw new Error(`the digits after the point must be 0 to ${DIVISION_SCALE_MAX}`);
}
