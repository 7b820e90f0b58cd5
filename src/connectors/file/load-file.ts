import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { SyncError } from "../../model/sync-error.ts";
import { readingFailed, unreadableFile } from "./file-errors.ts";
import { parseCsv } from "./parse-csv.ts";
import { parseJsonl } from "./parse-jsonl.ts";
import { parseXlsx } from "./parse-xlsx.ts";
import type { ParsedFile } from "./parsed-file.ts";
import type { FileSourceSettings } from "./source-settings.ts";

const ATTEMPTS = 5;

/** The bytes of a file, and what tells this state of it from every other. */
export interface FileContent {
  readonly bytes: Buffer;
  readonly version: string;
  /** SHA-256 of the bytes, hexadecimal. */
  readonly hash: string;
}

/** Tells one state of a file from another without reading it. Throws CONNECTOR_NOT_FOUND. */
export async function fileVersion(path: string): Promise<string> {
  try {
    return versionOf(await stat(path, { bigint: true }));
  } catch (error) {
    throw readingFailed(path, error);
  }
}

/**
 * Reads a file as it was at one moment: when it changes meanwhile it is read again. Throws
 * SYSTEM_LOCKED when it never stands still, CONNECTOR_NOT_FOUND, SYSTEM_UNREADABLE.
 */
export async function readWhole(path: string): Promise<FileContent> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const content = await readOnce(path);
    if (content !== undefined) return content;
  }
  throw new SyncError("SYSTEM_LOCKED", `The file "${path}" is being written all the time.`);
}

async function readOnce(path: string): Promise<FileContent | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const before = versionOf(await file.stat({ bigint: true }));
    const bytes = await file.readFile();
    const after = versionOf(await file.stat({ bigint: true }));
    const version = versionOf(await stat(path, { bigint: true }));
    if (before !== after || after !== version) return undefined;
    return { bytes, version, hash: createHash("sha256").update(bytes).digest("hex") };
  } catch (error) {
    throw readingFailed(path, error);
  } finally {
    await file?.close();
  }
}

function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join("-");
}

/** Throws SYSTEM_UNREADABLE. */
export async function parseFile(settings: FileSourceSettings, bytes: Buffer): Promise<ParsedFile> {
  const { path, format, delimiter, encoding, sheet } = settings;
  if (format === "xlsx") return parseXlsx(path, bytes, sheet);
  const text = decode(path, bytes, encoding);
  return format === "csv" ? parseCsv(path, text, delimiter) : parseJsonl(text);
}

/** A byte order mark tells the encoding, and is no part of the text. */
function decode(path: string, bytes: Buffer, encoding: string): string {
  const told = encodingOfMark(bytes) ?? encoding;
  try {
    return new TextDecoder(told, { fatal: true }).decode(bytes);
  } catch (error) {
    throw unreadableFile(path, `it is not written in ${told}; name its \`encoding\``, error);
  }
}

function encodingOfMark(bytes: Buffer): string | undefined {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8";
  if (a === 0xff && b === 0xfe) return "utf-16le";
  return a === 0xfe && b === 0xff ? "utf-16be" : undefined;
}
