import { mergeRecord } from "../../core/merge/merge-record.ts";
import { mergeValues } from "../../core/policies/merge-values.ts";
import { saidText } from "../../core/said.ts";
import type { LinkId, OpenConflict } from "../../model/plan.ts";
import type {
  Acknowledged,
  LifeDecision,
  Merged,
  MergeRules,
  PolicyChain,
  SideView,
} from "../../model/reconcile.ts";
import type { RecordKey, StreamRecord, Values } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import { addMs } from "../../model/timestamp.ts";
import { valuesEqual } from "../../model/value.ts";
import type { MergeCandidate, StagedRecord, StoredSide } from "../../ports/agreements.ts";
import { allEnded } from "./all-ended.ts";
import type { ReconcileContext, ReconcileWork, SideContext } from "./context.ts";
import { asToldNow } from "./newly-told.ts";
import type { SideObservation } from "./observe-side.ts";
import { type FreshRecords, readKeysTwice } from "./read-keys.ts";
import { isAsBuried } from "./standing.ts";
import { unheardJoins } from "./unheard-joins.ts";

/** One shared record with every side's own record as it stands now. */
export interface Looked {
  readonly link: LinkId;
  readonly candidate: MergeCandidate;
  readonly merged: Merged;
  readonly views: readonly SideView[];
  /** The sides' own records, where they are present. */
  readonly records: ReadonlyMap<string, StreamRecord>;
  /** A question about it is open. */
  readonly isAsked: boolean;
  /** The questions about it that somebody decided. */
  readonly decided: readonly OpenConflict[];
  /** What the sides say that could not be understood, as sentences for people. */
  readonly troubles: readonly string[];
}

/**
 * Merges a batch of candidates. A side's record that was not staged is asked for by its key first:
 * so each decision and each expectation rests on what the side says now.
 */
export async function mergeCandidates(
  work: ReconcileWork,
  candidates: readonly MergeCandidate[],
  observations: ReadonlyMap<string, SideObservation>,
): Promise<readonly Looked[]> {
  const { context } = work;
  const fresh = new Map(
    await allEnded(
      context.sides.map(async (side) => {
        const isKnown = observations.get(side.name)?.kind !== "unknown";
        const read = isKnown ? await readAgain(work, side, candidates) : undefined;
        return [side.name, read] as const;
      }),
    ),
  );
  const open = await context.home.conflicts({
    sync: context.sync,
    link: candidates.map(({ link }) => link),
  });
  const unheard = await unheardJoins(work, candidates);
  const marked = await markedViews(work, candidates);
  const openOf = Map.groupBy(open, ({ link }) => link);
  return candidates.map((candidate) => {
    const heard: Heard = { records: new Map(), troubles: [] };
    const views = context.sides.map((side): SideView => {
      const isSeen = observations.get(side.name)?.kind === "whole";
      const own = knownOf(context, side, candidate);
      const view = viewOf(side, { ...candidate, own }, fresh.get(side.name), heard, isSeen);
      const acknowledged = marked.get(`${side.name} ${candidate.link}`);
      if (acknowledged !== undefined) return { ...view, acknowledged };
      const told = unheard.get(`${side.name} ${candidate.link}`);
      return told === undefined ? view : { ...view, acknowledged: told, isMet: true };
    });
    const questions = openOf.get(candidate.link) ?? [];
    const decided = questions.filter(({ resolution }) => resolution !== undefined);
    const isLifeAsked = questions.some(({ field }) => field === undefined);
    const rules = withDecisions(isLifeAsked ? asking(context.rules) : context.rules, decided);
    const merged = mergeRecord(rules, candidate.stored?.agreed, views);
    const isAsked = questions.length > 0;
    return { link: candidate.link, candidate, merged, views, isAsked, decided, ...heard };
  });
}

/**
 * What is known of records that are met again just as they were marked when they were deleted: the
 * side was heard to say the mark, and nothing that is agreed stands for it.
 */
async function markedViews(
  { context: { home, sync, sides } }: ReconcileWork,
  candidates: readonly MergeCandidate[],
): Promise<ReadonlyMap<string, Acknowledged>> {
  const found = new Map<string, Acknowledged>();
  for (const side of sides) {
    const { remove } = side.role;
    if (remove === "delete" || remove === "never") continue;
    const met = candidates.flatMap(({ link, stored, staged }) =>
      stored?.sides[side.name] !== undefined
        ? []
        : staged
            .filter((record) => record.side === side.name && record.state === "present")
            .map(({ key, values }) => ({ link, key, values })),
    );
    if (met.length === 0) continue;
    const buried = await home.buried(
      sync,
      side.name,
      met.map(({ key }) => key),
    );
    for (const { link, key, values } of met) {
      const grave = buried.get(key);
      if (grave?.isStanding !== true || !isAsBuried(side, values, grave)) continue;
      found.set(`${side.name} ${link}`, { returned: remove.mark, stoodFor: [] });
    }
  }
  return found;
}

/** What is learnt of the sides' records while they are looked at. */
interface Heard {
  readonly records: Map<string, StreamRecord>;
  readonly troubles: string[];
}

/** A side that fails now, after it was observed, is unknown for these records. */
async function readAgain(
  work: ReconcileWork,
  side: SideContext,
  candidates: readonly MergeCandidate[],
): Promise<FreshRecords | undefined> {
  try {
    const said = unstaged(side, candidates);
    const found = await readKeysTwice(work, side, [...said.keys()]);
    // The observation told nothing of these. What says otherwise here may be that of a replica that
    // is behind, and a feed of changes would not tell of it again.
    const other = [...found].flatMap(([key, record]) => {
      return record === "unreadable" || says(side, record, said.get(key)) ? [] : [key];
    });
    if (other.length === 0) return found;
    const again = await readKeysTwice(work, side, other);
    const gone = new Set(other.filter((key) => !again.has(key)));
    return new Map([...found, ...again].filter(([key]) => !gone.has(key)));
  } catch (error) {
    if (work.signal.aborted || !(error instanceof SyncError)) throw error;
    return undefined;
  }
}

/** The side's linked records that the observation told nothing of, with what they said last. */
function unstaged(
  side: SideContext,
  candidates: readonly MergeCandidate[],
): ReadonlyMap<RecordKey, Values> {
  const said = new Map<RecordKey, Values>();
  for (const { stored, staged } of candidates) {
    const own = stored?.sides[side.name];
    if (own === undefined || staged.some((record) => record.side === side.name)) continue;
    said.set(own.key, own.acknowledged.returned);
  }
  return said;
}

function says(side: SideContext, { values }: StreamRecord, said: Values = []): boolean {
  const { values: now } = side.mapping.toShared(values);
  return now.every((value, index) => valuesEqual(value, said[index]));
}

function knownOf(
  context: ReconcileContext,
  { name }: SideContext,
  { stored }: MergeCandidate,
): StoredSide | undefined {
  const own = stored?.sides[name];
  return own && { ...own, acknowledged: asToldNow(context, name, own.acknowledged) };
}

/** `isSeen`: the side was just listed whole, so that what is not staged stood in that listing. */
function viewOf(
  side: SideContext,
  { own, staged }: Pick<MergeCandidate, "staged"> & { readonly own: StoredSide | undefined },
  fresh: FreshRecords | undefined,
  heard: Heard,
  isSeen: boolean,
): SideView {
  const { name } = side;
  if (fresh === undefined) return view(side, "unknown", own);
  const mine = staged.filter((record) => record.side === name);
  const present = mine.find(({ state }) => state === "present");
  if (present !== undefined) return presentView(side, stagedRecord(present), own, heard);
  if (mine.some(({ state }) => state === "unknown")) return view(side, "unknown", own);
  if (own === undefined) return view(side, "never");
  if (mine.length > 0) return view(side, "gone", own);
  const record = fresh.get(own.key);
  // Where two readings contradict each other the next listing tells which one was old.
  if (record === undefined) return view(side, isSeen ? "unknown" : "gone", own);
  if (record === "unreadable") return view(side, "unknown", own);
  return presentView(side, record, own, heard);
}

function view(
  side: SideContext,
  presence: "unknown" | "never" | "gone",
  own?: StoredSide,
): SideView {
  return {
    side: side.name,
    presence,
    values: [],
    ...(own === undefined ? {} : { acknowledged: own.acknowledged }),
  };
}

function presentView(
  side: SideContext,
  record: StreamRecord,
  own: StoredSide | undefined,
  { records, troubles }: Heard,
): SideView {
  const { values, problems } = side.mapping.toShared(record.values);
  const { digest: _, ...unread } = record;
  // A digest stands for values that were all taken in.
  records.set(side.name, problems.length === 0 ? record : unread);
  for (const { message } of problems) troubles.push(`${side.name}: ${message}`);
  const { modifiedAt } = record;
  return {
    side: side.name,
    presence: "present",
    values,
    ...(modifiedAt === undefined ? {} : { modifiedAt: addMs(modifiedAt, -side.clockOffsetMs) }),
    ...(own === undefined ? {} : { acknowledged: own.acknowledged }),
  };
}

function stagedRecord({ key, values, modifiedAt, version, digest }: StagedRecord): StreamRecord {
  return {
    key,
    values,
    ...(modifiedAt === undefined ? {} : { modifiedAt }),
    ...(version === undefined ? {} : { version }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The rules for a record of which a person is asked whether it lives. */
function asking(rules: MergeRules): MergeRules {
  return { ...rules, deletes: { ...rules.deletes, isAsked: true } };
}

/** The rules for one record, with what a person decided about it put first. */
function withDecisions(rules: MergeRules, decided: readonly OpenConflict[]): MergeRules {
  if (decided.length === 0) return rules;
  const life = decided.find(({ field }) => field === undefined);
  const deletes = life === undefined ? rules.deletes : { ...rules.deletes, ...lifeDecision(life) };
  const policies = rules.policies.map((chain, index) => {
    const about = decided.find(({ field }) => field === rules.fields[index]?.name);
    return about === undefined ? chain : [decision(about), ...chain];
  });
  return { ...rules, deletes, policies };
}

function lifeDecision({ resolution, candidates: shown }: OpenConflict): {
  readonly decided?: LifeDecision;
} {
  if (resolution === undefined) return {};
  const { by, at, deletes = false } = resolution;
  return { decided: { deletes, by, at, shown } };
}

/** A decision holds for the values that were shown when it was made, not for later ones. */
function decision({ resolution, candidates: shown }: OpenConflict): PolicyChain[number] {
  const name = `decided by ${resolution?.by ?? "a person"}`;
  return {
    name,
    decide: (conflict) => {
      const { candidates } = conflict;
      if (resolution === undefined) return undefined;
      if (saidText(candidates) !== saidText(shown)) return undefined;
      const taken = candidates.find(({ side }) => side === resolution.take);
      if (taken !== undefined) {
        return {
          kind: "value",
          value: taken.value,
          from: taken.side,
          why: `${name}: take ${taken.side}`,
        };
      }
      if (resolution.merge === true) {
        const merged = mergeValues.decide(conflict);
        return merged?.kind === "value" ? { ...merged, why: `${name}: ${merged.why}` } : merged;
      }
      if (resolution.value === undefined) return undefined;
      return { kind: "value", value: resolution.value, why: `${name}: a value of their own` };
    },
  };
}
