import type {
  JournaledOperation,
  LinkId,
  Operation,
  PlanHead,
  PlannedRecord,
} from "../../model/plan.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { StoredLink } from "../../ports/agreements.ts";
import { acknowledgedBefore, agreedBefore, wasMoved } from "./agreed-before.ts";
import type { ReconcileContext, ReconcileWork } from "./context.ts";
import { refuseUnknownRun } from "./known-run.ts";
import { DECISIONS_AT_MOST, livesElsewhere } from "./lives-elsewhere.ts";
import { matchName, nameOf } from "./names.ts";
import { storedSides } from "./plan-record.ts";
import { recordsAtOnce } from "./records-at-once.ts";
import { inverse, markedAgain, unlinkedSides } from "./undo-operations.ts";

const JOURNAL_AT_ONCE = 1000;

/**
 * A plan that puts back what a run wrote, on every side, and what was agreed before it: so that
 * the next plan shows the same differences again. Each write expects what the run left there; a
 * value that was edited since is not touched but reported. Throws USAGE for an unknown run, and
 * one that wrote nothing.
 */
export async function makeUndoPlan(work: ReconcileWork, runId: string): Promise<PlanHead> {
  const { context } = work;
  const { home, sync, clock } = context;
  const written = await writtenBy(context, runId);
  if (written.size === 0) {
    await refuseUnknownRun(home, sync, runId);
    throw new SyncError(
      "USAGE",
      `The run "${runId}" of "${sync}" wrote nothing that could be undone.`,
      {
        hint: `Run \`lockstep history ${sync}\` to see what was written, and by which run.`,
      },
    );
  }
  await home.dropPlans(work.lease());
  const plan = context.random.id();
  const sides = Object.fromEntries(
    context.sides.map(({ name }) => [name, { creates: 0, updates: 0, deletes: 0 }]),
  );
  const links = [...written.keys()].sort((a, b) => a - b);
  const atOnce = recordsAtOnce(context);
  for (let at = 0; at < links.length; at += atOnce) {
    const records: PlannedRecord[] = [];
    for (const link of links.slice(at, at + atOnce)) {
      const record = await undoRecord(context, plan, runId, link, written.get(link) ?? []);
      if (record !== undefined) records.push(record);
    }
    for (const { side, kind } of records.flatMap(({ operations }) => operations)) {
      const counts = sides[side];
      if (counts !== undefined) counts[`${kind}s`] += 1;
    }
    await home.savePlanned(work.lease(), plan, records);
  }
  const head: PlanHead = {
    format: 1,
    plan,
    sync,
    madeAt: clock.now(),
    fields: context.rules.fields.map(({ name }) => name),
    basis: { configuration: context.configuration, generation: await home.generation(sync) },
    sides,
    observed: {},
    records: { compared: links.length, matched: 0, alone: 0, inReview: 0 },
    positions: {},
    undoes: runId,
    notes: [],
  };
  await home.savePlan(work.lease(), head);
  return head;
}

/**
 * True when a side has the record that neither had it at the first meeting nor got it from that.
 */
function hasJoined(
  { acknowledged }: PlannedRecord,
  written: readonly JournaledOperation[],
  stored: StoredLink | undefined,
): boolean {
  return Object.keys(stored?.sides ?? {}).some((name) =>
    [...acknowledged, ...written].every(({ side }) => side !== name),
  );
}

/**
 * What the record is called now, as the run left it and as it would be made again: by what records are
 * matched may be other fields, or these may be compared in another way.
 */
function namesNow(
  context: ReconcileContext,
  { agreed }: PlannedRecord,
  inverted: readonly Operation[],
): readonly string[] {
  const made = inverted.map(({ side, kind, fields }) => {
    const own = context.sides.find(({ name }) => name === side);
    if (own === undefined || kind !== "create") return undefined;
    const after = new Map(fields.map((planned) => [planned.field, planned.after]));
    return nameOf(
      context,
      own,
      own.schema.fields.map((field) => after.get(field.name)),
    );
  });
  return [matchName(context.rules, context.match, agreed), ...made].filter(
    (name) => name !== undefined,
  );
}

async function writtenBy(
  { home, sync }: ReconcileContext,
  runId: string,
): Promise<ReadonlyMap<LinkId, readonly JournaledOperation[]>> {
  const byLink = new Map<LinkId, JournaledOperation[]>();
  let after: { readonly at: number; readonly id: string } | undefined;
  for (;;) {
    const batch: readonly JournaledOperation[] = await home.journal({
      sync,
      runId,
      states: ["written"],
      oldestFirst: true,
      limit: JOURNAL_AT_ONCE,
      ...(after === undefined ? {} : { after }),
    });
    for (const operation of batch) {
      byLink.set(operation.link, [...(byLink.get(operation.link) ?? []), operation]);
    }
    const last = batch.at(-1);
    if (last === undefined || batch.length < JOURNAL_AT_ONCE) return byLink;
    after = { at: last.at, id: last.id };
  }
}

async function undoRecord(
  context: ReconcileContext,
  plan: string,
  runId: string,
  link: LinkId,
  written: readonly JournaledOperation[],
): Promise<PlannedRecord | undefined> {
  const { home, sync } = context;
  const decisions = await home.decisions(sync, link, DECISIONS_AT_MOST);
  const undone = decisions.find((one) => one.runId === runId);
  if (undone === undefined) return undefined;
  const { record: decision, at } = undone;
  const [stored] = await home.links(sync, [link]);
  const inverted = written.map((operation) => inverse(context, plan, operation));
  // What a later run made on another side is that run's: the others go on with what is agreed,
  // unless the first meeting had to overwrite something, about which the sides are strangers again.
  const isPlain = written.every(({ kind }) => kind === "create");
  const isShared = decision.isNew && isPlain && hasJoined(decision, written, stored);
  const moved = context.rules.fields.map(
    (_, index) => !isShared && wasMoved(context, decision, stored, index),
  );
  const agreed = agreedBefore(context, decision, stored, moved);
  const name = matchName(context.rules, context.match, agreed) ?? decision.name;
  // What lives on under another link, or has a record there again, would be made a second time.
  const names = [name, ...namesNow(context, decision, inverted)];
  const isMetAgain = await livesElsewhere(context, link, names, decision, { runId, at });
  const operations = inverted.filter(
    ({ kind, side }) => kind !== "create" || !(isMetAgain || stored?.sides[side] !== undefined),
  );
  if (stored === undefined && isMetAgain) return undefined;
  // What a later undo made strangers again stay so, whatever is put back on each of them.
  const later = decisions.slice(0, decisions.indexOf(undone));
  const isForgotten = stored === undefined && later.some(({ record }) => record.forgets === true);
  const forgets = (decision.isNew && !isShared) || isForgotten;
  return {
    link,
    isNew: false,
    name,
    ...(stored === undefined ? {} : { before: stored.agreed, beforeSides: storedSides(stored) }),
    agreed,
    record: { kind: "undone", runId },
    reasons: agreed.map(() => ({ kind: "agreed" })),
    operations,
    // Of a first meeting nothing was acknowledged before; this stays where it cannot be undone whole.
    acknowledged: decision.isNew
      ? storedSides(stored)
      : acknowledgedBefore(context, decision, stored, moved, operations),
    unlinked: [
      ...unlinkedSides(written, stored),
      ...(forgets ? markedAgain(context, operations) : []),
    ],
    ends: false,
    ...(forgets ? { forgets: true } : {}),
    // What is put back differs again from what others have: the next plan looks at it.
    behind: true,
    troubles:
      operations.length < inverted.length
        ? ["It was made anew since, and is not put back a second time."]
        : [],
  };
}
