import { saidText } from "../../core/said.ts";
import type { Ambiguous, OpenConflict, Operation, PlannedRecord } from "../../model/plan.ts";
import type { FieldReason, RecordReason } from "../../model/reconcile.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import { questionsOf } from "./record-state.ts";
import type { PlanHalt, ReconcileInfo, ReconcilePlan } from "./verbs.ts";

/** A field of a shared record that gets another value, or that waits; its name, and why. */
export interface ChangedField {
  readonly field: string;
  /** Absent where it was never agreed. */
  readonly before?: Value;
  /** Absent where nothing is agreed yet. */
  readonly after?: Value;
  readonly reason: FieldReason;
}

/** One write of a plan, in the side's own names; `shared` is the shared field it comes from. */
export interface PlannedWrite {
  readonly side: string;
  readonly kind: Operation["kind"];
  readonly key?: RecordKey;
  /** It marks the record as deleted: no field of it has its value for a reason of its own. */
  readonly marks?: true;
  readonly fields: readonly {
    readonly field: string;
    readonly shared?: string;
    readonly before?: Value;
    readonly after: Value;
    /** Why the shared field has this value; absent for constants, marks and deletes. */
    readonly reason?: FieldReason;
  }[];
}

/** What waits for a person; without `field`, whether the record lives. */
export interface PlannedQuestion {
  readonly field?: string;
  readonly why: string;
  readonly base?: Value;
  readonly candidates: OpenConflict["candidates"];
}

/** One shared record of a plan, fields by name: for people and for `--json`. */
export interface PlannedChange {
  readonly link: number;
  readonly name: string;
  readonly isNew: boolean;
  readonly record: RecordReason;
  readonly fields: readonly ChangedField[];
  readonly writes: readonly PlannedWrite[];
  readonly waits: readonly PlannedQuestion[];
  readonly troubles: readonly string[];
}

/** Records that meet for the first time on just these sides. `differ`: something is written or waits. */
export interface FirstMet {
  readonly sides: readonly string[];
  readonly count: number;
  readonly differ: number;
  /** The first names. */
  readonly samples: readonly string[];
}

/** The plan of a sync of sides, read once from end to end. */
export interface SidesPlan {
  readonly kind: "reconcile";
  readonly sync: string;
  readonly plan: string;
  readonly at: number;
  /** The run that it takes back. */
  readonly undoes?: string;
  /** Applying it would change a side, or what the home knows. */
  readonly due: boolean;
  readonly sides: readonly {
    readonly side: string;
    readonly system: string;
    readonly stream: string;
    readonly creates: number;
    readonly updates: number;
    readonly deletes: number;
    /** Of the updates, those that mark a record as deleted; absent without any. */
    readonly marks?: number;
    /** Records linked there before. */
    readonly known: number;
    /** Records seen there now; absent unless it was read whole. */
    readonly seen?: number;
  }[];
  readonly records: {
    /** Looked at, since something about them is not as it was. */
    readonly compared: number;
    /** Met for the first time on several sides, and on one only. */
    readonly matched: number;
    readonly alone: number;
    /** Changed without a write: all sides say the same already, or one is gone by itself. */
    readonly agreed: number;
    readonly waiting: number;
    /** Writes that were refused before and are left out. */
    readonly parked: number;
    /** Left as they are, though a side lacks them or has something else: the notes say why. */
    readonly outOfStep: number;
  };
  /** Sides that could not be read; absent without any. */
  readonly unread?: readonly string[];
  readonly met: readonly FirstMet[];
  readonly ambiguous: readonly Ambiguous[];
  readonly halts: readonly PlanHalt[];
  readonly notes: readonly string[];
  /** Records with writes, or that wait, in the order of the plan; `more` of them are left out. */
  readonly changes: readonly PlannedChange[];
  readonly more: number;
}

const SAMPLES = 5;

/**
 * Reads a plan to its end and gives its sums and its first `limit` records with writes or
 * questions. `open` are the conflicts that the home knows already: asking them again is nothing
 * to do.
 */
export async function viewPlan(
  plan: ReconcilePlan,
  info: ReconcileInfo,
  open: readonly OpenConflict[],
  limit: number,
): Promise<SidesPlan> {
  const { head } = plan;
  const known = new Set(open.map(questionKey));
  const met = createMeetings();
  const changes: PlannedChange[] = [];
  let [told, agreed, waiting, asksAnew, writes] = [0, 0, 0, false, 0];
  for await (const record of plan.records()) {
    const waits = questionsOf(head.fields, record);
    met.count(record, waits.length > 0);
    writes += record.operations.length;
    if (waits.length > 0) waiting += 1;
    asksAnew ||= waits.some((wait) => !known.has(questionKey({ ...wait, link: record.link })));
    if (record.operations.length === 0 && waits.length === 0) {
      agreed += 1;
      continue;
    }
    told += 1;
    if (changes.length < limit) changes.push(describeRecord(head.fields, record));
  }
  return {
    kind: "reconcile",
    sync: head.sync,
    plan: head.plan,
    at: head.madeAt,
    ...(head.undoes === undefined ? {} : { undoes: head.undoes }),
    due: writes > 0 || agreed > 0 || asksAnew || head.undoes !== undefined,
    sides: info.sides.map(({ side, system, stream }) => {
      const counts = head.sides[side] ?? { creates: 0, updates: 0, deletes: 0 };
      // Every plan that is shown has counted, but for an undo, which observes nothing.
      return { side, system, stream, ...counts, known: 0, ...head.observed[side] };
    }),
    records: {
      compared: head.records.compared,
      matched: head.records.matched,
      alone: head.records.alone,
      agreed,
      waiting,
      parked: head.parked?.held ?? 0,
      outOfStep: head.records.outOfStep ?? 0,
    },
    ...(head.unread === undefined ? {} : { unread: head.unread }),
    met: met.result(),
    ambiguous: plan.ambiguous,
    halts: plan.halts,
    notes: head.notes,
    changes,
    more: told - changes.length,
  };
}

function questionKey({
  link,
  field,
  candidates,
}: Pick<OpenConflict, "link" | "field" | "candidates">): string {
  return JSON.stringify([link, field ?? "", saidText(candidates)]);
}

/** A planned record with its values by field name. */
function describeRecord(names: readonly string[], planned: PlannedRecord): PlannedChange {
  const { link, name, isNew, record, before, agreed, reasons, troubles } = planned;
  return {
    link,
    name,
    isNew,
    record,
    fields: names.flatMap((field, index): ChangedField[] => {
      const reason = reasons[index];
      const [was, is] = [before?.[index], agreed[index]];
      const isSame = JSON.stringify(was) === JSON.stringify(is);
      if (reason === undefined || (isSame && reason.kind === "agreed")) return [];
      return [{ field, reason, ...named("before", was), ...named("after", is) }];
    }),
    writes: planned.operations.map(({ side, kind, key, marks, fields }) => ({
      side,
      kind,
      ...(key === undefined ? {} : { key }),
      ...(marks === undefined ? {} : { marks }),
      fields: fields.map(({ field, before: was, after, shared }) => ({
        field,
        ...(shared === undefined ? {} : { ...named("shared", names[shared]) }),
        ...named("before", was),
        after,
        ...(shared === undefined || marks === true ? {} : named("reason", reasons[shared])),
      })),
    })),
    waits: questionsOf(names, planned),
    troubles,
  };
}

function named<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: T });
}

interface Meetings {
  count(record: PlannedRecord, waits: boolean): void;
  result(): readonly FirstMet[];
}

function createMeetings(): Meetings {
  const groups = new Map<string, FirstMet & { readonly samples: string[] }>();
  return {
    count: ({ record, name, operations }, waits) => {
      if (record.kind !== "first-met") return;
      const id = JSON.stringify(record.sides);
      const group = groups.get(id) ?? { sides: record.sides, count: 0, differ: 0, samples: [] };
      const { sides, count, differ, samples } = group;
      if (samples.length < SAMPLES) samples.push(name);
      const differs = operations.length > 0 || waits ? 1 : 0;
      groups.set(id, { sides, count: count + 1, differ: differ + differs, samples });
    },
    result: () => [...groups.values()].sort((a, b) => b.sides.length - a.sides.length),
  };
}
