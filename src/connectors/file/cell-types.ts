import { canonicalDecimal, canonicalInteger } from "../../model/decimal.ts";
import { exactJson, exactNumber, numberText } from "../../model/exact-number.ts";
import {
  commonType,
  decimalOrText,
  type FieldWord,
  wordOfCell,
  wordOfTime,
} from "../../model/field-words.ts";
import type { ValueType } from "../../model/value.ts";
import { parseExactJson } from "../http/exact-json.ts";
import type { ParsedFile } from "./parsed-file.ts";

/**
 * The types that hold every cell of each field as it is written: a field with one "007" is a text
 * in all records. Nothing is told of a field without any value.
 */
export function inferTypes({ names, rows, isText }: ParsedFile): ReadonlyMap<string, FieldWord> {
  const words = new Array<FieldWord | undefined>(names.length);
  for (const { cells } of rows) {
    for (let at = 0; at < names.length; at += 1) {
      const cell = cells[at];
      if (cell === null || cell === undefined || words[at] === "json") continue;
      const word = isText ? wordOfText(String(cell)) : wordOfCell(cell);
      const known = words[at];
      words[at] = known === undefined ? word : commonType(known, word);
    }
  }
  return new Map(
    names.flatMap((name, at) => {
      const word = words[at];
      return word === undefined ? [] : [[name, word] as const];
    }),
  );
}

/** Only numbers that are written as a number would be: no plus, no leading zero, no exponent. */
const INTEGER = /^(?:0|-?[1-9]\d*)$/;
const DECIMAL = /^-?(?:0|[1-9]\d*)\.\d+$/;

function wordOfText(text: string): FieldWord {
  if (INTEGER.test(text)) {
    return canonicalInteger(text, 64) === undefined ? decimalOrText(text) : "integer";
  }
  if (DECIMAL.test(text)) return decimalOrText(text);
  if (text === "true" || text === "false") return "boolean";
  return wordOfTime(text);
}

/** The cell as the decoder of that type takes it; what does not fit is left to the decoder. */
export function rawValue(
  cell: unknown,
  type: ValueType,
  { isText, isFlat }: Pick<ParsedFile, "isText" | "isFlat">,
): unknown {
  if (cell === null || cell === undefined) return cell;
  if (!isText) {
    const isJson = isFlat === true && (type.kind === "list" || type.kind === "json");
    if (isJson && typeof cell === "string") return parsedOr(cell);
    return type.kind === "text" ? asText(cell) : cell;
  }
  const text = String(cell);
  if (type.kind === "text") return text;
  if (text === "") return null;
  switch (type.kind) {
    case "integer":
    case "decimal":
    case "double":
      return canonicalDecimal(text) === undefined ? text : exactNumber(text);
    case "boolean":
      return /^(?:true|false)$/i.test(text) ? text.toLowerCase() === "true" : text;
    case "list":
    case "json":
      return parsedOr(text);
    default:
      return text;
  }
}

/** A number or truth value of a field that holds texts too. */
function asText(cell: unknown): unknown {
  if (typeof cell === "string") return cell;
  const digits = numberText(cell);
  if (digits !== undefined) return canonicalDecimal(digits) ?? digits;
  return typeof cell === "boolean" ? String(cell) : exactJson(cell);
}

function parsedOr(text: string): unknown {
  try {
    return parseExactValue(text);
  } catch {
    return text;
  }
}

/** Parses any JSON, also a single number, without losing a digit. Throws SyntaxError. */
export function parseExactValue(text: string): unknown {
  const values = parseExactJson(`[${text}]`) as readonly unknown[];
  if (values.length !== 1) throw new SyntaxError("Not one JSON value.");
  return values[0];
}
