import { hash } from "node:crypto";

/** The longest name PostgreSQL keeps, in bytes of UTF-8; what is longer it cuts off in silence. */
const NAME_BYTES_MAX = 63;
const DIGEST_LENGTH = 8;

/** An identifier as SQL text, whatever it holds. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A table or another object of a schema as SQL text. */
export function qualified(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/**
 * The name itself where it fits in so many bytes, else its beginning and eight digits of the hash
 * of the whole: the same name always gives the same, and two names never the same by being cut.
 */
export function fitIdentifier(name: string, bytesMax: number = NAME_BYTES_MAX): string {
  if (Buffer.byteLength(name) <= bytesMax) return name;
  const digest = hash("sha256", name).slice(0, DIGEST_LENGTH);
  let kept = "";
  let bytes = DIGEST_LENGTH + 1;
  for (const letter of name) {
    bytes += Buffer.byteLength(letter);
    if (bytes > bytesMax) break;
    kept += letter;
  }
  return `${kept}_${digest}`;
}
