import type { JournaledOperation } from "../../model/plan.ts";
import type { HistoryJson } from "../json.ts";
import type { Look } from "./look.ts";
import { showSaid, showStep } from "./reasons.ts";
import { cleanText, clip, type Style, visibleWidth } from "./style.ts";
import { table } from "./table.ts";

/** Writes, newest first: when, where, which record, what, and what became of it. */
export function historyLines({ writes, truncated }: HistoryJson, look: Look): readonly string[] {
  if (writes.length === 0) return ["Nothing was written."];
  return [
    ...writeTable(writes, look, true),
    ...(truncated ? ["There are more; --limit N shows so many, --limit 0 all of them."] : []),
  ];
}

/** The same for one record or one run; without the record's name where it is told already. */
export function writeTable(
  writes: readonly JournaledOperation[],
  look: Look,
  withName: boolean,
): readonly string[] {
  const { style, times, columns } = look;
  const rows = writes.map((write) => [
    times.full(write.at),
    ...(withName ? [style.bold(cleanText(write.name))] : []),
    cleanText(write.side),
    write.kind,
    stateOf(write, style),
    style.dim(write.runId ?? ""),
  ]);
  const names = ["when", ...(withName ? ["record"] : []), "side", "kind", "result", "run"];
  const titles = names.map((title) => ({ title }));
  const before = Math.max(0, ...table(titles, rows, style).map(visibleWidth));
  const left = Math.max(40, columns - before - 2);
  return table(
    [...titles, { title: "fields" }],
    rows.map((row, at) => [
      ...row,
      clip(
        writes
          .slice(at, at + 1)
          .map(whatOf)
          .join(),
        left,
      ),
    ]),
    style,
  );
}

function stateOf({ state }: JournaledOperation, style: Style): string {
  switch (state) {
    case "written":
      return style.green("written");
    case "conflict":
      return style.yellow("changed meanwhile");
    case "rejected":
      return style.red("refused");
    case "unknown":
      return style.yellow("answer lost");
    case "intent":
      return style.yellow("not known yet");
  }
}

function whatOf({ kind, fields, trouble }: JournaledOperation): string {
  const told = fields.map(({ field, before, after }) => {
    if (kind === "update") return `${field} ${showStep(before, after)}`;
    return `${field} ${showSaid(kind === "create" ? after : before)}`;
  });
  const why = trouble === undefined ? [] : [`(${trouble})`];
  return cleanText([told.join(", "), ...why].join(" "));
}
