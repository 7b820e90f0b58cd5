import type { ClassifiedChange } from "../../engine/results.ts";
import type { FieldChange } from "../../model/change.ts";
import type { MonitorSpec } from "../../model/replicate.ts";
import type { Value } from "../../model/value.ts";
import type { Look } from "./look.ts";
import { plural } from "./numbers.ts";
import { cleanText, clip } from "./style.ts";
import { pad } from "./table.ts";
import { showFieldChange, showValue } from "./values.ts";

const FIELDS_SHOWN = 4;

/** The most telling word for a change: status before price before updated. */
function categoryWord({ categories }: ClassifiedChange): string {
  const order = ["new", "deleted", "status", "price", "updated"] as const;
  return order.find((category) => categories.includes(category)) ?? "updated";
}

/** What a change did, one fact a line: monitored fields first, the many others counted. */
function changeFacts(change: ClassifiedChange, monitor: MonitorSpec): readonly string[] {
  if (change.kind !== "update") {
    const image = change.kind === "create" ? change.after : change.before;
    const fields =
      change.record === undefined
        ? [...monitor.status, ...monitor.price]
        : Object.keys(image ?? {}).filter((field) => image?.[field] !== change.record);
    const facts = image === undefined ? "" : imageInWords(image, fields, monitor);
    return [change.kind === "delete" && facts !== "" ? `was ${facts}` : facts];
  }
  const rank = (field: string): number =>
    monitor.status.includes(field) ? 0 : monitor.price.includes(field) ? 1 : 2;
  const fields = [...withoutStamps(change)].sort((a, b) => rank(a.field) - rank(b.field));
  const shown = fields.slice(0, FIELDS_SHOWN);
  const rest = fields.length - shown.length;
  return [
    ...shown.map((field) => showFieldChange(field, monitor.price.includes(field.field))),
    ...(rest > 0 ? [`and ${plural(rest, "more field")}`] : []),
  ];
}

/** Fields that only say when the change was made are left out, unless there is nothing else. */
function withoutStamps({ fields, sourceTime }: ClassifiedChange): readonly FieldChange[] {
  const told = fields.filter(({ after }) => after !== sourceTime);
  return told.length === 0 ? fields : told;
}

/** `StandardStatus Active, ListPrice 450,000`; nothing where none of the fields has a value. */
function imageInWords(
  image: Readonly<Record<string, Value>>,
  fields: readonly string[],
  monitor: MonitorSpec,
): string {
  const facts = fields.flatMap((field) => {
    const value = image[field];
    if (value === undefined || value === null) return [];
    return [`${field} ${showValue(value, monitor.price.includes(field))}`];
  });
  return facts.slice(0, FIELDS_SHOWN).join(", ");
}

/** Widths that hold for several changes below one another. */
export interface ChangeColumns {
  readonly stream: number;
  readonly key: number;
}

const KEY_WIDTH_MAX = 60;

/** A write to a side is known by the shared record, whatever key it has there. */
function nameOf({ key, record }: ClassifiedChange): string {
  return record ?? key;
}

/** Columns wide enough for these changes, and not narrower than those before. */
export function changeColumns(
  changes: readonly ClassifiedChange[],
  before: ChangeColumns,
): ChangeColumns {
  const widest = Math.max(before.key, ...changes.map((change) => nameOf(change).length));
  return { ...before, key: Math.min(KEY_WIDTH_MAX, widest) };
}

/** A change as one line and further facts below it, aligned. */
export function changeLines(
  change: ClassifiedChange,
  monitor: MonitorSpec,
  columns: ChangeColumns,
  look: Look,
): readonly string[] {
  const { style } = look;
  const word = categoryWord(change);
  const paint =
    { new: style.green, deleted: style.red, status: style.yellow, price: style.cyan }[word] ??
    style.dim;
  const head = [
    style.dim(look.times.full(change.at)),
    pad(change.stream, columns.stream, "left"),
    pad(cleanText(nameOf(change)), columns.key, "left"),
    paint(pad(word, 7, "left")),
  ].join("  ");
  const margin = " ".repeat(
    19 + 2 + columns.stream + 2 + Math.max(columns.key, nameOf(change).length) + 2 + 7 + 2,
  );
  const [first = "", ...more] = changeFacts(change, monitor);
  const room = Math.max(20, look.columns - margin.length - 1);
  return [
    `${head}  ${clip(first, room)}`.trimEnd(),
    ...more.map((fact) => margin + clip(fact, room)),
  ];
}

/** One sentence on a record's history: `4 changes since …: price 3 times, 450,000 → 440,000; …`. */
export function historyInWords(
  changes: readonly ClassifiedChange[],
  monitor: MonitorSpec,
  look: Look,
): string {
  const oldestFirst = [...changes].reverse();
  const [first] = oldestFirst;
  if (first === undefined) return "No change is recorded.";
  const paths = [...monitor.status, ...monitor.price].flatMap((field) => {
    const steps = oldestFirst.flatMap((change) =>
      change.fields.filter((entry) => entry.field === field),
    );
    const [start] = steps;
    if (start === undefined) return [];
    const isAmount = monitor.price.includes(field);
    const values = [start.before, ...steps.map((step) => step.after)].map((value) =>
      showValue(value, isAmount),
    );
    const shown = values.length > 5 ? [...values.slice(0, 2), "…", ...values.slice(-2)] : values;
    return [`${field} ${shown.join(" → ")}`];
  });
  const count = `${plural(changes.length, "change")} since ${look.times.full(first.at)}`;
  return paths.length === 0 ? `${count}.` : `${count}: ${paths.join("; ")}.`;
}
