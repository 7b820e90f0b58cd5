import type { Halt } from "../../model/parked.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Audit, Halts, ParkedRecords, Runs } from "../../ports/home.ts";
import { joined, type MemoryHomeState, stored } from "./state.ts";

export function createRuns(state: MemoryHomeState): Runs {
  return {
    startRun: async (run) => {
      if (state.runs.has(run.runId)) {
        throw new SyncError("INTERNAL", `The run "${run.runId}" has begun already.`);
      }
      state.runs.set(run.runId, { ...run });
    },
    finishRun: async (report) => {
      const { runId, sync, mode, startedAt, finishedAt, outcome, streams } = stored(report);
      const begun = state.runs.get(runId) ?? { runId, sync, mode, startedAt };
      state.runs.set(runId, { ...begun, finishedAt, outcome, report: stored(report) });
      for (const part of streams) {
        const id = joined(sync, part.stream, mode);
        const doneAt = part.phase === "done" ? part.finishedAt : state.streamRuns.get(id)?.doneAt;
        const done = doneAt === undefined ? {} : { doneAt };
        state.streamRuns.set(id, { sync, runId, mode, report: part, ...done });
      }
    },
    run: async (runId) => state.runs.get(runId),
    runs: async ({ sync, since, limit }) =>
      [...state.runs.values()]
        .filter((run) => sync === undefined || run.sync === sync)
        .filter((run) => since === undefined || run.startedAt >= since)
        .reverse()
        .sort((a, b) => b.startedAt - a.startedAt)
        .slice(0, limit),
    lastStreamRuns: async (sync) =>
      [...state.streamRuns.entries()]
        .filter(([, run]) => run.sync === sync)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, { sync: _sync, ...run }]) => run),
  };
}

export function createParkedRecords(state: MemoryHomeState): ParkedRecords {
  return {
    parked: async ({ sync, stream, id, limit }) =>
      [...state.parked.values()]
        .filter((record) => sync === undefined || record.sync === sync)
        .filter((record) => stream === undefined || record.stream === stream)
        .filter((record) => id === undefined || record.id === id)
        .sort((a, b) => a.id - b.id)
        .slice(0, limit),
    parkedCount: async (sync, stream) =>
      [...state.parked.values()].filter(
        (record) => record.sync === sync && (stream === undefined || record.stream === stream),
      ).length,
    dropParked: async (ids) => {
      const before = state.parked.size;
      for (const [identity, { id }] of state.parked) {
        if (ids.includes(id)) state.parked.delete(identity);
      }
      return before - state.parked.size;
    },
  };
}

export function createHalts(state: MemoryHomeState): Halts {
  const open = (): readonly { halt: Halt; isClosed: boolean }[] =>
    state.halts.filter(({ isClosed }) => !isClosed);
  return {
    recordHalt: async (halt) => {
      const waiting = open().find(
        ({ halt: { sync, stream, code, releasedAt } }) =>
          sync === halt.sync &&
          stream === halt.stream &&
          code === halt.code &&
          releasedAt === undefined,
      );
      const id = waiting?.halt.id ?? state.halts.length + 1;
      const entry = { ...stored(halt), id };
      if (waiting !== undefined) waiting.halt = entry;
      else state.halts.push({ halt: entry, isClosed: false });
      return id;
    },
    halts: async ({ sync, id, waiting }) =>
      open()
        .map(({ halt }) => halt)
        .filter((halt) => sync === undefined || halt.sync === sync)
        .filter((halt) => id === undefined || halt.id === id)
        .filter((halt) => waiting === undefined || waiting === (halt.releasedAt === undefined)),
    releaseHalt: async (id, by, at) => {
      const entry = open().find(({ halt }) => halt.id === id);
      if (entry === undefined) throw new SyncError("USAGE", `There is no open halt "${id}".`);
      if (entry.halt.releasedAt === undefined) {
        entry.halt = { ...entry.halt, releasedAt: at, releasedBy: by };
      }
    },
    closeHalt: async (id) => {
      const entry = state.halts.find(({ halt }) => halt.id === id);
      if (entry !== undefined) entry.isClosed = true;
    },
  };
}

export function createAudit(state: MemoryHomeState): Audit {
  return {
    appendAudit: async (entry) => {
      state.audit.push({ ...stored(entry), id: state.audit.length + 1 });
    },
    audit: async (limit) => state.audit.toReversed().slice(0, limit),
  };
}
