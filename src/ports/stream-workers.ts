import type { EmitEvent } from "../model/events.ts";
import type { ReplicateSpec } from "../model/replicate.ts";
import type { ReplicateMode, StreamReport } from "../model/run.ts";
import type { Lease } from "./home.ts";

/** One stream's part in a run that somebody else leads. Plain values, so that it can travel. */
export interface StreamTask {
  readonly spec: ReplicateSpec;
  readonly stream: string;
  readonly runId: string;
  readonly mode: ReplicateMode;
  /** Of the run; its fence stands before every commit, whoever makes it. */
  readonly lease: Lease;
}

/** How a task is watched and stopped. `emit` gets what the stream tells, as it tells it. */
export interface TaskWatch {
  readonly signal: AbortSignal;
  readonly emit: EmitEvent;
}

/**
 * Others that run whole streams: each with a connector, a decoder and a connection to the
 * database of its own, all of them under the one limit of their system.
 */
export interface StreamWorkers {
  /**
   * Runs the task as soon as one is free; what befalls the stream is in its report. Throws
   * WORKER_DIED where none can be given, and the signal's reason when it aborts before it began.
   */
  run(task: StreamTask, watch: TaskWatch): Promise<StreamReport>;
  close(): Promise<void>;
}
