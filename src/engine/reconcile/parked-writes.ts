import type { ParkedRecord, ParkRequest } from "../../model/parked.ts";
import type {
  LinkId,
  Operation,
  PlanHead,
  PlannedParked,
  PlannedRecord,
} from "../../model/plan.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Home } from "../../ports/home.ts";
import { hashText } from "../replicate/hash.ts";
import type { ParkedRetryResult } from "../upkeep-results.ts";
import type { ReconcileContext, ReconcileWork, SideContext } from "./context.ts";
import type { SideObservation } from "./observe-side.ts";
import { isRemoval } from "./record-state.ts";
import type { Ended } from "./settle-record.ts";

/** Writes that a side refused before, as they are kept among the home's parked records. */
export interface ParkedWrites {
  /**
   * A plan without the writes that would be refused again: a side refused exactly that write of
   * that record under this configuration, and not so long ago. `stuck` are records of which all that
   * is left is such a deletion; they are no part of the plan.
   */
  leaveOut(planned: readonly PlannedRecord[]): {
    readonly planned: readonly PlannedRecord[];
    readonly stuck: ReadonlySet<LinkId>;
  };
  /** What came of them, now that all is planned; nothing where none is parked. */
  outcome(observations: readonly SideObservation[]): PlannedParked | undefined;
}

export async function recallParked({ context }: ReconcileWork): Promise<ParkedWrites> {
  const { home, sync } = context;
  const parked = await home.parked({ sync });
  const byWrite = new Map(parked.map((one) => [placeOf(one.stream, one.key), one]));
  const wanted = new Set<number>();
  let held = 0;
  const isTriedAgain = againAtOnce(context);
  const isHeld = (record: PlannedRecord, operation: Operation): boolean => {
    const found = byWrite.get(placeOf(operation.side, keyOf(record, operation)));
    const side = context.sides.find(({ name }) => name === operation.side);
    if (found === undefined || side === undefined) return false;
    wanted.add(found.id);
    if (context.triesParked === true) return false;
    if (fingerprintIn(found) !== fingerprintOf(context, side, operation)) return false;
    return !isTriedAgain(found, operation);
  };
  return {
    leaveOut(planned) {
      if (parked.length === 0) return { planned, stuck: new Set() };
      const stuck = new Set<LinkId>();
      const left = planned.map((record) => {
        const refused = new Set(record.operations.filter((one) => isHeld(record, one)));
        const isRemoved = isRemoval(record.record);
        const isWhole = refused.size === record.operations.length;
        // A deletion is one: what was done of it on other sides is not settled before all is.
        if (refused.size === 0 || (isRemoved && !isWhole)) return record;
        held += refused.size;
        if (isRemoved) {
          stuck.add(record.link);
          return record;
        }
        const operations = record.operations.filter((one) => !refused.has(one));
        return { ...record, operations, behind: true };
      });
      return { planned: left, stuck };
    },
    outcome: (observations) => {
      if (parked.length === 0) return undefined;
      // What is not known now may ask for it again.
      const isKnown = observations.every(({ kind }) => kind !== "unknown");
      const settled = parked.flatMap(({ id }) => (wanted.has(id) || !isKnown ? [] : [id]));
      return { held, settled };
    },
  };
}

/** How long a refused write rests after its first refusal; twice as long after each further one. */
const REST_MS = 5 * 60_000;
const REST_MOST_MS = 24 * 60 * 60_000;

/** Of creates, which no guard counts. */
const CREATES_AGAIN = 1000;

/**
 * What a write lacked may have come meanwhile, where nothing of it changed: a parent from another
 * sync, a name that is free now. So it is tried again by itself, ever more seldom. Few at once: old
 * refusals alone may not come to so many changes and deletions that a guard halts.
 */
function againAtOnce({
  clock,
  guard: { changeFloor, deleteFloor },
}: ReconcileContext): (parked: ParkedRecord, operation: Operation) => boolean {
  const now = clock.now();
  const most = { create: CREATES_AGAIN, other: Math.floor(Math.min(changeFloor, deleteFloor) / 2) };
  const counts = new Map<string, number>();
  return ({ lastAt, attempts }, { side, kind }) => {
    const rest = Math.min(REST_MOST_MS, REST_MS * 2 ** (attempts - 1));
    if (now < lastAt + rest) return false;
    const of = kind === "create" ? "create" : "other";
    const place = `${of} ${side}`;
    const count = (counts.get(place) ?? 0) + 1;
    if (count > most[of]) return false;
    counts.set(place, count);
    return true;
  };
}

/** Parks what the sides refused, and takes off the list what they took. */
export async function parkRefused(
  { context, lease }: ReconcileWork,
  { parked }: PlanHead,
  runId: string,
  records: readonly PlannedRecord[],
  ends: ReadonlyMap<string, Ended>,
): Promise<void> {
  const { home, clock } = context;
  const all = records.flatMap((record) =>
    record.operations.map((operation) => ({ record, operation, end: ends.get(operation.id) })),
  );
  for (const side of context.sides) {
    const own = all.filter(({ operation }) => operation.side === side.name);
    const park = own.flatMap(({ record, operation, end }) =>
      end?.kind === "rejected" ? [requestOf(context, side, record, operation, end)] : [],
    );
    const taken = parked === undefined ? [] : own.filter(({ end }) => end?.kind === "written");
    const unpark = taken.map(({ record, operation }) => keyOf(record, operation));
    if (park.length + unpark.length === 0) continue;
    const at = clock.now();
    await home.commit({ lease: lease(), runId, stream: side.name, at, park, unpark });
  }
}

/** Takes writes off the list, so that the next run tries them; nothing is written now. */
export async function releaseParked(
  home: Home,
  sync: string,
  records: readonly ParkedRecord[],
): Promise<ParkedRetryResult> {
  const count = await home.dropParked(records.map(({ id }) => id));
  const they = count === 1 ? "1 refused write is" : `${count} refused writes are`;
  const untried = `${they} tried by the next run: lockstep run ${sync}`;
  return { tried: 0, settled: 0, stillParked: [], runs: [], untried };
}

/** A new record whose key the side assigns is known by what the shared one is called. */
function keyOf({ name }: PlannedRecord, { key }: Operation): RecordKey {
  return key ?? (`${name} (new)` as RecordKey);
}

function placeOf(side: string, key: RecordKey | null): string {
  return JSON.stringify([side, key]);
}

function requestOf(
  context: ReconcileContext,
  side: SideContext,
  record: PlannedRecord,
  operation: Operation,
  { trouble, problem }: Extract<Ended, { readonly kind: "conflict" | "rejected" | "unknown" }>,
): ParkRequest {
  const { kind, fields } = operation;
  const image = {
    write: kind,
    record: record.name,
    fields: fields.map(({ field, before, after }) => ({ field, before, after })),
    fingerprint: fingerprintOf(context, side, operation),
  };
  const problems = [problem ?? { code: "RECORD_REFUSED" as const, message: trouble }];
  return { key: keyOf(record, operation), image: JSON.stringify(image), problems };
}

/**
 * What a refusal holds for: the same write, of a record that stands as it stood, into fields that
 * are as they were, under the same configuration.
 */
function fingerprintOf(
  { configuration }: ReconcileContext,
  { schema }: SideContext,
  { kind, key, fields }: Operation,
): string {
  return hashText(JSON.stringify([kind, key, fields, configuration, schema.fields]));
}

function fingerprintIn({ image }: ParkedRecord): unknown {
  const read: unknown = JSON.parse(image);
  return typeof read === "object" && read !== null && "fingerprint" in read
    ? read.fingerprint
    : undefined;
}
