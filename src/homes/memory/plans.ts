import type { JournaledOperation, OpenConflict } from "../../model/plan.ts";
import { plannedFromText, plannedToText } from "../../model/stored-plan.ts";
import type { Conflicts, Journal, Plans } from "../../ports/agreements.ts";
import type { AgreementState, KeptPlanned } from "./agreement-state.ts";
import { checkFence } from "./commit.ts";
import { settle } from "./settle.ts";
import { joined, type MemoryHomeState, stored } from "./state.ts";

export function createPlans(state: AgreementState, home: MemoryHomeState): Plans {
  const plannedOf = (plan: string): readonly KeptPlanned[] =>
    [...state.planned.values()]
      .filter((kept) => kept.plan === plan)
      .sort((a, b) => a.link - b.link);
  return {
    savePlan: async (lease, head) => {
      checkFence(home, lease);
      state.plans.set(head.plan, { head: stored(head), applied: false, runs: [] });
    },
    savePlanned: async (lease, plan, records) => {
      checkFence(home, lease);
      const { sync } = lease;
      for (const record of records) {
        const { link } = record;
        const kept = { sync, plan, link, text: plannedToText(record) };
        state.planned.set(joined(plan, String(link)), kept);
      }
    },
    plan: async (plan) => state.plans.get(plan)?.head,
    newestPlan: async (sync) =>
      [...state.plans.values()]
        .filter(({ head, applied }) => head.sync === sync && !applied)
        .sort((a, b) => b.head.madeAt - a.head.madeAt)[0]?.head,
    planned: async (plan, after, limit) =>
      plannedOf(plan)
        .filter(({ link, settled }) => link > after && settled === undefined)
        .slice(0, limit)
        .map(({ text }) => plannedFromText(text)),
    saveAmbiguous: async (lease, plan, found) => {
      checkFence(home, lease);
      state.ambiguous.set(plan, [...(state.ambiguous.get(plan) ?? []), ...stored(found)]);
    },
    ambiguous: async (plan) => state.ambiguous.get(plan) ?? [],
    dropPlans: async (lease) => {
      checkFence(home, lease);
      const { sync } = lease;
      const isOpen = (plan: string): boolean => !(state.plans.get(plan)?.applied ?? false);
      for (const [id, kept] of state.planned) {
        if (kept.sync !== sync || kept.settled !== undefined || !isOpen(kept.plan)) continue;
        state.planned.delete(id);
      }
      let wasBegun = false;
      for (const [plan, kept] of state.plans) {
        if (kept.head.sync !== sync || kept.applied) continue;
        if (kept.runs.length === 0) state.plans.delete(plan);
        else {
          kept.applied = true;
          wasBegun = true;
        }
      }
      // It must not go on without its records, nor what was made beside it.
      if (wasBegun) state.generations.set(sync, (state.generations.get(sync) ?? 0) + 1);
    },
  };
}

export function createJournal(state: AgreementState, home: MemoryHomeState): Journal {
  return {
    intend: async (lease, { plan, runId, at }, records) => {
      checkFence(home, lease);
      const kept = state.plans.get(plan);
      if (kept !== undefined && !kept.runs.includes(runId)) kept.runs.push(runId);
      const { sync } = lease;
      for (const { link, name, operations } of records) {
        for (const operation of operations) {
          const own = { ...operation, sync, plan, link, name, state: "intent" as const, runId, at };
          state.operations.set(operation.id, stored(own));
        }
      }
    },
    settle: async (settlement) => {
      checkFence(home, settlement.lease);
      settle(state, settlement);
    },
    unsettled: async (sync) =>
      [...state.planned.values()]
        .filter((kept) => kept.sync === sync)
        .map(({ plan, text }) => ({ plan, record: plannedFromText(text) }))
        .filter(({ record }) =>
          record.operations.some(({ id }) => {
            const now = state.operations.get(id)?.state;
            return now === "intent" || now === "unknown";
          }),
        ),
    journal: async (filter) => {
      const { sync, link, links, name, runId, states, oldestFirst, after, limit } = filter;
      const found = [...state.operations.values()].filter(
        (operation) =>
          operation.sync === sync &&
          (link === undefined || operation.link === link) &&
          (links === undefined || links.includes(operation.link)) &&
          (name === undefined || operation.name === name) &&
          (runId === undefined || operation.runId === runId) &&
          (states === undefined || states.includes(operation.state)),
      );
      found.sort(byTime);
      if (oldestFirst !== true) found.reverse();
      const from = after === undefined ? 0 : found.findIndex(({ id }) => id === after.id) + 1;
      return found.slice(from, from + limit);
    },
    decisions: async (sync, link, limit) =>
      [...state.planned.values()]
        .filter((kept) => kept.sync === sync && kept.link === link)
        .flatMap((kept) => (kept.settled === undefined ? [] : [{ kept, settled: kept.settled }]))
        .sort((a, b) => b.settled.order - a.settled.order)
        .slice(0, limit)
        .map(({ kept, settled: { runId, at } }) => ({
          plan: kept.plan,
          runId,
          at,
          record: plannedFromText(kept.text),
        })),
    plansOf: async (runId) =>
      [...state.plans.values()]
        .filter(({ runs }) => runs.includes(runId))
        .map(({ head }) => head)
        .sort((a, b) => a.madeAt - b.madeAt),
  };
}

function byTime(a: JournaledOperation, b: JournaledOperation): number {
  return a.at - b.at || (a.id < b.id ? -1 : 1);
}

export function createConflicts(state: AgreementState): Conflicts {
  const open = (): readonly OpenConflict[] =>
    [...state.conflicts.values()].sort((a, b) => a.id - b.id);
  return {
    conflicts: async ({ sync, id, link, field, resolved, afterId, limit }) =>
      open()
        .filter(
          (conflict) =>
            (sync === undefined || conflict.sync === sync) &&
            (id === undefined || conflict.id === id) &&
            (link === undefined || link.includes(conflict.link)) &&
            (field === undefined || conflict.field === field) &&
            (resolved === undefined || (conflict.resolution !== undefined) === resolved) &&
            (afterId === undefined || conflict.id > afterId),
        )
        .slice(0, limit),
    conflictCount: async (sync) => open().filter((conflict) => conflict.sync === sync).length,
    resolveConflicts: async (resolutions) => {
      for (const { id, resolution } of resolutions) {
        const conflict = state.conflicts.get(id);
        if (conflict !== undefined) state.conflicts.set(id, stored({ ...conflict, resolution }));
      }
    },
  };
}
