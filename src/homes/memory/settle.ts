import type { LinkId, OpenConflict } from "../../model/plan.ts";
import { acknowledgedToText, valuesToText } from "../../model/stored-plan.ts";
import type { SettledRecord, Settlement } from "../../ports/agreements.ts";
import type { AgreementState } from "./agreement-state.ts";
import { joined, stored } from "./state.ts";

/** Makes a settlement; the caller has checked the fence. Nothing in it can fail half-way. */
export function settle(state: AgreementState, settlement: Settlement): void {
  const { lease, plan, runId, at, records, completes } = settlement;
  for (const record of records) settleOne(state, settlement, record);
  const kept = state.plans.get(plan);
  if (kept !== undefined && !kept.runs.includes(runId)) kept.runs.push(runId);
  if (!completes) return;
  if (kept !== undefined) kept.applied = true;
  state.generations.set(lease.sync, (state.generations.get(lease.sync) ?? 0) + 1);
  void at;
}

function settleOne(
  state: AgreementState,
  { lease: { sync }, plan, runId, at }: Settlement,
  record: SettledRecord,
): void {
  for (const side of record.unlinked) bury(state, sync, record.link, side, at);
  const id = joined(sync, String(record.link));
  if (record.ends) {
    for (const kept of sidesOf(state, sync, record.link))
      bury(state, sync, record.link, kept.side, at);
    state.links.delete(id);
  } else {
    const { link, name, behind } = record;
    state.links.set(id, { sync, link, name, behind, agreed: valuesToText(record.agreed) });
  }
  for (const { side, key, acknowledged, hash, version } of record.ends ? [] : record.sides) {
    for (const kept of sidesOf(state, sync, record.link)) {
      if (kept.side === side) state.sides.delete(joined(sync, side, kept.key));
    }
    state.buried.delete(joined(sync, side, key));
    state.nextRow += 1;
    state.sides.set(joined(sync, side, key), {
      sync,
      side,
      key,
      link: record.link,
      row: state.nextRow,
      hash,
      acknowledged: acknowledgedToText(acknowledged),
      ...(version === undefined ? {} : { version }),
    });
  }
  for (const { id: operation, ...end } of record.operations) {
    const before = state.operations.get(operation);
    if (before !== undefined) {
      state.operations.set(operation, stored({ ...before, ...end, runId, at }));
    }
  }
  settleQuestions(state, sync, record, runId, at);
  const planned = state.planned.get(joined(plan, String(record.link)));
  if (planned !== undefined) {
    state.order += 1;
    planned.settled = { runId, at, order: state.order };
  }
}

function sidesOf(state: AgreementState, sync: string, link: LinkId) {
  return [...state.sides.values()].filter((kept) => kept.sync === sync && kept.link === link);
}

function bury(state: AgreementState, sync: string, link: LinkId, side: string, at: number): void {
  for (const kept of sidesOf(state, sync, link)) {
    if (kept.side !== side) continue;
    const id = joined(sync, side, kept.key);
    state.sides.delete(id);
    const { key, hash } = kept;
    state.buried.set(id, { sync, side, key, link, hash, buriedAt: at });
  }
}

/** Questions that stand stay as they are; others open; what is not asked any more is closed. */
function settleQuestions(
  state: AgreementState,
  sync: string,
  { link, name, questions }: SettledRecord,
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
  for (const question of questions) {
    const standing = before.find(({ field }) => field === question.field);
    const asked = JSON.stringify([question.base ?? null, question.candidates]);
    const isSame =
      standing !== undefined &&
      JSON.stringify([standing.base ?? null, standing.candidates]) === asked;
    if (isSame && standing.resolution === undefined) continue;
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
