import { keyParts, type RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";

/** What stands at a path in a JSON value; an empty path is the value itself. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) {
      return undefined;
    }
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}

/** The names of a path such as `data.items`. */
export const pathOf = (text: string): readonly string[] => (text === "" ? [] : text.split("."));

/** The object with a value put at a path; objects on the way are copied or made. */
export function withValueAt(
  object: Readonly<Record<string, unknown>>,
  path: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const [name = "", ...rest] = path;
  const copy = { ...object };
  if (rest.length === 0) return setOwn(copy, name, value);
  const inner = copy[name];
  const isObject = typeof inner === "object" && inner !== null && !Array.isArray(inner);
  const held = isObject ? (inner as Readonly<Record<string, unknown>>) : {};
  return setOwn(copy, name, withValueAt(held, rest, value));
}

/** Also for the name `__proto__`, which an assignment would take for something else. */
function setOwn(
  object: Record<string, unknown>,
  name: string,
  value: unknown,
): Record<string, unknown> {
  Object.defineProperty(object, name, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
  return object;
}

const PLACE = /\{([^{}]+)\}/g;

/** Names of the fields in the braces of a path. */
export const placesIn = (path: string): readonly string[] =>
  [...path.matchAll(PLACE)].map(([, name = ""]) => name);

/** So long an address is taken by every server. */
const LENGTH_MAX = 2_000;

/**
 * The path with the parts of a key in its braces; nothing for a key that no path can name: an empty
 * part would lead to the list, a part of points to a folder, and servers refuse what is very long.
 */
export function pathFor(path: string, schema: StreamSchema, key: RecordKey): string | undefined {
  const parts = keyParts(schema, key);
  if (parts.some((part) => part === "" || part === "." || part === ".." || !part.isWellFormed())) {
    return undefined;
  }
  const full = path.replaceAll(PLACE, (_whole, name: string) =>
    encodeURIComponent(parts[schema.key.indexOf(name)] ?? ""),
  );
  return full.length > LENGTH_MAX ? undefined : full;
}
