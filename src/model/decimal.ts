/** The most digits a decimal may have when its exponent is written out; beyond it is no value. */
const DIGITS_MAX = 400;
const NUMBER = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/;
/** Canonical already; minus zero aside. */
const PLAIN = /^(?:0|-?[1-9]\d*|-?(?:0|[1-9]\d*)\.\d*[1-9])$/;

/**
 * A number's text in canonical form: no exponent, no leading zeros, no trailing zeros in the
 * fraction, no minus before zero. Nothing when the text is no number, or longer than 400 digits.
 */
export function canonicalDecimal(text: string): string | undefined {
  if (PLAIN.test(text)) return text.length <= DIGITS_MAX ? text : undefined;
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const shift = Number(exponent);
  if (whole.length + fraction.length + Math.abs(shift) > DIGITS_MAX) return undefined;
  const digits = whole + fraction;
  const point = whole.length + shift;
  const padded = point <= 0 ? "0".repeat(1 - point) + digits : digits.padEnd(point, "0");
  const at = Math.max(point, 1);
  const before = padded.slice(0, at).replace(/^0+(?=\d)/, "");
  const after = padded.slice(at).replace(/0+$/, "");
  const plain = after === "" ? before : `${before}.${after}`;
  return sign === "-" && plain !== "0" ? `-${plain}` : plain;
}

/**
 * A whole number's text without sign of plus, point, exponent or leading zeros (`12.0` is 12).
 * Nothing when the text is no whole number, or it does not fit in so many bits with a sign.
 */
export function canonicalInteger(text: string, bits: 16 | 32 | 64): string | undefined {
  const plain = canonicalDecimal(text);
  if (plain === undefined || plain.includes(".")) return undefined;
  const isNegative = plain.startsWith("-");
  const size = isNegative ? plain.slice(1) : plain;
  const limit = isNegative ? SMALLEST[bits] : GREATEST[bits];
  const fits = size.length === limit.length ? size <= limit : size.length < limit.length;
  return fits ? plain : undefined;
}

const GREATEST = { 16: "32767", 32: "2147483647", 64: "9223372036854775807" } as const;
const SMALLEST = { 16: "32768", 32: "2147483648", 64: "9223372036854775808" } as const;

/** A canonical decimal with at most `scale` digits after the point, rounded half away from zero. */
export function roundDecimal(decimal: string, scale: number): string {
  const point = decimal.indexOf(".");
  if (point < 0 || decimal.length - point - 1 <= scale) return decimal;
  const isNegative = decimal.startsWith("-");
  const kept = decimal.slice(isNegative ? 1 : 0, point + 1 + scale).replace(".", "");
  const isUp = decimal.charCodeAt(point + 1 + scale) >= 53;
  const digits = (BigInt(kept) + (isUp ? 1n : 0n)).toString().padStart(scale + 1, "0");
  const at = digits.length - scale;
  const plain = `${digits.slice(0, at)}.${digits.slice(at)}`.replace(/\.?0+$/, "");
  const rounded = scale === 0 ? digits : plain === "" ? "0" : plain;
  return isNegative && rounded !== "0" ? `-${rounded}` : rounded;
}
