import type { GeoPoint } from "./model.ts";
import { badRequest } from "./request-error.ts";
import { isDate, parseTimestamp } from "./timestamps.ts";

/** A literal of a filter. Numbers keep their text. */
export type Literal =
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "number"; readonly text: string }
  | { readonly kind: "timestamp"; readonly micros: number }
  | { readonly kind: "date"; readonly text: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "null" }
  | { readonly kind: "geography"; readonly srid: string; readonly point: GeoPoint }
  | { readonly kind: "enum"; readonly enumName: string; readonly members: readonly string[] };

/** One token of a filter. */
export type Token =
  | { readonly kind: "punctuation"; readonly text: "(" | ")" | "," }
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "literal"; readonly literal: Literal }
  | { readonly kind: "end" };

const TIMESTAMP = /\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)/y;
const DATE = /\d{4}-\d\d-\d\d/y;
const NUMBER = /-?\d+(?:\.\d+)?/y;
const STRING = /'((?:[^']|'')*)'/y;
const ENUM = /Odata\.Models\.([A-Za-z_]\w*)'([^']*)'/y;
const GEOGRAPHY = /geography'SRID=(\d+);POINT\((-?\d+(?:\.\d+)?) (-?\d+(?:\.\d+)?)\)'/y;
/** A name; of those with a point only the functions of geography are known. */
const WORD = /geo\.[a-z]+|[A-Za-z_]\w*/y;
const PUNCTUATION = /[(),]/y;
const SPACES = / +/y;

/** Splits a filter into tokens; text that is no token is refused. */
export function tokenize(filter: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = position;
    const found = pattern.exec(filter) ?? undefined;
    position += found?.[0].length ?? 0;
    return found;
  };
  while (position < filter.length) {
    if (take(SPACES) !== undefined) {
      continue;
    }
    const start = position;
    tokens.push(nextToken(take, filter));
    // Two tokens that touch, such as `12abc`, are one thing that we do not understand.
    if (isWordEnd(filter, position - 1) && isWordEnd(filter, position)) {
      throw badRequest(`Cannot read '${filter.slice(start)}' in $filter`);
    }
  }
  tokens.push({ kind: "end" });
  return tokens;
}

function isWordEnd(filter: string, position: number): boolean {
  return /[\w'.]/.test(filter[position] ?? "");
}

type Take = (pattern: RegExp) => RegExpExecArray | undefined;

function nextToken(take: Take, filter: string): Token {
  const literal = nextLiteral(take);
  if (literal !== undefined) {
    return { kind: "literal", literal };
  }
  const punctuation = take(PUNCTUATION)?.[0];
  if (punctuation !== undefined) {
    return { kind: "punctuation", text: punctuation as "(" | ")" | "," };
  }
  const word = take(WORD)?.[0];
  switch (word) {
    case undefined:
      throw badRequest(`Cannot read $filter '${filter}'`);
    case "true":
    case "false":
      return { kind: "literal", literal: { kind: "boolean", value: word === "true" } };
    case "null":
      return { kind: "literal", literal: { kind: "null" } };
    default:
      return { kind: "word", text: word };
  }
}

function nextLiteral(take: Take): Literal | undefined {
  const timestamp = take(TIMESTAMP)?.[0];
  if (timestamp !== undefined) {
    const micros = parseTimestamp(timestamp);
    if (micros === undefined) {
      throw badRequest(`'${timestamp}' is not a timestamp`);
    }
    return { kind: "timestamp", micros };
  }
  const date = take(DATE)?.[0];
  if (date !== undefined) {
    if (!isDate(date)) {
      throw badRequest(`'${date}' is not a date`);
    }
    return { kind: "date", text: date };
  }
  const number = take(NUMBER)?.[0];
  if (number !== undefined) {
    return { kind: "number", text: number };
  }
  const text = take(STRING)?.[1];
  if (text !== undefined) {
    return { kind: "string", text: text.replaceAll("''", "'") };
  }
  const geography = take(GEOGRAPHY);
  if (geography !== undefined) {
    const [, srid = "", longitude, latitude] = geography;
    return { kind: "geography", srid, point: pointOf(Number(longitude), Number(latitude)) };
  }
  const [, enumName, members] = take(ENUM) ?? [];
  return enumName === undefined
    ? undefined
    : { kind: "enum", enumName, members: (members ?? "").split(",") };
}

function pointOf(longitude: number, latitude: number): GeoPoint {
  if (Math.abs(longitude) > 180 || Math.abs(latitude) > 90) {
    throw badRequest(`POINT(${longitude} ${latitude}) is no place: longitude stands first`);
  }
  return { type: "Point", coordinates: [longitude, latitude] };
}
