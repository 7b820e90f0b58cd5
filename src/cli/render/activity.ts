import type { ActivityReport } from "../../engine/activity-results.ts";
import { isOfSides } from "../../model/run.ts";
import { changesInWords, ledgerInWords, transitionLines } from "./ledger.ts";
import type { Look } from "./look.ts";
import { formatBytes, formatCount, formatRate, formatShare, plural } from "./numbers.ts";
import { trafficInWords } from "./run-summary.ts";
import { cleanText } from "./style.ts";
import { indent, table } from "./table.ts";
import { formatAge, formatDuration } from "./times.ts";

/** What happened in a window of time, summed over all runs. */
export function activityLines(report: ActivityReport, look: Look): readonly string[] {
  const { style, times } = look;
  const window = `${times.full(report.since)} to ${times.full(report.until)}`;
  if (report.executions === 0) return [`No run began from ${window}.`];
  const rate =
    report.successRate === undefined
      ? ""
      : `, ${formatShare(report.successRate)} of those that ended went well`;
  const words = changesInWords(report.changes, style);
  return [
    `${style.bold(plural(report.executions, "run"))} from ${window}${rate}.`,
    `  ${outcomesInWords(report)}`,
    ...(words === "" ? [] : [`  ${words}`]),
    ...indent(transitionLines(report.changes)),
    "",
    ...(report.averages === undefined ? [] : copiesLines(report, report.averages)),
    ...table(
      [
        { title: "sync" },
        { title: "run" },
        { title: "times", align: "right" },
        { title: "went well", align: "right" },
        { title: "records", align: "right" },
        { title: "time", align: "right" },
      ],
      report.byMode.map((entry) => [
        entry.sync,
        entry.mode,
        formatCount(entry.executions),
        formatCount(entry.succeeded),
        isOfSides(entry) ? style.dim("—") : formatCount(entry.read),
        formatDuration(entry.durationMs),
      ]),
      style,
    ),
    ...(report.sides.length === 0 ? [] : ["", ...sidesTable(report, look)]),
    ...(report.errors.length === 0 ? [] : ["", "Errors:"]),
    ...report.errors.map(
      ({ code, count, lastAt, stream, message }) =>
        `  ${style.red(code)} ${count === 1 ? "once" : `${formatCount(count)} times`}, last ${formatAge(lastAt, look.now)}${stream === undefined ? "" : ` in ${stream}`}: ${cleanText(message)}`,
    ),
  ];
}

/** What copies read and took; runs of sides have no such figures. */
function copiesLines(
  report: ActivityReport,
  averages: NonNullable<ActivityReport["averages"]>,
): readonly string[] {
  return [
    `records   ${ledgerInWords(report.ledger)}`,
    `traffic   ${trafficInWords([report.traffic])}`,
    averageInWords(averages),
    `memory    ${formatBytes(report.peakMemoryBytes)} at most`,
    "",
  ];
}

function sidesTable({ sides }: ActivityReport, { style }: Look): readonly string[] {
  const count = { align: "right" } as const;
  return table(
    [
      { title: "sync" },
      { title: "side" },
      { title: "written", ...count },
      { title: "changed meanwhile", ...count },
      { title: "refused", ...count },
      { title: "answer lost", ...count },
      { title: "not written", ...count },
    ],
    sides.map(({ sync, side, written, conflict, rejected, unknown, unsent }) => [
      cleanText(sync),
      cleanText(side),
      ...[written, conflict, rejected, unknown, unsent].map(formatCount),
    ]),
    style,
  );
}

function outcomesInWords({ outcomes, interrupted, running }: ActivityReport): string {
  const parts = [
    [outcomes.done, "done"],
    [outcomes.partial, "done but for what waits"],
    [outcomes.halted, "halted"],
    [outcomes.failed, "failed"],
    [outcomes.stopped, "stopped"],
    [interrupted, "interrupted"],
    [running, "running"],
  ] as const;
  return parts
    .flatMap(([count, word]) => (count > 0 ? `${formatCount(count)} ${word}` : []))
    .join(", ");
}

function averageInWords(averages: NonNullable<ActivityReport["averages"]>): string {
  const records = formatRate(averages.recordsPerSecond).replace("/s", " records/s");
  const requests = plural(Math.round(averages.requests), "request");
  return `average   ${formatDuration(averages.durationMs)} a run, ${records}, ${requests}`;
}
