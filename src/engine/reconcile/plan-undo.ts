import { sameValue } from "../../core/same-value.ts";
import type {
  AcknowledgedSide,
  JournaledOperation,
  LinkId,
  Operation,
  PlanHead,
  PlannedField,
  PlannedRecord,
} from "../../model/plan.ts";
import type { Acknowledged } from "../../model/reconcile.ts";
import type { Values } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import type { StoredLink } from "../../ports/agreements.ts";
import type { ReconcileContext, ReconcileWork } from "./context.ts";

const JOURNAL_AT_ONCE = 1000;
const DECISIONS_AT_MOST = 1000;

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
  for (const link of links) {
    const record = await undoRecord(context, plan, runId, link, written.get(link) ?? []);
    if (record === undefined) continue;
    for (const { side, kind } of record.operations) {
      const counts = sides[side];
      if (counts !== undefined) counts[`${kind}s`] += 1;
    }
    await home.savePlanned(work.lease(), plan, [record]);
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
  // What lives on under another link would be made a second time.
  const named = await home.findLinks(sync, { name: decision.name });
  const others = named.filter((other) => other.link !== link);
  const isMetAgain = await isMetSince(context, others, { runId, at });
  const operations = inverted.filter(({ kind }) => kind !== "create" || !isMetAgain);
  if (stored === undefined && isMetAgain) return undefined;
  const moved = decision.agreed.map((_, index) => wasMoved(context, decision, stored, index));
  const agreed = agreedBefore(decision, stored, moved);
  const forgets = decision.isNew;
  return {
    link,
    isNew: false,
    name: decision.name,
    ...(stored === undefined ? {} : { before: stored.agreed }),
    agreed,
    record: { kind: "undone", runId },
    reasons: agreed.map(() => ({ kind: "agreed" })),
    operations,
    acknowledged: decision.isNew ? asNow(stored) : acknowledgedBefore(decision, stored, moved),
    unlinked: unlinkedSides(written, stored),
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

/** True when one of the links was met after that run; one of the same name may be older. */
async function isMetSince(
  { home, sync }: ReconcileContext,
  links: readonly StoredLink[],
  run: { readonly runId: string; readonly at: number },
): Promise<boolean> {
  for (const { link } of links) {
    const first = (await home.decisions(sync, link, DECISIONS_AT_MOST)).at(-1);
    if (first === undefined || (first.runId !== run.runId && first.at >= run.at)) return true;
  }
  return false;
}

/** Sides with the very record that the run made; one made since, under another key, stays. */
function unlinkedSides(
  written: readonly JournaledOperation[],
  stored: StoredLink | undefined,
): readonly string[] {
  return written.flatMap(({ kind, side, key, storedKey }) => {
    const now = stored?.sides[side]?.key;
    return kind === "create" && now !== undefined && now === (storedKey ?? key) ? [side] : [];
  });
}

/** True when the run changed what is agreed of the field, and no later run did. */
function wasMoved(
  { rules }: ReconcileContext,
  decision: PlannedRecord,
  stored: StoredLink | undefined,
  index: number,
): boolean {
  const field = rules.fields[index];
  const after = decision.agreed[index];
  const now = stored === undefined ? after : stored.agreed[index];
  if (field === undefined || after === undefined || now === undefined) return false;
  return sameValue(field, after, now);
}

function agreedBefore(
  decision: PlannedRecord,
  stored: StoredLink | undefined,
  moved: readonly boolean[],
): Values {
  return decision.agreed.map((after, index) =>
    moved[index] === true ? decision.before?.[index] : (stored?.agreed[index] ?? after),
  );
}

/** Of a first meeting nothing was acknowledged before; this stays where it cannot be undone whole. */
function asNow(stored: StoredLink | undefined): readonly AcknowledgedSide[] {
  return Object.entries(stored?.sides ?? {}).map(([side, own]) => ({ side, ...own }));
}

/** What each side had acknowledged of the moved fields; of the others, what it has since. */
function acknowledgedBefore(
  decision: PlannedRecord,
  stored: StoredLink | undefined,
  moved: readonly boolean[],
): readonly AcknowledgedSide[] {
  const known = (decision.beforeSides ?? []).map(({ side }) => side);
  const joined = asNow(stored)
    .filter(({ side }) => !known.includes(side))
    .map((own) => ({ ...own, acknowledged: blank(own.acknowledged, moved) }));
  const before = (decision.beforeSides ?? []).map(({ side, key, acknowledged, version }) => {
    const now = stored?.sides[side];
    const mix = (part: "returned" | "stoodFor"): Values =>
      acknowledged[part].map((before, index) =>
        moved[index] === true || now === undefined ? before : now.acknowledged[part][index],
      );
    return {
      side,
      key: now?.key ?? key,
      acknowledged: { ...acknowledged, returned: mix("returned"), stoodFor: mix("stoodFor") },
      ...(version === undefined ? {} : { version }),
    };
  });
  return [...before, ...joined];
}

/** A side that joined with the run had not been heard before it. */
function blank(acknowledged: Acknowledged, moved: readonly boolean[]): Acknowledged {
  const unheard = (values: Values): Values =>
    values.map((value, index) => (moved[index] === true ? undefined : value));
  return {
    ...acknowledged,
    returned: unheard(acknowledged.returned),
    stoodFor: unheard(acknowledged.stoodFor),
  };
}

function valuesLeft({ fields }: JournaledOperation): Readonly<Record<string, Value>> {
  return Object.fromEntries(fields.map(({ field, after }) => [field, after]));
}

/** The operation that takes another back: it expects what the other left. */
function inverse(context: ReconcileContext, plan: string, done: JournaledOperation): Operation {
  const id = `${plan}:${done.link}:${done.side}`;
  const { side } = done;
  const key = done.storedKey ?? done.key;
  const left = (field: PlannedField): PlannedField["after"] =>
    done.stored?.[field.field] ?? field.after;
  switch (done.kind) {
    case "create":
      return {
        id,
        side,
        kind: "delete",
        ...(key === undefined ? {} : { key }),
        fields: Object.entries({ ...valuesLeft(done), ...done.stored }).map(([field, before]) => ({
          field,
          before,
          after: null,
        })),
      };
    case "update":
      return {
        id,
        side,
        kind: "update",
        ...(key === undefined ? {} : { key }),
        fields: done.fields.map((field) => ({
          field: field.field,
          before: left(field),
          after: field.before ?? null,
          ...(field.shared === undefined ? {} : { shared: field.shared }),
        })),
      };
    case "delete": {
      const schema = context.sides.find(({ name }) => name === side)?.schema;
      const assigned = schema?.traits.write?.assignsKeys === true;
      const fields = done.fields
        .filter(({ field }) => !assigned || schema?.key.includes(field) !== true)
        .map((field) => ({ field: field.field, after: field.before ?? null }));
      const own = assigned || key === undefined ? {} : { key };
      return { id, side, kind: "create", ...own, fields };
    }
  }
}
