import type { Key } from "./model.ts";

/** Writes a key as it stands in a URL: numbers bare, texts quoted with doubled quotes. */
export function wireKey(key: Key): string {
  return typeof key === "number" ? String(key) : `'${key.replaceAll("'", "''")}'`;
}

/** Reads a key between parentheses: `123`, `'x'` or `Name=123`; undefined when it is neither. */
export function parseWireKey(text: string, keyName: string): Key | undefined {
  const bare = text.startsWith(`${keyName}=`) ? text.slice(keyName.length + 1) : text;
  if (/^-?\d{1,15}$/.test(bare)) {
    return Number(bare);
  }
  const quoted = /^'((?:[^']|'')*)'$/.exec(bare)?.[1];
  return quoted?.replaceAll("''", "'");
}
