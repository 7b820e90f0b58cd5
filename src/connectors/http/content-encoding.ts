import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, inflateRaw } from "node:zlib";

const unpackers: Readonly<Record<string, (raw: Buffer, bytesMax: number) => Promise<Buffer>>> = {
  identity: async (raw) => raw,
  gzip: (raw, maxOutputLength) => promisify(gunzip)(raw, { maxOutputLength }),
  "x-gzip": (raw, maxOutputLength) => promisify(gunzip)(raw, { maxOutputLength }),
  br: (raw, maxOutputLength) => promisify(brotliDecompress)(raw, { maxOutputLength }),
  // Some servers send raw deflate under this name; a zlib header begins with 8 in its low bits.
  deflate: (raw, maxOutputLength) =>
    ((raw[0] ?? 0) & 0x0f) === 8
      ? promisify(inflate)(raw, { maxOutputLength })
      : promisify(inflateRaw)(raw, { maxOutputLength }),
};

/**
 * Undoes a `Content-Encoding`, the last coding first, to at most `bytesMax` bytes. Throws for a
 * coding that was not asked for, a damaged body, or one that unpacks to more.
 */
export async function decodeContent(
  raw: Buffer,
  encoding: string,
  bytesMax: number,
): Promise<Buffer> {
  const codings = encoding
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "");
  let bytes = raw;
  for (const coding of codings.reverse()) {
    const unpack = unpackers[coding];
    if (unpack === undefined) throw new Error(`unknown content coding "${coding}"`);
    if (bytes.length > 0) bytes = await unpack(bytes, bytesMax);
  }
  return bytes;
}
