import { canonicalDecimal } from "./decimal.ts";

/**
 * Exact arithmetic on canonical decimals. Results are canonical; `undefined` where a result would
 * have more digits than a decimal may have.
 */

interface Scaled {
  readonly digits: bigint;
  readonly scale: number;
}

function scaled(decimal: string): Scaled {
  const point = decimal.indexOf(".");
  if (point < 0) return { digits: BigInt(decimal), scale: 0 };
  return { digits: BigInt(decimal.replace(".", "")), scale: decimal.length - point - 1 };
}

function written({ digits, scale }: Scaled): string | undefined {
  return canonicalDecimal(`${digits}e-${scale}`);
}

function aligned(a: string, b: string): readonly [bigint, bigint, number] {
  const x = scaled(a);
  const y = scaled(b);
  const scale = Math.max(x.scale, y.scale);
  const raise = (of: Scaled): bigint => of.digits * 10n ** BigInt(scale - of.scale);
  return [raise(x), raise(y), scale];
}

export function addDecimals(a: string, b: string): string | undefined {
  const [x, y, scale] = aligned(a, b);
  return written({ digits: x + y, scale });
}

export function subtractDecimals(a: string, b: string): string | undefined {
  const [x, y, scale] = aligned(a, b);
  return written({ digits: x - y, scale });
}

export function multiplyDecimals(a: string, b: string): string | undefined {
  const x = scaled(a);
  const y = scaled(b);
  return written({ digits: x.digits * y.digits, scale: x.scale + y.scale });
}

/** Below zero when `a` is smaller, above when it is greater. */
export function compareDecimals(a: string, b: string): number {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** `a / b` with at most `scale` digits after the point, rounded half away from zero. `b` is not 0. */
export function divideDecimals(a: string, b: string, scale: number): string | undefined {
  const [x, y] = aligned(a, b);
  const dividend = x * 10n ** BigInt(scale);
  const isNegative = dividend < 0n !== y < 0n;
  const size = (of: bigint): bigint => (of < 0n ? -of : of);
  const quotient = (size(dividend) * 2n + size(y)) / (size(y) * 2n);
  return written({ digits: isNegative ? -quotient : quotient, scale });
}

/**
 * The decimal by which multiplying undoes multiplying by `factor`, if a decimal says it exactly:
 * 0.01 for 100, none for 3, none for 0.
 */
export function inverseDecimal(factor: string): string | undefined {
  const { digits, scale } = scaled(factor);
  if (digits === 0n) return undefined;
  let rest = digits < 0n ? -digits : digits;
  let places = 0;
  for (const prime of [2n, 5n]) {
    for (let count = 0; rest % prime === 0n; count += 1) {
      rest /= prime;
      places = Math.max(places, count + 1);
    }
  }
  if (rest !== 1n) return undefined;
  return written({ digits: 10n ** BigInt(scale + places) / digits, scale: places });
}
