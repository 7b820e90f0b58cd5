import type { SyncRunResult } from "../../engine/results.ts";
import type { Ledger, Phase, RunReport, StreamReport, Traffic } from "../../model/run.ts";
import { changedFiles, filesTable } from "./files.ts";
import { changesInWords, sumLedgers, transitionLines } from "./ledger.ts";
import type { Look } from "./look.ts";
import { formatBytes, formatCount, formatRate, plural } from "./numbers.ts";
import { cleanText, type Style } from "./style.ts";
import { indent, pad, table } from "./table.ts";
import { formatDuration } from "./times.ts";

/**
 * What a run came to: first whether all is well, then what changed, then where every record went,
 * then what to do next.
 */
export function runSummary(result: SyncRunResult, look: Look): readonly string[] {
  const { style } = look;
  if (result.runs.length === 0)
    return [headline(result, style), "  Nothing was due.", ...nextSteps(result)];
  return [
    headline(result, style),
    ...indent(isMedia(result) ? changedFiles(result) : [...changed(result, style)]),
    ...trouble(result.runs, style),
    "",
    ...(isMedia(result) ? filesTable(result.runs, style) : ledgerTable(result.runs, style)),
    "",
    style.dim(trafficLine(result.runs)),
    ...notes(result.runs),
    ...nextSteps(result),
  ];
}

/** A request for files runs nothing else. */
function isMedia({ runs }: SyncRunResult): boolean {
  return runs.some(({ mode }) => mode === "media");
}

function headline({ sync, outcome, runs }: SyncRunResult, style: Style): string {
  const startedAt = Math.min(...runs.map((run) => run.startedAt));
  const finishedAt = Math.max(...runs.map((run) => run.finishedAt));
  const modes = [...new Set(runs.map((run) => run.mode))].join(", then ");
  const how = runs.length === 0 ? "" : ` (${modes}; ${formatDuration(finishedAt - startedAt)})`;
  const parts = runs.flatMap((run) => run.streams);
  const bad = new Set(parts.filter(isBad).map(({ stream }) => stream)).size;
  const all = new Set(parts.map(({ stream }) => stream)).size;
  const subject = modes === "media" ? `the files of ${sync} are` : `${sync} is`;
  switch (outcome) {
    case "done":
      return `${style.green("Done:")} ${subject} up to date${how}.`;
    case "partial":
      return `${style.yellow("Done, with parked records:")} ${subject} up to date but for those${how}.`;
    case "stopped":
      return `${style.yellow("Stopped:")} ${sync} stopped at a safe point${how}; the next run goes on from there.`;
    case "halted":
      return `${style.red("Halted:")} ${sync} needs a person${how}; ${bad} of ${plural(all, "stream")} did not end well.`;
    case "failed":
      return `${style.red("Failed:")} ${bad} of ${plural(all, "stream")} of ${sync} failed${how}; nothing that was saved is lost.`;
  }
}

function isBad(part: StreamReport): boolean {
  return part.phase === "failed" || part.phase === "halted";
}

function changed(result: SyncRunResult, style: Style): readonly string[] {
  const words = changesInWords(result.changes, style);
  if (words === "") {
    const ledger = sumLedgers(result.runs.flatMap((run) => run.streams.map((part) => part.ledger)));
    const silent = ledger.created + ledger.updated + ledger.deleted > 0;
    return silent ? [] : ["Nothing changed."];
  }
  return [words, ...transitionLines(result.changes)];
}

/** One block for each stream that did not end well; what several runs say alike is told once. */
function trouble(runs: readonly RunReport[], style: Style): readonly string[] {
  const blocks = new Map<string, { readonly part: StreamReport; readonly modes: string[] }>();
  for (const { mode, streams } of runs) {
    for (const part of streams.filter(isBad)) {
      const same = JSON.stringify([part.stream, part.phase, part.error?.message]);
      const block = blocks.get(same) ?? { part, modes: [] };
      block.modes.push(mode);
      blocks.set(same, block);
    }
  }
  return [...blocks.values()].flatMap(({ part, modes }) => {
    const hint = hintOf(part);
    const where = runs.length > 1 ? ` in the ${modes.join(" and the ")} run` : "";
    const message = cleanText(part.error?.message ?? "no reason was given");
    return [
      "",
      `${style.red(`${part.stream} ${part.phase}${where}:`)} ${message}`,
      ...(hint === undefined ? [] : [`  ${style.bold("What to do:")} ${cleanText(hint)}`]),
      ...(part.error === undefined ? [] : [style.dim(`  Code: ${part.error.code}`)]),
    ];
  });
}

/** The hint, with the halt's own number where it speaks of a release. */
function hintOf({ error, haltId }: StreamReport): string | undefined {
  if (error?.hint === undefined || haltId === undefined) return error?.hint;
  return error.hint.replace("lockstep release ID", `lockstep release ${haltId} --by YOUR-NAME`);
}

/** A stream's parts in all runs of the request, together. */
interface StreamSum {
  readonly stream: string;
  readonly modes: readonly string[];
  readonly ledger: Ledger;
  readonly orphans: number;
  readonly ms: number;
  /** Of the parts that read records. */
  readonly readingMs: number;
  /** Of the first part that did not end well; else of the last. */
  readonly phase: Phase;
}

function sumByStream(runs: readonly RunReport[]): readonly StreamSum[] {
  const parts = runs.flatMap((run) => run.streams.map((part) => ({ mode: run.mode, part })));
  const streams = [...new Set(parts.map(({ part }) => part.stream))];
  return streams.map((stream) => {
    const own = parts.filter(({ part }) => part.stream === stream);
    const time = (chosen: readonly StreamReport[]): number =>
      chosen.reduce((sum, part) => sum + part.finishedAt - part.startedAt, 0);
    const all = own.map(({ part }) => part);
    return {
      stream,
      modes: own.map(({ mode }) => mode),
      ledger: sumLedgers(own.map(({ part }) => part.ledger)),
      orphans: Math.max(0, ...own.map(({ part }) => part.orphans?.count ?? 0)),
      ms: time(all),
      readingMs: time(all.filter(({ ledger }) => ledger.read > 0)),
      phase: own.find(({ part }) => part.phase !== "done")?.part.phase ?? "done",
    };
  });
}

function ledgerTable(runs: readonly RunReport[], style: Style): readonly string[] {
  const sums = sumByStream(runs);
  const columns = COLUMNS.filter(
    ({ always, count }) => always === true || sums.some((sum) => count(sum) > 0),
  );
  const hasModes = runs.length > 1;
  return table(
    [
      { title: "stream" },
      ...(hasModes ? [{ title: "run" }] : []),
      ...columns.map(({ title }) => ({ title, align: "right" }) as const),
      { title: "time", align: "right" },
      { title: "speed", align: "right" },
      { title: "" },
    ],
    sums.map((sum) => [
      sum.stream,
      ...(hasModes ? [sum.modes.join(" + ")] : []),
      ...columns.map(({ count }) => formatCount(count(sum))),
      formatDuration(sum.ms),
      sum.readingMs > 0 ? formatRate((sum.ledger.read * 1000) / sum.readingMs) : "",
      sum.phase === "done" ? "" : sum.phase,
    ]),
    style,
  );
}

interface LedgerColumn {
  readonly title: string;
  readonly always?: boolean;
  readonly count: (sum: StreamSum) => number;
}

const COLUMNS: readonly LedgerColumn[] = [
  { title: "read", always: true, count: ({ ledger }) => ledger.read },
  { title: "new", always: true, count: ({ ledger }) => ledger.created },
  { title: "updated", always: true, count: ({ ledger }) => ledger.updated },
  { title: "unchanged", always: true, count: ({ ledger }) => ledger.unchanged },
  { title: "rejected", count: ({ ledger }) => ledger.rejected },
  { title: "parked", count: ({ ledger }) => ledger.parked },
  { title: "deleted", always: true, count: ({ ledger }) => ledger.deleted },
  { title: "already gone", count: ({ ledger }) => ledger.alreadyGone },
  { title: "still served", count: ({ ledger }) => ledger.stillServed },
  { title: "orphans", count: ({ orphans }) => orphans },
];

function trafficLine(runs: readonly RunReport[]): string {
  const parts = runs.flatMap((run) => run.streams.map(({ traffic }) => traffic));
  const peak = Math.max(0, ...runs.map((run) => run.peakMemoryBytes));
  return `${trafficInWords(parts)}; peak memory ${formatBytes(peak)}`;
}

/** `37 requests, 12.3 MB, 2 retries, 4 s waiting`. */
export function trafficInWords(parts: readonly Traffic[]): string {
  const sum = (key: keyof Traffic): number => parts.reduce((total, part) => total + part[key], 0);
  return [
    plural(sum("requests"), "request"),
    formatBytes(sum("bytes")),
    sum("retries") === 0 ? "" : plural(sum("retries"), "retry", "retries"),
    sum("waitedMs") === 0 ? "" : `${formatDuration(sum("waitedMs"))} waiting`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}

function notes(runs: readonly RunReport[]): readonly string[] {
  return runs.flatMap((run) =>
    run.streams.flatMap((part) => [
      ...part.notes.map((note) => `Note: ${part.stream}: ${cleanText(note)}`),
      ...(part.orphans === undefined || part.orphans.count === 0
        ? []
        : [
            `Note: ${part.stream}: ${plural(part.orphans.count, "record")} without a parent in the replica, such as ${cleanText(part.orphans.sample.slice(0, 3).join(", "))}.`,
          ]),
    ]),
  );
}

function nextSteps({
  sync,
  outcome,
  runs,
  parkedWaiting,
  changes,
}: SyncRunResult): readonly string[] {
  const steps: (readonly [string, string])[] = [];
  const again = `lockstep run ${sync}${runs.some(({ mode }) => mode === "media") ? " --media" : ""}`;
  if (outcome === "stopped") steps.push([again, "goes on where this run stopped"]);
  if (outcome === "halted") steps.push(["lockstep halts", "shows what waits for a decision"]);
  if (parkedWaiting > 0) {
    const records = plural(parkedWaiting, "parked record");
    steps.push(["lockstep parked list", `shows the ${records} and why`]);
  }
  if (changes.length > 0) steps.push(["lockstep changes", "shows what changed, field by field"]);
  if (steps.length === 0) return [];
  const width = Math.max(...steps.map(([command]) => command.length));
  return [
    "",
    "Next:",
    ...indent(steps.map(([command, why]) => `${pad(command, width, "left")}  ${why}`)),
  ];
}
