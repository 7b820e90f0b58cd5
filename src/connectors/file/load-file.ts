import { createHash } from "node:crypto";
import { type BigIntStats, statSync } from "node:fs";
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

/** The same, without letting anything else happen meanwhile. */
export function fileVersionNow(path: string): string {
  try {
    return versionOf(statSync(path, { bigint: true }));
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
  if (settings.format === "xlsx") return parseXlsx(settings, bytes);
  return parseText(settings, decodeText(settings, bytes).text);
}

/** Throws SYSTEM_UNREADABLE. */
export function parseText(
  { path, format, delimiter }: FileSourceSettings,
  text: string,
): ParsedFile {
  return format === "csv" ? parseCsv(path, text, delimiter) : parseJsonl(text);
}

/** The text of a file, and how it is written. */
export interface DecodedText {
  /** Without the byte order mark, which is no part of it. */
  readonly text: string;
  readonly encoding: string;
  readonly mark: Uint8Array;
}

/** A byte order mark tells the encoding. Throws SYSTEM_UNREADABLE. */
export function decodeText(
  { path, encoding }: Pick<FileSourceSettings, "path" | "encoding">,
  bytes: Buffer,
): DecodedText {
  const told = encodingOfMark(bytes);
  const used = told ?? encoding;
  try {
    const text = new TextDecoder(used, { fatal: true }).decode(bytes);
    const length = told === undefined ? 0 : told === "utf-8" ? 3 : 2;
    return { text, encoding: used, mark: bytes.subarray(0, length) };
  } catch (error) {
    throw unreadableFile(path, `it is not written in ${used}; name its \`encoding\``, error);
  }
}

function encodingOfMark(bytes: Buffer): string | undefined {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8";
  if (a === 0xff && b === 0xfe) return "utf-16le";
  return a === 0xfe && b === 0xff ? "utf-16be" : undefined;
}
