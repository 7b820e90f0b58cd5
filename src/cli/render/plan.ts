import type { ReplicatePlan, StepPlan, StreamPlan, SyncPlan } from "../../engine/plan-results.ts";
import type { Look } from "./look.ts";
import { formatBytes, formatCount, plural } from "./numbers.ts";
import { limitInWords, quotaTable } from "./quota-cost.ts";
import { sidesPlanLines } from "./sides-plan.ts";
import { cleanText, type Style } from "./style.ts";
import { type Column, indent, table } from "./table.ts";
import { formatDuration, sourceTimeMs } from "./times.ts";

/** The plan of a sync: first whether there is something to do and what it costs, then what it is. */
export function planLines(
  plan: SyncPlan,
  look: Look,
  options: { readonly first?: boolean } = {},
): readonly string[] {
  switch (plan.kind) {
    case "reconcile":
      return sidesPlanLines(plan, look, options);
    case "replicate":
      return replicateLines(plan, look);
  }
}

function replicateLines(plan: ReplicatePlan, look: Look): readonly string[] {
  const { style } = look;
  return [
    headline(plan, look),
    ...indent(holdUps(plan, look)),
    "",
    ...streamTable(plan.streams, look),
    ...schemaLines(plan.streams, style),
    ...errorLines(plan.streams, style),
    ...quotaTable(plan.quota, plan.notBefore ?? plan.at, look),
    "",
    style.dim(
      `${plan.source} → ${plan.destination}; ${plural(plan.asked, "request")} made to find out, nothing changed`,
    ),
  ];
}

function headline(plan: ReplicatePlan, look: Look): string {
  const { style, times } = look;
  const { sync, due, at, endsAt, requests, bytes, streams } = plan;
  if (streams.some(({ error }) => error !== undefined)) {
    const bad = streams.filter(({ error }) => error !== undefined).length;
    return `${style.red("Not all can be planned:")} ${bad} of ${plural(streams.length, "stream")} of ${sync}.`;
  }
  if (!due)
    return `${style.green("Nothing to do:")} ${sync} is up to date, as far as its source tells.`;
  const least = plan.atLeast ? "at least " : "";
  const amount = bytes === undefined ? "" : `, ${formatBytes(bytes)}`;
  const takes =
    endsAt > at ? `, about ${formatDuration(endsAt - at)}, until ${times.clock(endsAt, at)}` : "";
  return `${style.yellow("To do:")} ${sync}: ${least}${plural(requests, "request")}${amount}${takes}.`;
}

/** What keeps it from beginning, from ending soon, or from ending today. */
function holdUps(
  { quota, notBefore, at, source }: ReplicatePlan,
  { style, times }: Look,
): string[] {
  const { bottleneck, windows, fitsToday } = quota;
  const limit = windows.find(
    ({ window, of }) => window === bottleneck?.window && of === bottleneck.of,
  );
  const day = windows.find(({ window, of }) => window === "day" && of === "requests");
  return [
    ...(notBefore === undefined
      ? []
      : [style.red(`${source} wants to be left alone until ${times.clock(notBefore, at)}.`)]),
    ...(limit === undefined ? [] : [`Held up by ${limitInWords(limit)}.`]),
    ...(fitsToday
      ? []
      : [
          style.red(
            `Does not fit today${day === undefined ? "" : `: ${formatCount(day.left)} of ${formatCount(day.limit)} requests are left`}; a run goes on by itself as the quota allows.`,
          ),
        ]),
  ];
}

function streamTable(streams: readonly StreamPlan[], look: Look): readonly string[] {
  const { style } = look;
  const rows = streams.flatMap((stream) =>
    stream.steps.length === 0 ? [emptyRow(stream)] : stepRows(stream, look),
  );
  const columns: readonly Column[] = [
    { title: "" },
    { title: "stream" },
    { title: "what" },
    { title: "records", align: "right" },
    { title: "at the source", align: "right" },
    { title: "in the replica", align: "right" },
    { title: "requests", align: "right" },
    { title: "data", align: "right" },
  ];
  const isUsed = columns.map(({ title }, index) => title === "" || rows.some((row) => row[index]));
  const used = <T>(cells: readonly T[]): readonly T[] => cells.filter((_, index) => isUsed[index]);
  return table(used(columns), rows.map(used), style);
}

function emptyRow({ stream, rows }: StreamPlan): readonly string[] {
  return ["?", stream, "", "", "", formatCount(rows), "", ""];
}

function stepRows(stream: StreamPlan, look: Look): readonly (readonly string[])[] {
  return stream.steps.map((step, index) => [
    signOf(step, look.style),
    index === 0 ? stream.stream : "",
    whatOf(step, look),
    recordsOf(step),
    index > 0 || stream.sourceCount === undefined ? "" : formatCount(stream.sourceCount),
    index > 0 ? "" : formatCount(stream.rows),
    formatCount(step.requests),
    step.bytes === undefined ? "?" : step.bytes === 0 ? "" : formatBytes(step.bytes),
  ]);
}

function signOf({ action, mode }: StepPlan, style: Style): string {
  if (action === "nothing") return style.dim("=");
  if (action === "copy") return style.green("+");
  return mode === "deletions" ? style.red("-") : style.yellow("~");
}

function whatOf({ mode, action, after = 0, since }: StepPlan, { times, now, style }: Look): string {
  const sinceMs = since === undefined ? undefined : sourceTimeMs(since);
  const when = sinceMs === undefined ? "" : ` since ${times.clock(sinceMs, now)}`;
  if (action === "nothing") {
    return style.dim(mode === "deletions" ? "nothing deleted" : `nothing new${when}`);
  }
  if (action === "resume") {
    return `${mode === "full" ? "copy" : "sweep"} goes on after ${formatCount(after)}`;
  }
  switch (mode) {
    case "full":
      return action === "copy" ? "first copy" : "copy again";
    case "incremental":
      return `changes${when}`;
    case "deletions":
      return "deletions";
    case "sweep":
      return "keys and times";
  }
}

function recordsOf({ records, atLeast, action }: StepPlan): string {
  if (records === undefined) return "?";
  if (action === "nothing") return "";
  return atLeast ? `≥ ${formatCount(records)}` : formatCount(records);
}

function schemaLines(streams: readonly StreamPlan[], style: Style): readonly string[] {
  const lines = streams.flatMap(({ schema }) =>
    schema.map(({ kind, description }) => {
      const sign =
        kind === "create-table" || kind === "add-column" ? style.green("+") : style.yellow("~");
      return `  ${sign} ${cleanText(description)}`;
    }),
  );
  return lines.length === 0 ? [] : ["", "Tables", ...lines];
}

function errorLines(streams: readonly StreamPlan[], style: Style): readonly string[] {
  return streams.flatMap(({ stream, error }) =>
    error === undefined
      ? []
      : [
          "",
          `${style.red(`${stream}:`)} ${cleanText(error.message)}`,
          ...(error.hint === undefined
            ? []
            : [`  ${style.bold("What to do:")} ${cleanText(error.hint)}`]),
        ],
  );
}
