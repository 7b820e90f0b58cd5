import type { FilesCheck } from "../../engine/files-results.ts";
import type {
  CheckReport,
  DiscoveredStream,
  StreamCheck,
  SyncCheck,
  SystemCheck,
} from "../../engine/results.ts";
import type { ReportedError } from "../../model/run.ts";
import type { StreamTraits } from "../../model/schema.ts";
import type { Look } from "./look.ts";
import { formatCount, plural } from "./numbers.ts";
import { sidesCheckLines } from "./sides-check.ts";
import { cleanText, clip, type Style } from "./style.ts";
import { indent, table } from "./table.ts";

/** What can be reached, what each stream can do, and what a run would create first. */
export function checkLines(report: CheckReport, look: Look): readonly string[] {
  const { style } = look;
  return [
    `${mark(undefined, style)} home ${report.home.location}`,
    ...report.systems.flatMap((system) => ["", ...systemLines(system, look)]),
    ...report.syncs.flatMap((sync) => ["", ...syncLines(sync, look)]),
    ...report.reconciles.flatMap((sync) => ["", ...sidesCheckLines(sync, look)]),
    "",
    report.ok
      ? `${style.green("All is well.")} ${report.syncs.length === 0 ? "lockstep plan shows what a run would do." : "lockstep run does it."}`
      : `${style.red("Not ready yet.")} Correct what is marked above, then run lockstep check again.`,
  ];
}

function mark(error: ReportedError | undefined, style: Style): string {
  return error === undefined ? style.green("✔") : style.red("✘");
}

function reasons(error: ReportedError | undefined, style: Style): readonly string[] {
  if (error === undefined) return [];
  const hint =
    error.hint === undefined ? [] : [`${style.bold("What to do:")} ${cleanText(error.hint)}`];
  return [cleanText(error.message), ...hint, style.dim(`Code: ${error.code}`)];
}

function systemLines(system: SystemCheck, look: Look): readonly string[] {
  const { style } = look;
  return [
    `${mark(system.error, style)} ${style.bold(system.system)} (${system.connector})${system.summary === undefined ? "" : `  ${cleanText(system.summary)}`}`,
    ...indent([
      ...reasons(system.error, style),
      ...system.facts.map(cleanText),
      ...(system.streams.length === 0
        ? []
        : [
            clip(
              `${plural(system.streams.length, "stream")}: ${system.streams.map(streamInWords).join(", ")}`,
              4 * look.columns,
            ),
          ]),
    ]),
  ];
}

function streamInWords({ stream, fields }: DiscoveredStream): string {
  return `${cleanText(stream)} (${plural(fields.length, "field")})`;
}

function syncLines(sync: SyncCheck, look: Look): readonly string[] {
  const { style } = look;
  if (sync.streams.length === 0) {
    return [`${style.bold(sync.sync)}  not checked: ${sync.source} cannot be used yet`];
  }
  return [
    `${style.bold(sync.sync)}  ${sync.source} → ${sync.destination}`,
    "",
    ...indent([
      ...table(
        [
          { title: "stream" },
          { title: "records", align: "right" },
          { title: "table" },
          { title: "changes" },
          { title: "deletions" },
          { title: "a run would first" },
        ],
        sync.streams.map((stream) => streamRow(stream, style)),
        style,
      ),
      ...sync.streams.flatMap((stream) =>
        stream.error === undefined
          ? []
          : [
              "",
              `${style.red("✘")} ${stream.stream}: ${cleanText(stream.error.message)}`,
              ...(stream.error.hint === undefined
                ? []
                : [`  ${style.bold("What to do:")} ${cleanText(stream.error.hint)}`]),
            ],
      ),
      ...(sync.files === undefined ? [] : ["", ...filesLines(sync.files, style)]),
    ]),
  ];
}

function filesLines(files: FilesCheck, style: Style): readonly string[] {
  const { stream, location, changedBy, error } = files;
  const told =
    changedBy === undefined ? "each run looks at all records" : `changes by ${changedBy}`;
  const way = error === undefined ? ` (${told})` : "";
  return [
    `${mark(error, style)} files of ${stream} in ${cleanText(location)}${way}`,
    ...indent(reasons(error, style)),
  ];
}

function streamRow(stream: StreamCheck, style: Style): readonly string[] {
  return [
    stream.stream,
    stream.sourceCount === undefined ? "?" : formatCount(stream.sourceCount),
    stream.table,
    stream.traits === undefined ? "?" : changesInWords(stream.traits),
    stream.traits === undefined ? "?" : deletionsInWords(stream.traits),
    stream.error === undefined ? planInWords(stream) : style.red("see below"),
  ];
}

function changesInWords({ changes, events }: StreamTraits): string {
  if (events === true) return "by events";
  return changes ? "by time" : "by copying again";
}

function deletionsInWords({ deletions, sweep, events }: StreamTraits): string {
  if (events === true) return sweep ? "by events, and by sweep" : "by events";
  if (deletions) return sweep ? "told, and by sweep" : "told";
  return sweep ? "by sweep" : "by full copy";
}

const PLAN_SHOWN = 2;

function planInWords({ planned }: StreamCheck): string {
  if (planned.length === 0) return "change nothing";
  const shown = planned.slice(0, PLAN_SHOWN).map(({ description }) => cleanText(description));
  const rest = planned.length - shown.length;
  return rest > 0 ? `${shown.join("; ")}; and ${rest} more` : shown.join("; ");
}
