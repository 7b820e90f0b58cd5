import type { RecordKey } from "./record.ts";

/** Where files are kept. `path` is absolute; `prefix` has no slash at either end. */
export type FilePlace =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "s3"; readonly bucket: string; readonly prefix: string };

/** Whether and how a file's request shows the system's token. */
export type TokenUse = "never" | "bearer" | "user-agent";

/** How the files of one stream's records are fetched and kept; every default filled in. */
export interface MediaSpec {
  /** The records that have files, such as `Property`. */
  readonly stream: string;
  /** The relation, and where there is one the stream, that lists them: `Media`. */
  readonly relation: string;
  /** The way asked first; the other one is asked when the first shows too little. */
  readonly from: "expand" | "stream";
  /** Fields by which the listing stream names its parent, for `from: stream`. */
  readonly link?: { readonly field: string; readonly parentField: string };
  /** Field of the parent that moves when its files change; absent: found out. */
  readonly changedBy?: string;
  /** Field of the parent with the number of its files, where it has one. */
  readonly countField: string;
  /** Kinds of media that are wanted; a row that names no kind is wanted too. */
  readonly categories: readonly string[];
  /** Content types allowed, such as `image/*`. */
  readonly types: readonly string[];
  /** A larger file is parked. */
  readonly maxBytes: number;
  /** Files fetched at the same time. */
  readonly concurrency: number;
  /** Tries of one file, the first included. */
  readonly attempts: number;
  /** The longest wait before a try of a file. */
  readonly retryWaitMaxMs: number;
  /** A file's address is asked for anew when it is older than this. */
  readonly urlMaxAgeMs: number;
  readonly to: FilePlace;
}

/** A file that is held: what it is, where it is, and what it was fetched for. */
export interface HeldFile {
  readonly parent: RecordKey;
  readonly media: RecordKey;
  /** Without query and fragment: what signs an address is no part of it. */
  readonly url: string;
  /** The media row's own time of change (canonical timestamp), where it has one. */
  readonly changedAt?: string;
  readonly order?: number;
  readonly contentType: string;
  readonly size: number;
  /** SHA-256 of the content, in hexadecimal digits. */
  readonly hash: string;
  /** Name in the place for files, parts separated by `/`. */
  readonly path: string;
  /** Epoch milliseconds. */
  readonly fetchedAt: number;
}

/** A file's identity: its record and the media row. */
export type FileId = Pick<HeldFile, "parent" | "media">;

/**
 * Where every listed file went: `listed = fetched + refreshed + unchanged + skipped + parked`.
 * `removed` and `kept` are of files held before: no longer listed, and let stay for want of proof.
 */
export interface FileLedger {
  /** Records whose files were looked at. */
  readonly records: number;
  readonly listed: number;
  readonly fetched: number;
  /** Fetched again because they changed, or with a new place in the order. */
  readonly refreshed: number;
  readonly unchanged: number;
  /** Not wanted by the configuration, without an address, or gone before they were fetched. */
  readonly skipped: number;
  readonly parked: number;
  readonly removed: number;
  readonly kept: number;
  /** Of the files fetched and refreshed. */
  readonly bytes: number;
}

export const EMPTY_FILE_LEDGER: FileLedger = {
  records: 0,
  listed: 0,
  fetched: 0,
  refreshed: 0,
  unchanged: 0,
  skipped: 0,
  parked: 0,
  removed: 0,
  kept: 0,
  bytes: 0,
};

/** The sum of two ledgers, entry by entry. */
export function addFileLedgers(a: FileLedger, b: Partial<FileLedger>): FileLedger {
  const names = Object.keys(a) as (keyof FileLedger)[];
  return Object.fromEntries(names.map((name) => [name, a[name] + (b[name] ?? 0)])) as Record<
    keyof FileLedger,
    number
  >;
}

/** True when every listed file is accounted for. */
export function fileLedgerAddsUp(ledger: FileLedger): boolean {
  const { listed, fetched, refreshed, unchanged, skipped, parked } = ledger;
  return listed === fetched + refreshed + unchanged + skipped + parked;
}

/** Under this name a sync keeps what belongs to its files: `Property/Media`. */
export function filesStream({ stream, relation }: Pick<MediaSpec, "stream" | "relation">): string {
  return `${stream}/${relation}`;
}

/** Where a stored file is, for people: a path of the file system, or an `s3://` address. */
export function locateFile(place: FilePlace, path: string): string {
  if (place.kind === "folder") return `${place.path}/${path}`;
  const parts = [place.bucket, place.prefix, path].filter((part) => part !== "");
  return `s3://${parts.join("/")}`;
}
