import type { LinkId, OpenConflict } from "../../model/plan.ts";
import { acknowledgedToText, valuesToText } from "../../model/stored-plan.ts";
import type { SettledRecord, Settlement } from "../../ports/settlement.ts";
import type { AgreementState, KeptSide } from "./agreement-state.ts";
import { joined, stored } from "./state.ts";

/** Makes a settlement; the caller has checked the fence. Nothing in it can fail half-way. */
export function settle(state: AgreementState, settlement: Settlement): void {
  const { lease, plan, runId, records, completes } = settlement;
  for (const record of records) settleOne(state, settlement, record);
  for (const { side, key } of records.flatMap((record) => (isGone(record) ? [] : record.sides))) {
    state.buried.delete(joined(lease.sync, side, key));
  }
  const kept = state.plans.get(plan);
  if (kept !== undefined && !kept.runs.includes(runId)) kept.runs.push(runId);
  if (!completes) return;
  if (kept !== undefined) kept.applied = true;
  state.generations.set(lease.sync, (state.generations.get(lease.sync) ?? 0) + 1);
}

function settleOne(state: AgreementState, settlement: Settlement, record: SettledRecord): void {
  const { lease, plan, runId, at, plannedAt = at } = settlement;
  const { sync } = lease;
  const { link, name } = record;
  for (const { side, hash } of record.unlinked) {
    bury(state, sync, link, side, plannedAt, hash === undefined ? undefined : { hash, name });
  }
  if (record.ends) {
    for (const { side } of sidesOf(state, sync, link)) bury(state, sync, link, side, plannedAt);
  }
  if (isGone(record)) forget(state, sync, link);
  else keep(state, sync, record, plannedAt);
  for (const { id, ...end } of record.operations) {
    const before = state.operations.get(id);
    if (before !== undefined) state.operations.set(id, stored({ ...before, ...end, runId, at }));
  }
  const { questions } = record;
  if (questions !== undefined) settleQuestions(state, sync, { link, name, questions }, runId, at);
  const planned = state.planned.get(joined(plan, String(link)));
  // An end that is known late is no new decision.
  if (planned !== undefined && planned.settled === undefined) {
    state.order += 1;
    planned.settled = { runId, at, order: state.order };
  }
}

function forget(state: AgreementState, sync: string, link: LinkId): void {
  for (const { side, key } of sidesOf(state, sync, link)) {
    state.sides.delete(joined(sync, side, key));
  }
  state.links.delete(joined(sync, String(link)));
}

function keep(state: AgreementState, sync: string, record: SettledRecord, at: number): void {
  const { link, name, behind } = record;
  const agreed = valuesToText(record.agreed);
  state.links.set(joined(sync, String(link)), { sync, link, name, behind, agreed });
  for (const kept of sidesOf(state, sync, link)) {
    state.sides.set(joined(sync, kept.side, kept.key), { ...kept, agrees: false });
  }
  for (const { side, key, acknowledged, hash, version, digest, agrees } of record.sides) {
    for (const kept of sidesOf(state, sync, link)) {
      if (kept.side !== side) continue;
      if (kept.key !== key) bury(state, sync, link, side, at);
      state.sides.delete(joined(sync, side, kept.key));
    }
    state.nextRow += 1;
    state.sides.set(joined(sync, side, key), {
      sync,
      side,
      key,
      link,
      row: state.nextRow,
      hash,
      acknowledged: acknowledgedToText(acknowledged),
      ...(version === undefined ? {} : { version }),
      ...(digest === undefined ? {} : { digest }),
      agrees: agrees === true,
    });
  }
}

function isGone({ ends, forgets }: SettledRecord): boolean {
  return ends || forgets === true;
}

function sidesOf(state: AgreementState, sync: string, link: LinkId): readonly KeptSide[] {
  return [...state.sides.values()].filter((kept) => kept.sync === sync && kept.link === link);
}

function bury(
  state: AgreementState,
  sync: string,
  link: LinkId,
  side: string,
  at: number,
  standing?: { readonly hash: string; readonly name: string },
): void {
  for (const kept of sidesOf(state, sync, link)) {
    if (kept.side !== side) continue;
    const id = joined(sync, side, kept.key);
    state.sides.delete(id);
    const { key } = kept;
    const { hash } = kept;
    state.buried.set(id, { sync, side, key, link, hash, buriedAt: at, ...standing });
  }
}

/**
 * Questions that stand stay as they are; others open; what is not asked any more is closed. One
 * that stands and that somebody decided since the plan was made is not touched.
 */
function settleQuestions(
  state: AgreementState,
  sync: string,
  { link, name, questions }: Required<Pick<SettledRecord, "link" | "name" | "questions">>,
  runId: string,
  at: number,
): void {
  const before = [...state.conflicts.values()].filter(
    (conflict) => conflict.sync === sync && conflict.link === link,
  );
  for (const conflict of before) {
    if (!questions.some(({ field }) => field === conflict.field))
      state.conflicts.delete(conflict.id);
  }
  for (const { inSpiteOf, ...question } of questions) {
    const standing = before.find(({ field }) => field === question.field);
    const asked = JSON.stringify([question.base ?? null, question.candidates]);
    const isSame =
      standing !== undefined &&
      JSON.stringify([standing.base ?? null, standing.candidates]) === asked;
    const decided = standing?.resolution;
    const isStanding =
      decided === undefined ? isSame : JSON.stringify(decided) !== JSON.stringify(inSpiteOf);
    if (isStanding) continue;
    const id = standing?.id ?? state.nextConflict++;
    const conflict: OpenConflict = stored({
      id,
      sync,
      link,
      name,
      ...question,
      openedAt: standing?.openedAt ?? at,
      runId,
    });
    state.conflicts.set(id, conflict);
  }
}
