import type { Problem, RecordKey } from "./record.ts";

/**
 * A record set aside with its error. One entry per (sync, stream, key); a record whose key cannot
 * be told is kept under the hash of its image.
 */
export interface ParkedRecord {
  readonly id: number;
  readonly sync: string;
  readonly stream: string;
  readonly key: RecordKey | null;
  /** What the system sent, JSON text. */
  readonly image: string;
  readonly problems: readonly Problem[];
  readonly runId: string;
  /** Epoch milliseconds. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** How many times the record came and was still bad. */
  readonly attempts: number;
}

/** A record about to be parked. */
export type ParkRequest = Pick<ParkedRecord, "key" | "image" | "problems">;

/** A stop for safety that needs a person. Times are epoch milliseconds. */
export interface Halt {
  readonly id: number;
  readonly sync: string;
  readonly stream: string;
  readonly code: string;
  readonly message: string;
  /** Facts behind it, such as counts and a sample of keys. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly runId: string;
  readonly at: number;
  readonly releasedAt?: number;
  readonly releasedBy?: string;
  /** When it stopped to apply: its release was used, or the trouble went away. */
  readonly closedAt?: number;
}
