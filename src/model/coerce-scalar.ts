import { canonicalDecimal, canonicalInteger } from "./decimal.ts";
import { exactJson, numberText } from "./exact-number.ts";
import { displayOf, type Lookup } from "./lookup.ts";
import { isDate, parseTimestamp } from "./timestamp.ts";
import { type ZoneConverter, zoneConverter } from "./timestamp-zone.ts";
import type { ScalarType, Value } from "./value.ts";

/** The canonical value of a raw one that is neither null nor absent; `undefined`: it does not fit. */
export type ScalarDecoder = (raw: unknown) => Value | undefined;

/** How the times of one field are to be read. */
export interface ZoneRule {
  /** IANA name of the zone in which the field's times stand. */
  readonly zone: string;
  /** `missing`: only of times without a zone. `always`: the field's own `Z` or offset is wrong. */
  readonly applies: "missing" | "always";
}

export interface ScalarOptions {
  readonly lookup?: Lookup | undefined;
  readonly zone?: ZoneRule | undefined;
  /** Key fields take the number's text for the number, and a number for its text. */
  readonly isKey?: boolean | undefined;
}

/** Compiles the decoder of one scalar type. */
export function scalarDecoder(type: ScalarType, options: ScalarOptions): ScalarDecoder {
  switch (type.kind) {
    case "text":
      return textDecoder(options);
    case "integer":
      return integerDecoder(type.bits, options.isKey === true || type.bits === 64);
    case "decimal":
      return decodeDecimal;
    case "double":
      return decodeDouble;
    case "boolean":
      return (raw) => (typeof raw === "boolean" ? raw : undefined);
    case "date":
      return (raw) => (typeof raw === "string" && isDate(raw) ? raw : undefined);
    case "timestamp":
      return timestampDecoder(options.zone);
    case "time":
      return decodeTime;
    case "binary":
      return decodeBinary;
    default:
      return exactJson;
  }
}

function textDecoder({ lookup, isKey }: ScalarOptions): ScalarDecoder {
  if (lookup !== undefined) {
    return (raw) => (typeof raw === "string" ? displayOf(lookup, raw) : undefined);
  }
  if (isKey !== true) return (raw) => (typeof raw === "string" ? raw : undefined);
  return (raw) => {
    if (typeof raw === "string") return raw;
    const text = numberText(raw);
    return text === undefined ? undefined : canonicalDecimal(text);
  };
}

function integerDecoder(bits: 16 | 32 | 64, takesText: boolean): ScalarDecoder {
  const limit = 2 ** (bits - 1);
  return (raw) => {
    if (bits !== 64 && typeof raw === "number") {
      // Adding zero makes a zero of minus zero.
      return Number.isInteger(raw) && raw >= -limit && raw < limit ? raw + 0 : undefined;
    }
    // Adding zero makes a zero of minus zero here too.
    if (Number.isSafeInteger(raw)) return String((raw as number) + 0);
    const text = typeof raw === "string" && takesText ? raw.trim() : numberText(raw);
    const digits = text === undefined ? undefined : canonicalInteger(text, bits);
    return digits === undefined || bits === 64 ? digits : Number(digits);
  };
}

function decodeDecimal(raw: unknown): string | undefined {
  if (typeof raw === "number") {
    const size = Math.abs(raw);
    // Within these bounds a double writes itself without exponent, and so in canonical form.
    if ((size >= 1e-6 && size < 1e21) || size === 0) return String(raw);
  }
  const text = typeof raw === "string" ? raw : numberText(raw);
  return text === undefined ? undefined : canonicalDecimal(text);
}

function decodeDouble(raw: unknown): number | undefined {
  const text = numberText(raw);
  if (text === undefined) return undefined;
  const value = typeof raw === "number" ? raw : Number(text);
  return Number.isFinite(value) ? value + 0 : undefined;
}

function timestampDecoder(rule: ZoneRule | undefined): ScalarDecoder {
  const convert: ZoneConverter | undefined =
    rule === undefined ? undefined : zoneConverter(rule.zone);
  const isAlways = rule?.applies === "always";
  return (raw) => {
    if (typeof raw !== "string") return undefined;
    const parsed = parseTimestamp(isAlways ? withoutZone(raw) : raw);
    if (parsed.kind === "instant") return parsed.canonical;
    if (parsed.kind === "malformed" || convert === undefined) return undefined;
    return convert(parsed.seconds, parsed.fraction);
  };
}

function withoutZone(text: string): string {
  return text.replace(/(?<=[T ].*)(?:[Zz]|[+-]\d\d:?(?:\d\d)?)$/, "");
}

const TIME = /^([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?$/;

function decodeTime(raw: unknown): string | undefined {
  if (typeof raw !== "string" || !TIME.test(raw)) return undefined;
  return raw.length === 5 ? `${raw}:00` : raw;
}

const BASE64 = /^[A-Za-z0-9+/]*$/;

/** OData writes base64url; canonical is plain base64 with its padding. */
function decodeBinary(raw: unknown): string | undefined {
  if (typeof raw !== "string") return undefined;
  const digits = raw.replaceAll("-", "+").replaceAll("_", "/").replace(/=+$/, "");
  if (!BASE64.test(digits) || digits.length % 4 === 1) return undefined;
  return digits.padEnd(Math.ceil(digits.length / 4) * 4, "=");
}
