import { compareTimestamps } from "../model/timestamp.ts";
import { type Value, type ValueType, valuesEqual } from "../model/value.ts";

/** A value that systems are known to lose or to change, under a name that fits on a line. */
export interface HostileValue {
  readonly name: string;
  readonly value: Value;
}

const named = (...values: readonly Value[]): readonly HostileValue[] =>
  values.map((value) => ({ name: JSON.stringify(value), value }));

const LONG_TEXT = "0123456789".repeat(5_000);

const TEXTS: readonly HostileValue[] = [
  ...named("", " x ", "007", "1e21", "0.10", "=1+1", "null", "true", "2024-05-01"),
  { name: "emoji of several code points", value: "👩‍👩‍👧 and 🇨🇭" },
  { name: "é composed (NFC)", value: "\u00e9" },
  { name: "é decomposed (NFD)", value: "e\u0301" },
  { name: "ends of lines and a tab", value: "a\nb\r\nc\td" },
  { name: "quotes and a backslash", value: `'"\\;--%_$1` },
  { name: "right to left, zero width", value: "\u202eabc\u200b" },
  { name: "50,000 characters", value: LONG_TEXT },
  { name: "a NUL character", value: "a\u0000b" },
  { name: "half of a surrogate pair", value: "a\ud800b" },
];

const INTEGERS = {
  16: named(0, -1, 32_767, -32_768),
  32: named(0, -1, 2_147_483_647, -2_147_483_648),
  64: named("0", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808"),
} as const;

const DECIMALS = named(
  "0",
  "0.1",
  "-0.01",
  "1234.5",
  "1000000000000000000000",
  "9007199254740993",
  "0.123456789012",
  "123456789012345678.12",
);

const TIMESTAMPS: readonly HostileValue[] = [
  ...named(
    "1969-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.9999999Z",
    "2024-02-29T12:00:00.123456Z",
    "2024-02-29T12:00:00.123456789Z",
  ),
  // What RFC 3339 writes as 23:59:60 has this canonical form.
  { name: "the leap second of 2016", value: "2017-01-01T00:00:00Z" },
  { name: "an hour that clocks show once", value: "2024-11-03T05:59:59Z" },
  { name: "an hour that clocks show twice", value: "2024-11-03T07:30:00Z" },
];

const JSONS = named(
  '{"a":1.0,"b":[null,"é"],"n":9007199254740993}',
  '"text"',
  "null",
  "[]",
  '{"b":1,"a":2}',
);

/** Values of the type that tell what a system makes of it; null is not among them. */
export function hostileValues(type: ValueType): readonly HostileValue[] {
  switch (type.kind) {
    case "text":
      return TEXTS;
    case "integer":
      return INTEGERS[type.bits];
    case "decimal":
      return DECIMALS;
    case "double":
      return [
        ...named(0.1, 1e21, 5e-324, 1.797_693_134_862_315_7e308, 2 ** 53, -2.5),
        { name: "-0", value: -0 },
      ];
    case "boolean":
      return named(true, false);
    case "date":
      return named("1969-12-31", "0001-01-01", "9999-12-31", "2024-02-29");
    case "timestamp":
      return TIMESTAMPS;
    case "time":
      return named("00:00:00", "23:59:59", "12:30:00.123456", "12:30:00.123456789");
    case "binary":
      return named("", "AP8=", "AAAA");
    case "json":
      return JSONS;
    case "list":
      return listsOf(hostileValues(type.of).filter(({ value }) => value !== LONG_TEXT));
  }
}

function listsOf(items: readonly HostileValue[]): readonly HostileValue[] {
  const first = items.slice(0, 3).map(({ value }) => value);
  return [
    { name: "an empty list", value: [] },
    { name: "three items", value: first },
  ];
}

/**
 * True when a field of the type, as far as its facets say, is made for the value. What does not
 * fit may be rounded, cut or refused; what fits must survive as it is.
 */
export function fitsType(type: ValueType, value: Value): boolean {
  if (typeof value !== "string") return true;
  switch (type.kind) {
    case "text":
      return type.maxLength === undefined || value.length <= type.maxLength;
    case "decimal":
      return fitsDecimal(type, value);
    case "timestamp":
    case "time":
      return type.precision === undefined || fractionDigits(value) <= type.precision;
    default:
      return true;
  }
}

function fitsDecimal(
  { precision, scale }: { readonly precision?: number; readonly scale?: number },
  value: string,
): boolean {
  const [whole = "", fraction = ""] = value.replace("-", "").split(".");
  if (scale !== undefined && fraction.length > scale) return false;
  if (precision === undefined) return true;
  const digits = whole.replace(/^0+/, "").length + (scale ?? fraction.length);
  return digits <= precision;
}

const fractionDigits = (value: string): number => /\.(\d+)/.exec(value)?.[1]?.length ?? 0;

/** True when both say the same in the type: instants, numbers and JSON may be written in two ways. */
export function saysTheSame(type: ValueType, a: Value, b: Value): boolean {
  if (a === null || b === null) return a === b;
  if (type.kind === "timestamp") return compareTimestamps(String(a), String(b)) === 0;
  if (type.kind === "time") return trimmed(String(a)) === trimmed(String(b));
  if (type.kind === "json") return sortedJson(String(a)) === sortedJson(String(b));
  if (type.kind === "list" && Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, at) => saysTheSame(type.of, item, b[at]));
  }
  return valuesEqual(a, b);
}

const trimmed = (time: string): string => time.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");

/** JSON without blanks, with names in order; numbers keep their digits by standing as texts. */
function sortedJson(text: string): string {
  const whole = text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    token.startsWith('"') ? token : JSON.stringify(`#${token.replace(/\.0+$/, "")}`),
  );
  return JSON.stringify(inOrder(JSON.parse(whole)));
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, held]) => [name, inOrder(held)]);
}
