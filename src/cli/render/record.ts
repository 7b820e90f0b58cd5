import type { ShownFile, ShownRecord, ShowResult } from "../../engine/results.ts";
import type { MonitorSpec } from "../../model/replicate.ts";
import { changeLines, historyInWords } from "./changes.ts";
import type { Look } from "./look.ts";
import { formatBytes, plural } from "./numbers.ts";
import { cleanText, clip, typedWord } from "./style.ts";
import { indent, pad } from "./table.ts";
import { formatAge } from "./times.ts";
import { showValue } from "./values.ts";

export interface RecordOptions {
  readonly monitor: MonitorSpec;
  /** Empty fields too. */
  readonly isWhole: boolean;
  /** Changes were asked for. */
  readonly hasChanges: boolean;
}

/** One record for a person: where it comes from, its values, what belongs to it, its history. */
export function recordLines(
  result: ShowResult,
  options: RecordOptions,
  look: Look,
): readonly string[] {
  const { record, stream, key, from } = result;
  const { style } = look;
  const title = style.bold(`${stream} ${cleanText(key)}`);
  const lines: string[] = [];
  if (record === undefined) lines.push(`${title} is not in the ${from}.`, ...elsewhere(result));
  else
    lines.push(
      `${title}  ${style.dim(origin(record, from, look))}`,
      ...values(record, result, options, look),
    );
  if (result.parked !== undefined) {
    const [problem] = result.parked.problems;
    lines.push(
      "",
      style.yellow(
        `A version of it is parked: ${cleanText(problem?.message ?? "no reason was given")}`,
      ),
    );
    lines.push(`  lockstep parked show ${result.parked.id}`);
  }
  for (const { stream: child, field, records, truncated } of result.related) {
    const count = truncated
      ? `the first ${plural(records.length, "record")}`
      : plural(records.length, "record");
    lines.push("", `${style.bold(child)}  ${style.dim(`${count} by ${field}`)}`);
    for (const entry of records) {
      lines.push(...indent([clip(relatedLine(entry, key), look.columns - 3)]));
      if (entry.file !== undefined) lines.push(`    ${fileLine(entry.file, look)}`);
    }
  }
  if (options.hasChanges) lines.push("", ...history(result, options.monitor, look));
  return lines;
}

/** Where else to look for a record that is not there. */
function elsewhere({ stream, key, from }: ShowResult): readonly string[] {
  const command = `lockstep show ${typedWord(stream)} ${typedWord(key)}`;
  return from === "replica"
    ? [`  ${command} --live  looks at the source`]
    : [`  ${command}  looks at the replica`];
}

function origin(record: ShownRecord, from: "replica" | "source", look: Look): string {
  if (from === "source") return "from the source, now";
  const written =
    record.changedAt === undefined ? "" : `, written ${formatAge(record.changedAt, look.now)}`;
  const deleted =
    record.deletedAt === undefined
      ? ""
      : `, marked deleted ${formatAge(record.deletedAt, look.now)}`;
  return `from the replica${written}${deleted}`;
}

function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    value === "" ||
    (Array.isArray(value) && value.length === 0)
  );
}

function values(
  record: ShownRecord,
  result: ShowResult,
  options: RecordOptions,
  look: Look,
): readonly string[] {
  const names = result.fields.map((field) => field.name).filter((name) => name in record.values);
  const shown = options.isWhole ? names : names.filter((name) => !isEmpty(record.values[name]));
  const width = Math.max(0, ...shown.map((name) => name.length));
  const lines = shown.map((name) => {
    const value = showValue(record.values[name], options.monitor.price.includes(name));
    return `  ${look.style.dim(pad(name, width, "left"))}  ${clip(value, Math.max(20, look.columns - width - 5))}`;
  });
  const empty = result.fields.length - shown.length;
  return empty === 0
    ? lines
    : [...lines, look.style.dim(`  and ${plural(empty, "empty field")} (--all shows them)`)];
}

/** What its key and its parent's do not say already. */
function relatedLine(record: ShownRecord, parentKey: string): string {
  const facts = Object.entries(record.values)
    .filter(
      ([, value]) => !isEmpty(value) && String(value) !== parentKey && String(value) !== record.key,
    )
    .slice(0, 5)
    .map(([name, value]) => `${name} ${showValue(value)}`);
  return `${cleanText(record.key)}  ${facts.join(", ")}`;
}

/** Where a record's file is; whole, since people copy it. */
function fileLine(file: ShownFile, { style }: Look): string {
  const { state, location = "", contentType = "", size = 0, problem = "", parkedId } = file;
  const held = `${cleanText(location)}  ${style.dim(`${contentType}, ${formatBytes(size)}`)}`;
  const trouble = `${cleanText(problem)} (lockstep parked retry ${parkedId})`;
  switch (state) {
    case "held":
      return held;
    case "stale":
      return `${held}  ${style.yellow(`out of date: ${trouble}`)}`;
    case "parked":
      return style.yellow(`no file: ${trouble}`);
    case "none":
      return style.dim("no file");
  }
}

function history(result: ShowResult, monitor: MonitorSpec, look: Look): readonly string[] {
  const columns = { stream: result.stream.length, key: result.key.length };
  return [
    historyInWords(result.changes, monitor, look),
    ...indent(
      result.changes.flatMap((change) =>
        changeLines(change, monitor, columns, { ...look, columns: look.columns - 2 }),
      ),
    ),
  ];
}
