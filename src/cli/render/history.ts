import type { JournaledOperation } from "../../model/plan.ts";
import type { HistoryJson } from "../json.ts";
import type { Look } from "./look.ts";
import { showSaid, showStep } from "./reasons.ts";
import { cleanText, clip, type Style } from "./style.ts";
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
    clip(whatOf(write), Math.max(40, columns)),
  ]);
  const name = withName ? [{ title: "record" }] : [];
  const titles = ["side", "kind", "result", "run", "fields"].map((title) => ({ title }));
  return table([{ title: "when" }, ...name, ...titles], rows, style);
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
