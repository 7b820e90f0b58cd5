import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SyncError } from "../../model/sync-error.ts";
import { makeFile } from "./new-file.ts";
import type { FeedRange, Places } from "./places.ts";

/** A position that was published, with the run of the entry there: the log is still the same one. */
export interface FeedMark {
  readonly upto: number;
  readonly runId: string;
}

/** A feed file that is about to appear. */
export interface IntendedFeed extends FeedRange, FeedMark {
  readonly name: string;
}

/** What the snapshot on the disk was when it appeared. */
export interface SnapshotMark {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Changes with columns and settings. */
  readonly shape: string;
}

/** What is known of a table's files. */
export interface PublishedState {
  readonly version: 1;
  /** Rows were, or were about to be, written since the snapshot. */
  readonly changed: boolean;
  readonly snapshot?: SnapshotMark;
  readonly log: number;
  /** The newest positions published, oldest first. */
  readonly marks: readonly FeedMark[];
  readonly intended?: IntendedFeed;
}

/** The state of a table whose files are not known: everything is owed. */
export const NOTHING_PUBLISHED: PublishedState = { version: 1, changed: true, log: 1, marks: [] };

/** Gives nothing where there is none. Throws HOME_UNREADABLE for what Lockstep did not write. */
export async function readState({ own, state: name }: Places): Promise<PublishedState | undefined> {
  const path = join(own, name);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "ENOENT") return undefined;
    throw unreadable(path, error);
  }
  try {
    const state = JSON.parse(text) as PublishedState;
    if (state.version === 1 && Array.isArray(state.marks)) return state;
  } catch (error) {
    throw unreadable(path, error);
  }
  throw unreadable(path, undefined);
}

export async function saveState(
  { own, state: name }: Places,
  state: PublishedState,
): Promise<void> {
  const text = `${JSON.stringify(state)}\n`;
  await makeFile({
    folder: own,
    label: name,
    fill: (write) => write(text),
    name: async () => name,
  });
}

function unreadable(path: string, cause: unknown): SyncError {
  return new SyncError(
    "HOME_UNREADABLE",
    `The file "${path}", in which Lockstep keeps what it published, cannot be read.`,
    { hint: "Remove it: what was published is then told by the published files.", cause },
  );
}
