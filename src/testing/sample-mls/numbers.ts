/** Writes a scaled integer as the server does: `decimalText(45990000, 2)` is `459900.0`. */
export function decimalText(scaled: number | bigint, scale: number): string {
  const negative = scaled < 0;
  const digits = String(negative ? -scaled : scaled).padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  return `${negative ? "-" : ""}${whole}.${fraction === "" ? "0" : fraction}`;
}

/** Brings a given number to the server's text; undefined when it does not fit the scale. */
export function normalizeDecimal(value: number | string, scale: number): string | undefined {
  const scaled = scaledInteger(String(value), scale);
  return scaled === undefined ? undefined : decimalText(scaled, scale);
}

/** Compares two number texts exactly, whatever their length. */
export function compareNumbers(a: number | string, b: number | string): number {
  const isShort = (value: number | string): boolean =>
    typeof value === "number" || value.length <= 15;
  if (isShort(a) && isShort(b)) {
    return Number(a) - Number(b);
  }
  const left = scaledInteger(String(a), 18);
  const right = scaledInteger(String(b), 18);
  if (left === undefined || right === undefined) {
    return Number(a) - Number(b);
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

function scaledInteger(text: string, scale: number): bigint | undefined {
  const parts = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (parts === null) {
    return undefined;
  }
  const fraction = (parts[3] ?? "").replace(/0+$/, "");
  if (fraction.length > scale) {
    return undefined;
  }
  const size = BigInt(`${parts[2]}${fraction.padEnd(scale, "0")}`);
  return parts[1] === "-" ? -size : size;
}
