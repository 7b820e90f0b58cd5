import type { QuotaCost } from "../core/plan-cost.ts";
import type { Phase, ReportedError } from "../model/run.ts";

/* What the engine answers about files, in the shape that the library gives and `--json` prints. */

/** The files of a sync; told from the home alone. */
export interface FilesStatus {
  /** Under which they are told, such as `Property/Media`. */
  readonly stream: string;
  readonly location: string;
  /** Held files, the records that they are of, and their bytes. */
  readonly held: FilesHeld;
  readonly parked: number;
  /** Every record was looked at once; from then on only those that change are. */
  readonly walked: boolean;
  readonly lastRun?: {
    readonly finishedAt: number;
    readonly phase: Phase;
    readonly error?: ReportedError;
  };
}

export interface FilesHeld {
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
}

/** Whether files can be listed and kept. */
export interface FilesCheck {
  readonly stream: string;
  readonly location: string;
  /** The field that tells whose files changed; absent: every run looks at all records. */
  readonly changedBy?: string;
  readonly error?: ReportedError;
}

/** What a run of mode `media` would do. Nothing of it is promised: sources go on changing. */
export interface FilesPlan {
  readonly kind: "files";
  readonly sync: string;
  readonly source: string;
  /** Under which the files are told, such as `Property/Media`. */
  readonly stream: string;
  readonly location: string;
  readonly at: number;
  /** There is something to do. */
  readonly due: boolean;
  /** `walk` looks at every record, `resume` at the rest of them, `read` at those that changed. */
  readonly action: "walk" | "resume" | "read";
  /** Records that an interrupted walk has passed. */
  readonly after?: number;
  /** Records whose files would be listed; absent where nothing tells. */
  readonly records?: number;
  /** There may be more records, and each list that shows too little is asked for twice. */
  readonly atLeast: boolean;
  /** Files to fetch, as the counts of a page of records let expect; at most, where some are held. */
  readonly files?: number;
  /** Of these files, by the size of those that are held; absent while none is. */
  readonly bytes?: number;
  readonly held: FilesHeld;
  /** Calls to the source: the records and the lists of their files. */
  readonly requests: number;
  /** The lists alone. */
  readonly listings: number;
  /** Of the requests, against the source's quotas. */
  readonly quota: QuotaCost;
  /** Of the files, against the quota of their own; absent where their number is not known. */
  readonly fileQuota?: QuotaCost;
  /** When the quotas alone would let a run end that begins now, epoch milliseconds. */
  readonly endsAt: number;
  /** Requests that finding all this out took. */
  readonly asked: number;
}
