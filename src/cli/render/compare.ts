import type { RecordState, RepairAction } from "../../core/comparison.ts";
import type {
  ComparedRecord,
  CompareResult,
  Discrepancy,
  StreamVerification,
  VerifyResult,
} from "../../engine/results.ts";
import type { Look } from "./look.ts";
import { formatCount, plural } from "./numbers.ts";
import { cleanText, clip } from "./style.ts";
import { indent, table } from "./table.ts";
import { formatDuration } from "./times.ts";
import { showFieldChange } from "./values.ts";

const STATE_WORDS: Readonly<Record<RecordState, string>> = {
  "in-step": "in step",
  "local-missing": "local missing",
  "remote-missing": "remote missing",
  "remote-newer": "remote newer",
  "local-newer": "local newer",
  different: "different",
  absent: "on neither side",
};

const ACTION_WORDS: Readonly<Record<RepairAction, string>> = {
  none: "nothing to do",
  create: "copy it",
  update: "copy it again",
  delete: "delete it here",
};

const DONE_WORDS: Readonly<Record<RepairAction, string>> = {
  none: "nothing to do",
  create: "copied",
  update: "copied again",
  delete: "deleted here",
};

/** Records of the replica beside the source's, each with what brings it in step. */
export function compareLines(result: CompareResult, look: Look): readonly string[] {
  const { style } = look;
  const words = result.repair === undefined ? ACTION_WORDS : DONE_WORDS;
  const rows = result.records.map((record) => [
    cleanText(record.key),
    STATE_WORDS[record.state],
    record.localModifiedAt ?? "",
    record.remoteModifiedAt ?? "",
    words[record.action],
  ]);
  const lines = [
    ...table(
      [
        { title: "key" },
        { title: "state" },
        { title: "replica's time" },
        { title: "source's time" },
        { title: "action" },
      ],
      rows,
      style,
    ),
    ...result.records.flatMap((record) => differences(record, look)),
    "",
  ];
  const off = result.records.filter(({ action }) => action !== "none").length;
  if (off === 0)
    lines.push(
      `${style.green("In step:")} ${plural(result.records.length, "record")} of ${result.stream}.`,
    );
  else if (result.repair !== undefined)
    lines.push(
      `Repaired: ${plural(off, "record")} of ${result.stream} (${result.repair.outcome}).`,
    );
  else {
    lines.push(
      `${style.yellow("Out of step:")} ${formatCount(off)} of ${plural(result.records.length, "record")} of ${result.stream}.`,
    );
    lines.push(`${style.bold("What to do:")} run it again with --repair.`);
  }
  return lines;
}

const FIELDS_SHOWN = 8;

function differences(record: ComparedRecord, look: Look): readonly string[] {
  const problems = (record.problems ?? []).map(
    ({ message }) =>
      `${cleanText(record.key)}: the source's copy cannot be read: ${cleanText(message)}`,
  );
  if (record.fields.length === 0) return problems;
  const shown = record.fields.slice(0, FIELDS_SHOWN);
  const rest = record.fields.length - shown.length;
  return [
    ...problems,
    `${cleanText(record.key)}: replica → source`,
    ...indent(shown.map((field) => clip(showFieldChange(field, false), look.columns - 3))),
    ...(rest > 0 ? [`  and ${plural(rest, "more field")}`] : []),
  ];
}

/** Is the replica equal to the source, stream by stream; samples of what is not. */
export function verifyLines(
  result: VerifyResult,
  request: { readonly fields: boolean; readonly sample?: number },
  look: Look,
): readonly string[] {
  const { style } = look;
  const depth = request.fields ? "every field" : "keys and times";
  const extent =
    request.sample === undefined
      ? ""
      : ` of ${formatCount(request.sample)} records of each stream, chosen at random`;
  const took = formatDuration(result.finishedAt - result.startedAt);
  const streams = plural(result.streams.length, "stream");
  const head = result.equal
    ? `${style.green("Equal:")} ${result.sync} equals its source in ${depth}${extent} (${streams}, ${took}).`
    : `${style.red("Not equal:")} ${result.sync} differs from its source (compared ${depth}${extent}; ${streams}, ${took}).`;
  return [
    head,
    "",
    ...verifyTable(result, look),
    ...result.streams.flatMap((stream) => samples(stream, look)),
    ...nextStep(result, look),
  ];
}

function verifyTable(result: VerifyResult, { style }: Look): readonly string[] {
  const right = (title: string): { readonly title: string; readonly align: "right" } => ({
    title,
    align: "right",
  });
  const isRepaired = result.streams.some(({ repaired }) => repaired !== undefined);
  const isRejecting = result.streams.some(({ rejected }) => rejected !== undefined);
  return table(
    [
      { title: "stream" },
      ...["compared", "source", "replica", "missing", "extra", "stale", "different", "parked"].map(
        right,
      ),
      ...(isRejecting ? [right("rejected")] : []),
      ...(isRepaired ? [right("repaired")] : []),
      { title: "" },
    ],
    result.streams.map((stream) => [
      stream.stream,
      formatCount(stream.compared),
      stream.sourceCount === undefined ? "?" : formatCount(stream.sourceCount),
      formatCount(stream.replicaCount),
      ...[stream.missing, stream.extra, stream.stale, stream.different].map(({ count }) =>
        formatCount(count),
      ),
      formatCount(stream.parked),
      ...(isRejecting ? [formatCount(stream.rejected ?? 0)] : []),
      ...(isRepaired ? [formatCount(stream.repaired ?? 0)] : []),
      stream.error === undefined
        ? stream.equal
          ? style.green("equal")
          : style.red("differs")
        : style.red("failed"),
    ]),
    style,
  );
}

const SAMPLES_SHOWN = 5;

function samples(stream: StreamVerification, look: Look): readonly string[] {
  const kinds: readonly (readonly [string, Discrepancy])[] = [
    ["missing here", stream.missing],
    ["extra here", stream.extra],
    ["stale", stream.stale],
    ["different", stream.different],
  ];
  const lines = kinds.flatMap(([word, { count, sample }]) =>
    count === 0
      ? []
      : [
          `${stream.stream}: ${formatCount(count)} ${word}, such as ${cleanText(
            sample
              .slice(0, SAMPLES_SHOWN)
              .map(({ key }) => key)
              .join(", "),
          )}`,
          ...indent(sample.slice(0, 2).flatMap((record) => differences(record, look))),
        ],
  );
  if (stream.error !== undefined)
    lines.push(`${stream.stream} could not be compared: ${cleanText(stream.error.message)}`);
  else if (!stream.equal && lines.length === 0 && stream.sourceCount !== undefined)
    lines.push(
      `${stream.stream}: the source counts ${formatCount(stream.sourceCount)} and the replica holds ${formatCount(stream.replicaCount)}; without --sample it is shown which records differ.`,
    );
  return lines.length === 0 ? [] : ["", ...lines];
}

function nextStep(result: VerifyResult, { style }: Look): readonly string[] {
  if (result.equal || result.streams.every(({ repaired }) => repaired !== undefined)) return [];
  return [
    "",
    `${style.bold("What to do:")} lockstep verify --repair puts right what differs, and nothing else.`,
  ];
}
