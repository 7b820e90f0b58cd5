import type { Verdict } from "../../core/validation.ts";
import type { Checkpoint, Lane } from "../../model/cursor.ts";
import type { Values } from "../../model/record.ts";
import type { StreamSpec } from "../../model/replicate.ts";
import type { Phase } from "../../model/run.ts";
import { addLedgers, EMPTY_LEDGER, type Ledger } from "../../model/run.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { StreamQuery } from "../../ports/connector.ts";
import type { TableSpec } from "../../ports/destination.ts";
import type { Lease } from "../../ports/home.ts";
import type { ReplicateContext } from "../context.ts";
import type { Slots } from "../limited.ts";

/** What a stream's part in a run has done so far; the one mutable thing of that part. */
export interface Tally {
  phase: Phase;
  ledger: Ledger;
  /** Records or keys passed by a walk, earlier parts of a resumed one included. */
  walked: number;
  total: number | undefined;
  readonly notes: string[];
}

/** A stream's part in a run: what every phase needs, opened once. */
export interface StreamWork {
  readonly context: ReplicateContext;
  readonly runId: string;
  readonly lease: () => Lease;
  readonly spec: StreamSpec;
  readonly schema: StreamSchema;
  readonly query: StreamQuery;
  readonly table: TableSpec;
  readonly fieldNames: readonly string[];
  /** Changes when fields, types or the filter change: cursors made under another do not cover. */
  readonly fingerprint: string;
  readonly judge: (values: Values) => Verdict | undefined;
  readonly signal: AbortSignal;
  readonly tally: Tally;
  /** Walks, or parts of them, that the whole run may read at the same time. */
  readonly readers: Slots;
}

function newTally(): Tally {
  return { phase: "connecting", ledger: EMPTY_LEDGER, walked: 0, total: undefined, notes: [] };
}

/** What a stream has done in a run so far; begun when it is first asked for. */
export function tallyOf(tallies: Map<string, Tally>, stream: string): Tally {
  const tally = tallies.get(stream) ?? newTally();
  tallies.set(stream, tally);
  return tally;
}

/** The one place where a stream's phase changes. */
export function enterPhase(
  work: Pick<StreamWork, "context" | "spec" | "tally">,
  phase: Phase,
): void {
  work.tally.phase = phase;
  work.context.emit({
    kind: "phase",
    at: work.context.clock.now(),
    stream: work.spec.stream,
    phase,
  });
}

export function note(work: Pick<StreamWork, "context" | "spec" | "tally">, message: string): void {
  work.tally.notes.push(message);
  work.context.emit({
    kind: "note",
    at: work.context.clock.now(),
    stream: work.spec.stream,
    message,
  });
}

/** Books a committed step and tells it. */
export function book(work: StreamWork, ledger: Ledger): void {
  work.tally.ledger = addLedgers(work.tally.ledger, ledger);
  work.context.emit({
    kind: "progress",
    at: work.context.clock.now(),
    stream: work.spec.stream,
    ledger: work.tally.ledger,
    walked: work.tally.walked,
    ...(work.tally.total === undefined ? {} : { total: work.tally.total }),
  });
}

export function loadCheckpoint(work: StreamWork, lane: Lane): Promise<Checkpoint | undefined> {
  return work.context.home.checkpoint(work.context.spec.name, work.spec.stream, lane);
}
