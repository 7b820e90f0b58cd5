import type { EmitEvent } from "../model/events.ts";
import type { RecordKey } from "../model/record.ts";
import type { ReplicateSpec } from "../model/replicate.ts";
import type { ConcurrencyUse, ReplicateMode, Traffic } from "../model/run.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { Connector } from "../ports/connector.ts";
import type { Destination } from "../ports/destination.ts";
import type { FileSource, FileStore } from "../ports/files.ts";
import type { Home } from "../ports/home.ts";
import type { Clock, Random } from "../ports/runtime.ts";
import type { StreamWorkers } from "../ports/stream-workers.ts";

/** Everything a replicate sync works with, composed by the application root. */
export interface ReplicateContext {
  readonly spec: ReplicateSpec;
  /** Already wrapped in retry and limits. */
  readonly source: Connector;
  readonly destination: Destination;
  readonly home: Home;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EmitEvent;
  /** What the transport has done for a stream since the process began; zeros where unmetered. */
  readonly traffic: (stream: string) => Traffic;
  /** Requests at a time that the system has come to; nothing while it was never overloaded. */
  readonly concurrency?: (() => ConcurrencyUse | undefined) | undefined;
  /** Threads that run whole streams, where the sync is to have any. */
  readonly workers?: StreamWorkers | undefined;
  /** Who runs, as others see it who find the lease held. */
  readonly owner: LeaseOwner;
  /** Opens what files are fetched from and kept in; absent where the sync keeps none. */
  readonly openMedia?: () => Promise<MediaParts>;
  /** Resident memory of the process in bytes. */
  readonly memoryBytes: () => number;
}

/** Where files come from, already kept under its limits, and where they are kept. */
export interface MediaParts {
  readonly source: FileSource;
  readonly store: FileStore;
}

/** The process that holds leases. */
export interface LeaseOwner {
  /** Tells the process apart from every other; a lease's owner begins with it. */
  readonly name: string;
  /**
   * True when the owner of a lease certainly runs no more, so that its lease need not be waited for.
   * The fence makes a wrong answer harmless to the data.
   */
  readonly isGone: (leaseOwner: string) => boolean;
}

/** What to run. Without `streams`, all of the sync. */
export interface RunRequest {
  readonly mode: ReplicateMode;
  readonly streams?: readonly string[];
  /** For mode `keys`: of the one stream named. */
  readonly keys?: readonly RecordKey[];
  /** What discovery gave or threw, where it was done already for several runs. */
  readonly discovered?: Promise<readonly StreamSchema[]>;
}
