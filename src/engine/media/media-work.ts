import type { Cursor } from "../../model/cursor.ts";
import {
  addFileLedgers,
  EMPTY_FILE_LEDGER,
  type FileId,
  type FileLedger,
  fileLedgerAddsUp,
  type HeldFile,
  type MediaSpec,
} from "../../model/media.ts";
import type { ParkRequest } from "../../model/parked.ts";
import type { RecordKey } from "../../model/record.ts";
import { EMPTY_LEDGER, type Phase } from "../../model/run.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Lease } from "../../ports/home.ts";
import type { MediaParts, ReplicateContext } from "../context.ts";
import type { MediaPlan } from "./plan-media.ts";

/** What the run has done so far; the one mutable thing of it. */
export interface MediaTally {
  phase: Phase;
  files: FileLedger;
  /** Records passed, earlier parts of a resumed walk included. */
  walked: number;
  total: number | undefined;
  requests: number;
  /** Of bodies, those of files refused included. */
  bytes: number;
  retries: number;
  waitedMs: number;
  /** Records whose list was proven empty although files were held. */
  emptied: number;
  /** Files in a row that their server did not give for want of an answer. */
  outage: number;
  readonly notes: string[];
}

/** Where the media lane stands. `pending`: records whose files may be half done. */
export interface MediaState {
  readonly fingerprint: string;
  readonly phase: "walk" | "changes";
  /** Where changes are read on once the walk has ended; null: they cannot be. */
  readonly since: Cursor | null;
  readonly walked: number;
  readonly pending: readonly RecordKey[];
}

export interface MediaPosition {
  readonly cursor: Cursor | null;
  readonly state: MediaState;
}

/** One run of mode `media`. */
export interface MediaWork extends MediaParts {
  readonly context: ReplicateContext;
  readonly media: MediaSpec;
  /** Name under which all of it is kept and told. */
  readonly spec: { readonly stream: string };
  readonly plan: MediaPlan;
  readonly runId: string;
  readonly lease: () => Lease;
  readonly signal: AbortSignal;
  readonly tally: MediaTally;
  /** Parked entries by key, as they stand. */
  readonly parked: Map<RecordKey, string>;
  /** Held files also have to be there. */
  readonly checksStore: boolean;
  /** Undefined in a run for single records, which moves no checkpoint but notes what is pending. */
  position: MediaPosition;
  /** The last commit; commits are made one after the other. */
  turn: Promise<unknown>;
}

export function newMediaTally(): MediaTally {
  return {
    phase: "connecting",
    files: EMPTY_FILE_LEDGER,
    walked: 0,
    total: undefined,
    requests: 0,
    bytes: 0,
    retries: 0,
    waitedMs: 0,
    emptied: 0,
    outage: 0,
    notes: [],
  };
}

type Told = Pick<MediaWork, "context" | "spec" | "tally">;

export function enterMediaPhase({ context, spec, tally }: Told, phase: Phase): void {
  tally.phase = phase;
  context.emit({ kind: "phase", at: context.clock.now(), stream: spec.stream, phase });
}

export function noteMedia({ context, spec, tally }: Told, message: string): void {
  tally.notes.push(message);
  context.emit({ kind: "note", at: context.clock.now(), stream: spec.stream, message });
}

/** Books what a commit has made true, and tells it. Throws LEDGER_MISMATCH before anything. */
function bookFiles({ context, spec, tally }: Told, part: Partial<FileLedger>): void {
  tally.files = addFileLedgers(tally.files, part);
  context.emit({
    kind: "progress",
    at: context.clock.now(),
    stream: spec.stream,
    ledger: EMPTY_LEDGER,
    files: tally.files,
    walked: tally.walked,
    ...(tally.total === undefined ? {} : { total: tally.total }),
  });
}

/** What one commit of a media run changes; the checkpoint goes with each of them. */
export interface MediaCommit {
  readonly hold?: readonly HeldFile[];
  readonly forget?: readonly FileId[];
  readonly park?: readonly ParkRequest[];
  readonly unpark?: readonly RecordKey[];
  readonly position?: MediaPosition;
  readonly ledger?: Partial<FileLedger>;
}

/** Commits, one after the other, with the place where the lane stands. */
export function commitMedia(work: MediaWork, commit: MediaCommit): Promise<void> {
  const made = work.turn.then(() => makeCommit(work, commit));
  work.turn = made.catch(() => undefined);
  return made;
}

async function makeCommit(work: MediaWork, commit: MediaCommit): Promise<void> {
  const { context, runId, spec } = work;
  const { hold = [], forget = [], park = [], unpark = [], position = work.position } = commit;
  if (!fileLedgerAddsUp(addFileLedgers(EMPTY_FILE_LEDGER, commit.ledger ?? {}))) {
    throw new SyncError(
      "LEDGER_MISMATCH",
      `The files of a record of "${work.media.stream}" do not add up.`,
      { context: { stream: spec.stream } },
    );
  }
  const settled = unpark.filter((key) => work.parked.has(key));
  await context.home.commit({
    lease: work.lease(),
    runId,
    stream: spec.stream,
    at: context.clock.now(),
    ...(hold.length + forget.length === 0 ? {} : { files: { hold, forget } }),
    ...(park.length === 0 ? {} : { park }),
    ...(settled.length === 0 ? {} : { unpark: settled }),
    checkpoints: [{ lane: "media", cursor: position.cursor, state: { ...position.state } }],
  });
  work.position = position;
  for (const key of settled) work.parked.delete(key);
  for (const { key } of park) if (key !== null) work.parked.set(key, parentOf(key));
  if (commit.ledger !== undefined) bookFiles(work, commit.ledger);
}

/** The record that a parked entry is of: an entry is of one file, or of a record's whole list. */
export function parentOf(key: RecordKey): string {
  try {
    const parts: unknown = JSON.parse(key);
    return Array.isArray(parts) ? String(parts[0]) : key;
  } catch {
    return key;
  }
}
