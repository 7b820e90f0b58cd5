import type { ParkedRetryResult } from "../../engine/upkeep-results.ts";
import type { ParkedRecord } from "../../model/parked.ts";
import type { Look } from "./look.ts";
import { plural } from "./numbers.ts";
import { cleanText, clip } from "./style.ts";
import { indent, table } from "./table.ts";
import { formatAge } from "./times.ts";

/** Parked records, newest problem first, each with its reason. */
export function parkedLines(records: readonly ParkedRecord[], look: Look): readonly string[] {
  if (records.length === 0) return ["No record is parked."];
  const rows = records.map((record) => [
    String(record.id),
    record.stream,
    cleanText(record.key ?? "(no key)"),
    formatAge(record.firstAt, look.now),
    String(record.attempts),
    shortReason(record, look),
  ]);
  return [
    ...table(
      [
        { title: "id", align: "right" },
        { title: "stream" },
        { title: "key" },
        { title: "since" },
        { title: "came", align: "right" },
        { title: "reason" },
      ],
      rows,
      look.style,
    ),
    "",
    "lockstep parked show ID shows it whole; lockstep parked retry ID tries it again.",
  ];
}

/** Cut to what a wide terminal shows beside the other columns; in a file or a pipe it is whole. */
function shortReason(record: ParkedRecord, look: Look): string {
  return clip(reason(record), Math.max(80, look.columns - 60));
}

function reason({ problems }: ParkedRecord): string {
  const [first, ...more] = problems;
  if (first === undefined) return "no reason was given";
  return (
    cleanText(first.message) +
    (more.length === 0 ? "" : ` (and ${plural(more.length, "more problem")})`)
  );
}

/** One parked record whole: every problem, and the image as the source sent it. */
export function parkedRecordLines(record: ParkedRecord, look: Look): readonly string[] {
  const { style, times } = look;
  return [
    `${style.bold(`Parked record ${record.id}`)}  ${record.stream} ${cleanText(record.key ?? "(no key)")} of ${record.sync}`,
    ...indent([
      `first ${times.full(record.firstAt)}, last ${times.full(record.lastAt)}, came ${plural(record.attempts, "time")}, last in run ${record.runId}`,
      ...record.problems.map(
        ({ code, field, message }) =>
          `${style.yellow(code)}${field === undefined ? "" : ` ${field}`}: ${cleanText(message)}`,
      ),
    ]),
    "",
    ...prettyImage(record.image),
    "",
    `lockstep parked retry ${record.id}  tries it again`,
    `lockstep parked drop ${record.id}   takes it off the list until it comes again`,
  ];
}

function prettyImage(image: string): readonly string[] {
  try {
    return JSON.stringify(JSON.parse(image), null, 2).split("\n").map(cleanText);
  } catch {
    return image.split("\n").map(cleanText);
  }
}

export function retryLines(result: ParkedRetryResult, look: Look): readonly string[] {
  const { style } = look;
  const still = result.stillParked.length;
  if (result.tried === 0 && result.untried !== undefined) return [cleanText(result.untried)];
  return [
    `${plural(result.tried, "parked record")} tried again: ${style.green(`${result.settled} settled`)}, ${still === 0 ? "none" : style.yellow(String(still))} still parked.`,
    ...indent(
      result.stillParked
        .slice(0, 20)
        .map(
          (record) =>
            `${record.id}  ${record.stream} ${cleanText(record.key ?? "(no key)")}: ${shortReason(record, look)}`,
        ),
    ),
    ...(result.untried === undefined ? [] : [cleanText(result.untried)]),
  ];
}
