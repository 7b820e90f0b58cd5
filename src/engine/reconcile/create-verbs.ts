import type { ReconcileSpec } from "../../core/mapping/reconcile-spec.ts";
import type { EmitEvent } from "../../model/events.ts";
import type { LinkId, PlanHead, PlannedRecord } from "../../model/plan.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Connector } from "../../ports/connector.ts";
import type { LockstepParts, ReconcilePart } from "../lockstep-parts.ts";
import { answerConflicts, findConflicts, type MeantNames } from "./answer-conflicts.ts";
import type { ReconcileContext } from "./context.ts";
import { describeSync } from "./describe-sync.ts";
import { explainRecord, findRecord } from "./explain-value.ts";
import { type JudgedPlan, NOTHING_PLANNED, standingHalts } from "./guard-plan.ts";
import { importPlan } from "./import-plan.ts";
import { forgetRule, keepRule, keptRules, withRules } from "./kept-rules.ts";
import { refuseUnknownRun } from "./known-run.ts";
import { matchedFields, meantNames } from "./names.ts";
import { type OpeningParts, openReconcile } from "./open-reconcile.ts";
import {
  applyReconcile,
  planReconcile,
  planUndo,
  runReconcile,
  underLease,
} from "./run-reconcile.ts";
import type {
  LookRequest,
  PlanHalt,
  ReconcilePlan,
  ReconcileVerbs,
  ReconcileWatch,
} from "./verbs.ts";
import { verifySides } from "./verify-sides.ts";

const RECORDS_AT_ONCE = 1000;

const LOST: ReadonlySet<string> = new Set(["GUARD_LOST_KEY", "GUARD_LOST_FIELD"]);

/** The verbs of syncs of sides, on parts that are opened already. */
export function createReconcileVerbs(parts: LockstepParts): ReconcileVerbs {
  const { home, reconciles } = parts;
  const within = <T>(
    sync: string,
    watch: ReconcileWatch,
    act: (context: ReconcileContext, part: ReconcilePart) => Promise<T>,
    goesOnWithout = false,
  ): Promise<T> => {
    const part = named(reconciles, sync);
    return withSync({ ...parts, goesOnWithout }, part, watch, (context) => act(context, part));
  };
  const withThoseThere: typeof within = (sync, watch, act) => within(sync, watch, act, true);
  const meant = meantIn(reconciles);
  const planOf = async (context: ReconcileContext, head: PlanHead): Promise<ReconcilePlan> => ({
    head,
    ambiguous: await home.ambiguous(head.plan),
    halts: await haltsOf(context, head),
    records: () => plannedRecords(parts, head.plan),
  });
  return {
    syncs: reconciles.map(({ spec }) => infoOf(spec)),
    plan: (sync, watch, request) =>
      withThoseThere(sync, watch, async (context) => {
        const { head } = await planReconcile(looking(context, request), watch.signal);
        return planOf(context, head);
      }),
    describe: (sync, watch) =>
      within(sync, watch, async (context, { spec }) => describeSync(spec, context)),
    kept: (sync) => home.newestPlan(named(reconciles, sync).spec.name),
    apply: (sync, plan, watch) =>
      withThoseThere(sync, watch, async (context) => {
        return applyReconcile(context, await keptPlan(home, sync, plan), watch.signal);
      }),
    importPlan: (sync, head, records, watch) =>
      within(sync, watch, (context) => importPlan(context, head, records, watch.signal)),
    run: (sync, watch, request) =>
      withThoseThere(sync, watch, (context) =>
        runReconcile(looking(context, request), watch.signal),
      ),
    planUndo: (sync, runId, watch) =>
      within(sync, watch, async (context) =>
        planOf(context, await planUndo(context, runId, watch.signal)),
      ),
    explain: (sync, record, field, watch) =>
      within(sync, watch, (context) => explainRecord(context, record, field)),
    verify: (sync, request, watch) =>
      within(sync, watch, (context) =>
        underLease(context, watch.signal, async (work) => {
          const verified = await verifySides(work, request);
          const halts = await haltsOf(context, NOTHING_PLANNED);
          // What a side does not have any more cannot be compared there.
          const isWhole = !halts.some(({ code }) => LOST.has(code));
          return { ...verified, isEqual: verified.isEqual && isWhole, halts };
        }),
      ),
    history: async (sync, { record, runId, limit }) => {
      const { spec } = named(reconciles, sync);
      const sides = spec.sides.map(({ name }) => ({ name }));
      const matched = matchedFields(spec);
      const link =
        record === undefined ? undefined : await findRecord({ home, sync, sides, matched }, record);
      const writes = await home.journal({
        sync,
        limit,
        ...(link === undefined ? {} : { link: link.link }),
        ...(runId === undefined ? {} : { runId }),
      });
      if (writes.length === 0 && runId !== undefined) await refuseUnknownRun(home, sync, runId);
      return writes;
    },
    conflicts: (filter) => findConflicts(home, filter, meant),
    resolve: (filter, answer, by) => answerConflicts({ ...parts, meant }, filter, answer, by),
    rules: (sync) => keptRules(home, sync),
    addRule: (rule) => keepRule(home, { ...rule, at: parts.clock.now() }),
    forgetRule: (id, by) => forgetRule(home, id, by, parts.clock.now()),
  };
}

/** What a person may mean by a record's name, in each sync. */
function meantIn(reconciles: readonly ReconcilePart[]): MeantNames {
  return (sync, name) => {
    const part = reconciles.find(({ spec }) => spec.name === sync);
    return part === undefined ? [name] : meantNames(matchedFields(part.spec), name);
  };
}

/** The plan of that id, else the one that waits. Throws PLAN_UNKNOWN. */
async function keptPlan(
  home: LockstepParts["home"],
  sync: string,
  plan: string | undefined,
): Promise<PlanHead> {
  const head = plan === undefined ? await home.newestPlan(sync) : await home.plan(plan);
  if (head !== undefined && head.sync === sync) return head;
  const which = plan === undefined ? "no plan that waits" : `no plan "${plan}"`;
  throw new SyncError("PLAN_UNKNOWN", `There is ${which} for "${sync}".`, {
    hint: `Make one: lockstep plan ${sync}`,
  });
}

/** `full`: every side whole, and what was refused before once more. */
function looking(context: ReconcileContext, { full = false }: LookRequest = {}): ReconcileContext {
  return { ...context, isFull: full, triesParked: full };
}

function named(reconciles: readonly ReconcilePart[], sync: string): ReconcilePart {
  const found = reconciles.find(({ spec }) => spec.name === sync);
  if (found !== undefined) return found;
  const known = reconciles.map(({ spec }) => spec.name).join(", ") || "none";
  throw new SyncError("USAGE", `There is no sync of sides "${sync}"; configured: ${known}.`);
}

/** Why a run would stop before it wrote anything of this plan. */
async function haltsOf(context: ReconcileContext, head: JudgedPlan): Promise<readonly PlanHalt[]> {
  const { undone, standing } = await standingHalts(context, head);
  const found = standing.map(({ id, code, side, message, release }): PlanHalt => {
    const halt = { code, side, message, release };
    return id === undefined
      ? halt
      : { id, ...halt, release: release.replace(/\bID\b/, String(id)) };
  });
  if (undone === undefined) return found;
  const { id, code, message } = undone;
  const release = `If runs may go on: lockstep release ${id} --by YOUR-NAME`;
  return [{ id, code, side: "", message, release }, ...found];
}

function infoOf(spec: ReconcileSpec): ReconcileVerbs["syncs"][number] {
  return {
    name: spec.name,
    match: spec.match,
    sides: spec.sides.map(({ name: side, system, stream, direction }) => ({
      side,
      system,
      stream,
      direction,
    })),
  };
}

/** Connects the sync's sides, and acts on them while `watch` hears of their waits, too. */
async function withSync<T>(
  parts: LockstepParts & Pick<OpeningParts, "goesOnWithout">,
  { spec, systems }: ReconcilePart,
  watch: ReconcileWatch,
  act: (context: ReconcileContext) => Promise<T>,
): Promise<T> {
  const { home, clock, random, owner, goesOnWithout = false } = parts;
  const emit = watch.emit ?? (() => {});
  const connectors = new Map<string, Connector>();
  const watched = new Map<string, () => void>();
  try {
    for (const side of spec.sides) {
      const system = systems.get(side.system);
      if (system === undefined) throw new SyncError("INTERNAL", `No system "${side.system}".`);
      const connected = await system.connect();
      connectors.set(side.name, connected.connector);
      if (!watched.has(system.name)) {
        watched.set(system.name, connected.onWait(waitsOf(system.name, emit)));
      }
    }
    const opening = { home, clock, random, owner, emit, connectors, goesOnWithout };
    const context = await openReconcile(spec, opening, watch.signal);
    return await act(withRules(context, await keptRules(home, spec.name)));
  } finally {
    for (const forget of watched.values()) forget();
  }
}

/** What a system waits for, as part of what the sync tells. */
function waitsOf(system: string, emit: ReconcileContext["emit"]): EmitEvent {
  return (event) => {
    if (event.kind !== "wait") return;
    const { kind, at, reason, untilMs, attempt } = event;
    emit({ kind, at, system, reason, untilMs, attempt });
  };
}

/** All records of a plan that are not settled yet, in batches from the home. */
async function* plannedRecords(
  { home }: LockstepParts,
  plan: string,
): AsyncIterable<PlannedRecord> {
  let after: LinkId = 0;
  for (;;) {
    const records = await home.planned(plan, after, RECORDS_AT_ONCE);
    const last = records.at(-1);
    if (last === undefined) return;
    after = last.link;
    yield* records;
  }
}
