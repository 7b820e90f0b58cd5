import { join } from "node:path";
import { destinationName } from "../../model/naming.ts";
import type { TableSpec } from "../../ports/destination.ts";
import type { FileDestinationSettings } from "./destination-settings.ts";

/** Lockstep's own things in the folder: the rows, and what was published. */
const OWN_FOLDER = ".lockstep";

/** Where the files of one table are: folders, and names in them. */
export interface Places {
  readonly folder: string;
  readonly snapshot: string;
  readonly feeds: string;
  readonly own: string;
  readonly state: string;
}

export function placesOf(
  { folder, format }: Pick<FileDestinationSettings, "folder" | "format">,
  { table, naming }: Pick<TableSpec, "table" | "naming">,
): Places {
  const name = fileName(destinationName(table, naming));
  return {
    folder,
    snapshot: `${name}.${format}`,
    feeds: join(folder, "changes", name),
    own: join(folder, OWN_FOLDER),
    state: `${name}.json`,
  };
}

/** The file that holds the rows behind the files. */
export function rowsPath(folder: string): string {
  return join(folder, OWN_FOLDER, "rows.db");
}

/** A name that is safe on every file system: what is no letter, digit, `_`, `-` is `%` and hex. */
function fileName(table: string): string {
  return table.replace(/[^\p{L}\p{N}_-]/gu, (letter) =>
    [...new TextEncoder().encode(letter)]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join(""),
  );
}

/**
 * The part of a change log that a feed file holds: the stream's entries above `after`, up to and
 * with `upto`. `log` counts the logs there were: it grows when a home is put back or made anew.
 */
export interface FeedRange {
  readonly log: number;
  readonly after: number;
  readonly upto: number;
}

const DIGITS = 12;

/** Names sort as the files follow each other, and each begins where the one before it ended. */
export function feedName({ log, after, upto }: FeedRange, format: string): string {
  const digits = (id: number): string => String(id).padStart(DIGITS, "0");
  return `${String(log).padStart(3, "0")}-${digits(after)}-${digits(upto)}.${format}`;
}

/** The range that a file's name tells, or nothing where it is no feed. */
export function feedRange(name: string): FeedRange | undefined {
  const match = /^(\d+)-(\d+)-(\d+)\.(?:jsonl|csv)$/.exec(name);
  if (match === null) return undefined;
  return { log: Number(match[1]), after: Number(match[2]), upto: Number(match[3]) };
}
