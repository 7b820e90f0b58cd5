import type { HeldFile } from "../model/media.ts";
import type { RecordKey } from "../model/record.ts";
import type { Value } from "../model/value.ts";

type Row = Readonly<Record<string, Value>>;

/** A media row that names a file which is wanted. */
export interface ListedFile {
  readonly media: RecordKey;
  /** As it came, with what signs it. */
  readonly address: string;
  /** Without query and fragment. */
  readonly url: string;
  readonly changedAt?: string;
  readonly order?: number;
}

/** A record's media rows, sorted out. */
export interface Listing {
  readonly files: readonly ListedFile[];
  /** Keys of rows that are listed but not wanted, or have no address. */
  readonly skipped: readonly RecordKey[];
  /** Rows whose key cannot be told. */
  readonly keyless: number;
}

/** Fields of a media row by the names of the RESO Data Dictionary. */
const CHANGED_AT = ["MediaModificationTimestamp", "ModificationTimestamp"];

/** Sorts a record's media rows out; of rows with one key the last counts. */
export function readListing(
  rows: readonly Row[],
  keyField: string,
  categories: readonly string[],
): Listing {
  const files = new Map<RecordKey, ListedFile>();
  const skipped = new Set<RecordKey>();
  let keyless = 0;
  for (const row of rows) {
    const key = row[keyField];
    if (key === undefined || key === null || key === "") {
      keyless += 1;
      continue;
    }
    const media = String(key) as RecordKey;
    files.delete(media);
    skipped.delete(media);
    const file = fileOf(media, row);
    if (file !== undefined && isWanted(row["MediaCategory"], categories)) files.set(media, file);
    else skipped.add(media);
  }
  return { files: [...files.values()], skipped: [...skipped], keyless };
}

function fileOf(media: RecordKey, row: Row): ListedFile | undefined {
  const address = row["MediaURL"];
  if (typeof address !== "string" || !/^https?:\/\//i.test(address)) return undefined;
  const changedAt = CHANGED_AT.map((name) => row[name]).find((value) => typeof value === "string");
  const order = Number(row["Order"] ?? Number.NaN);
  return {
    media,
    address,
    url: plainUrl(address),
    ...(typeof changedAt === "string" ? { changedAt } : {}),
    ...(Number.isSafeInteger(order) ? { order } : {}),
  };
}

function isWanted(category: Value | undefined, categories: readonly string[]): boolean {
  if (typeof category !== "string" || category === "") return true;
  const fold = (text: string): string => text.replace(/\s+/g, "").toLowerCase();
  return categories.includes("*") || categories.some((each) => fold(each) === fold(category));
}

/** An address without query and fragment, which hold signatures and tokens. */
export function plainUrl(address: string): string {
  return address.replace(/[?#].*$/s, "").replace(/^([a-z]+:\/\/)[^/@]*@/i, "$1");
}

/** What is to be done about a record's files. */
export interface FilePlan {
  readonly fetch: readonly { readonly file: ListedFile; readonly held?: HeldFile }[];
  /** Held files whose content is as it was, but whose place in the order is another. */
  readonly reorder: readonly HeldFile[];
  readonly unchanged: readonly HeldFile[];
  /** Held files that are listed no more. */
  readonly gone: readonly HeldFile[];
}

/**
 * Compares what is listed with what is held. A file is fetched again when its address (but for what
 * signs it) or its time of change is another; a skipped row's held file stays.
 */
export function planFiles(listing: Listing, held: readonly HeldFile[]): FilePlan {
  const byKey = new Map(held.map((file) => [file.media, file]));
  const fetch: FilePlan["fetch"][number][] = [];
  const reorder: HeldFile[] = [];
  const unchanged: HeldFile[] = [];
  for (const file of listing.files) {
    const own = byKey.get(file.media);
    if (own === undefined) fetch.push({ file });
    else if (isChanged(file, own)) fetch.push({ file, held: own });
    else if (file.order !== own.order) reorder.push(withOrder(own, file.order));
    else unchanged.push(own);
  }
  const listed = new Set([...listing.files.map(({ media }) => media), ...listing.skipped]);
  return { fetch, reorder, unchanged, gone: held.filter(({ media }) => !listed.has(media)) };
}

function isChanged(file: ListedFile, held: HeldFile): boolean {
  if (file.url !== held.url) return true;
  return file.changedAt !== undefined && file.changedAt !== held.changedAt;
}

function withOrder({ order: _, ...file }: HeldFile, order: number | undefined): HeldFile {
  return order === undefined ? file : { ...file, order };
}

/** What is known of a record's list of media rows. */
export interface ListingFacts {
  /** Rows that came. */
  readonly rows: number;
  /** What the record itself says that it has; undefined where it does not say. */
  readonly told?: number;
  /** Files held of the record. */
  readonly held: number;
  /** Rows of the second way, where it was asked. */
  readonly second?: number;
}

/**
 * Whether a list may be taken for the whole. `suspicious`: ask the other way first. `unproven`:
 * nothing may be removed by it. An empty list is believed when the record says that it has none, or
 * says nothing and both ways agree; a short one when both ways agree.
 */
export function judgeListing(facts: ListingFacts): "whole" | "suspicious" | "unproven" {
  const { rows, told, held, second } = facts;
  const isShort = told === undefined ? rows === 0 && held > 0 : rows < told;
  if (!isShort) return "whole";
  if (second === undefined) return "suspicious";
  const agree = second === rows;
  if (rows === 0) return agree && told === undefined ? "whole" : "unproven";
  return agree ? "whole" : "unproven";
}

/** The verdict on a file's content by its first bytes and the type that its server announced. */
export type TypeVerdict =
  | { readonly kind: "good"; readonly type: string }
  | { readonly kind: "refused"; readonly why: string; readonly isWrongContent: boolean };

/** Bytes from which a type can be told. */
export const SNIFF_BYTES = 512;

/**
 * The type of a file: what its first bytes show, where they show one. Refuses a type that is not
 * allowed, and content that is not of the family that was announced: a page of HTML, an error in
 * JSON.
 */
export function judgeType(
  announced: string | undefined,
  head: Uint8Array,
  allowed: readonly string[],
): TypeVerdict {
  const declared = (announced ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  const shown = sniffType(head);
  const isVague = declared === "" || /^(application|binary)\/octet-stream$/.test(declared);
  const wrong = (why: string): TypeVerdict => ({ kind: "refused", why, isWrongContent: true });
  if (shown === "text/html" || shown === "application/json") {
    if (!isAllowed(shown, allowed))
      return wrong(`is ${shown}, where ${listOf(allowed)} is allowed`);
  }
  if (shown === undefined && isVague) return wrong("is of no type that can be told");
  if (!isVague && shown !== undefined && familyOf(shown) !== familyOf(declared)) {
    return wrong(`is announced as ${declared}, but its content is ${shown}`);
  }
  const type = shown ?? declared;
  if (!isAllowed(type, allowed)) {
    const why = `is ${type}, where ${listOf(allowed)} is allowed`;
    return { kind: "refused", why, isWrongContent: false };
  }
  if (shown === undefined && familyOf(type) === "image") {
    return wrong(`is announced as ${type}, but its content is no image`);
  }
  return { kind: "good", type };
}

const listOf = (allowed: readonly string[]): string => allowed.join(" or ");
const familyOf = (type: string): string => type.split("/")[0] ?? "";

function isAllowed(type: string, allowed: readonly string[]): boolean {
  return allowed.some(
    (each) => each === type || (each.endsWith("/*") && type.startsWith(each.slice(0, -1))),
  );
}

/** Beginnings of files by their type; `null` stands for any byte. */
const MAGIC: readonly (readonly [string, readonly (number | null)[]])[] = [
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
  ["image/webp", [0x52, 0x49, 0x46, 0x46, null, null, null, null, 0x57, 0x45, 0x42, 0x50]],
  ["image/bmp", [0x42, 0x4d]],
  ["image/tiff", [0x49, 0x49, 0x2a, 0x00]],
  ["image/tiff", [0x4d, 0x4d, 0x00, 0x2a]],
  ["application/pdf", [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ["application/zip", [0x50, 0x4b, 0x03, 0x04]],
  ["video/webm", [0x1a, 0x45, 0xdf, 0xa3]],
];

function sniffType(head: Uint8Array): string | undefined {
  const found = MAGIC.find(([, bytes]) =>
    bytes.every((byte, index) => byte === null || head[index] === byte),
  );
  if (found !== undefined) return found[0];
  const text = String.fromCharCode(...head.subarray(0, SNIFF_BYTES));
  if (text.slice(4, 8) === "ftyp") return ISO_MEDIA[text.slice(8, 12)] ?? "video/mp4";
  const words = text.replace(/^\u00ef\u00bb\u00bf/, "").trimStart();
  if (/^(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!doctype svg|<svg)\b/is.test(words)) {
    return "image/svg+xml";
  }
  if (/^<(!doctype html|html|head|body|title|script)\b/i.test(words)) return "text/html";
  if (/^[[{]\s*["{[\]}]/.test(words)) return "application/json";
  return undefined;
}

/** Brands of the ISO media format that are pictures. */
const ISO_MEDIA: Readonly<Record<string, string>> = {
  avif: "image/avif",
  avis: "image/avif",
  heic: "image/heic",
  heix: "image/heic",
  mif1: "image/heif",
  "qt  ": "video/quicktime",
};

const EXTENSIONS: Readonly<Record<string, string>> = {
  "image/jpeg": "jpg",
  "image/svg+xml": "svg",
  "image/tiff": "tif",
  "video/quicktime": "mov",
};

/** The folder of a record's files. */
export function folderOf(stream: string, parent: RecordKey): string {
  return `${safeName(stream)}/${safeName(parent)}`;
}

/**
 * The name of a file. `token` makes it new, so that a changed file never takes the place of the one
 * that is still held: `Property/1611952/1611952_0507.k3f9ab.jpg`.
 */
export function filePath(
  stream: string,
  { parent, media }: Pick<HeldFile, "parent" | "media">,
  token: string,
  type: string,
): string {
  const extension = EXTENSIONS[type] ?? safeName(type.split("/")[1]?.replace(/\+.*/, "") ?? "bin");
  const stem = media.replace(/\.[A-Za-z0-9]{2,4}$/, "");
  return `${folderOf(stream, parent)}/${safeName(stem)}.${token}.${extension}`;
}

/** Text as one part of a path: what is no letter, digit, `_` or `-` is written as its code. */
function safeName(text: string): string {
  const encoded = text.toWellFormed().replace(/[^A-Za-z0-9_.-]/gu, (mark) => {
    const code = encodeURIComponent(mark);
    return code === mark ? `%${mark.charCodeAt(0).toString(16)}` : code.toLowerCase();
  });
  const whole = encoded.replace(/^\.+/, (dots) => "%2e".repeat(dots.length)) || "%";
  // Names longer than this are cut; their own hash keeps them apart.
  return whole.length <= 100 ? whole : `${whole.slice(0, 80)}=${shortHash(text)}`;
}

/** FNV-1a of 64 bits, in hexadecimal digits; only keeps names apart. */
function shortHash(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index += 1) {
    hash = ((hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return hash.toString(16).padStart(16, "0");
}
