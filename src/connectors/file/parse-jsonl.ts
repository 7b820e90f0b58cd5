import { parseExactJson } from "../http/exact-json.ts";
import type { BadLine, ParsedFile, ParsedRow } from "./parsed-file.ts";

/**
 * Reads one JSON object per line, every number with all its digits; empty lines are passed over.
 * Fields stand in the order in which they first occur. A line that is no JSON object is bad.
 */
export function parseJsonl(text: string): ParsedFile {
  const places = new Map<string, number>();
  const objects: (Omit<ParsedRow, "cells"> & { readonly object: JsonObject })[] = [];
  const bad: BadLine[] = [];
  let start = 0;
  for (const [index, each] of text.split("\n").entries()) {
    const whole = each.replace(/\r$/, "");
    const span = { start, end: start + whole.length };
    start += each.length + 1;
    if (each.trim() === "") continue;
    const line = index + 1;
    const object = parseObject(each);
    if (object === undefined) {
      bad.push({ line, text: whole, message: "It is no JSON object." });
      continue;
    }
    for (const name of Object.keys(object)) if (!places.has(name)) places.set(name, places.size);
    objects.push({ line, object, span });
  }
  const names = [...places.keys()];
  const rows = objects.map(
    ({ object, ...row }): ParsedRow => ({
      ...row,
      cells: names.map((name) => (Object.hasOwn(object, name) ? object[name] : undefined)),
    }),
  );
  const lineEnd = /\r?\n/.exec(text)?.[0] ?? "\n";
  return { names, rows, bad, isText: false, layout: { lineEnd } };
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseObject(line: string): JsonObject | undefined {
  try {
    const value = parseExactJson(line);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
