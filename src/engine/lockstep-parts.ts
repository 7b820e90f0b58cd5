import type { ReconcileSpec } from "../core/mapping/reconcile-spec.ts";
import type { QuotaLimits } from "../core/quota.ts";
import type { EmitEvent } from "../model/events.ts";
import type { ReplicateSpec } from "../model/replicate.ts";
import type { Agreements } from "../ports/agreements.ts";
import type { Connector } from "../ports/connector.ts";
import type { Destination } from "../ports/destination.ts";
import type { Home } from "../ports/home.ts";
import type { Clock, Random } from "../ports/runtime.ts";
import type { LeaseOwner, MediaParts, ReplicateContext } from "./context.ts";
import type { ReplicaContext } from "./replica-context.ts";

/** A configured system, connected when first needed. */
export interface SystemPart {
  readonly name: string;
  /** Kind of its connector. */
  readonly connector: string;
  /** The same one at each call; throws SECRET_MISSING and whatever else keeps it from beginning. */
  connect(): Promise<ConnectedSystem>;
  /** What it may be asked in each window, where that is bounded. */
  readonly limits?: QuotaLimits;
}

export interface ConnectedSystem {
  /** Wrapped in retry, limits and meter. */
  readonly connector: Connector;
  readonly traffic: ReplicateContext["traffic"];
  readonly concurrency?: ReplicateContext["concurrency"];
  /** Tells the listener of every wait until the function that it gives is called. */
  onWait(listener: EmitEvent): () => void;
}

/** A configured sync with the place that it writes to, opened. */
export interface SyncPart {
  readonly spec: ReplicateSpec;
  readonly system: SystemPart;
  readonly destination: Destination;
  /** Where its files come from and go to; the same ones at each call. */
  readonly openMedia?: (emit: EmitEvent) => Promise<MediaParts>;
  /** How many files may be asked for in each window, and the name under which that is kept. */
  readonly fileQuota?: { readonly name: string; readonly limits: QuotaLimits };
  /** Threads for its streams, where the configuration asks for them. */
  readonly workers?: ReplicateContext["workers"];
}

/** A configured sync of sides with the systems that they are in, by name. */
export interface ReconcilePart {
  readonly spec: ReconcileSpec;
  readonly systems: ReadonlyMap<string, SystemPart>;
}

/** What the composition root puts together. */
export interface LockstepParts {
  readonly home: Home & Agreements;
  readonly syncs: readonly SyncPart[];
  readonly reconciles: readonly ReconcilePart[];
  /** Systems that some sync reads, in the order of the configuration. */
  readonly systems: readonly SystemPart[];
  readonly clock: Clock;
  readonly random: Random;
  readonly owner: LeaseOwner;
  readonly memoryBytes: () => number;
  /** Closes systems, destinations and the home. */
  readonly close: () => Promise<void>;
}

/** What the replica alone can answer: no connection is made. */
export function replicaContext({ home, clock }: LockstepParts, sync: SyncPart): ReplicaContext {
  return { spec: sync.spec, destination: sync.destination, home, clock };
}
