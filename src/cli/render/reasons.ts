import type { FieldReason, RecordReason } from "../../model/reconcile.ts";
import type { Value } from "../../model/value.ts";
import type { Look } from "./look.ts";
import { cleanText } from "./style.ts";
import { formatAge, sourceTimeMs } from "./times.ts";
import { clipApart, listDifference, showValue } from "./values.ts";

/** `a`, `a and b`, `a, b and c`. */
export function sidesInWords(sides: readonly string[]): string {
  const names = sides.map(cleanText);
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}

/** A value that a side says, cut where it is long. */
export function showSaid(value: Value | undefined): string {
  return showBeside([value])[0] ?? "";
}

/** Values that are compared, cut so that it is seen where they differ. */
export function showBeside(
  values: readonly (Value | undefined)[],
  width?: number,
): readonly string[] {
  return clipApart(values.map(showWhole), width);
}

/** The whole of a value; one with blanks at its ends in quotes, so that they are seen. */
export function showWhole(value: Value | undefined): string {
  const isBlankEnded = typeof value === "string" && value !== "" && value.trim() !== value;
  return isBlankEnded ? `"${cleanText(value)}"` : showValue(value);
}

/** `10 → 12`, `+red −blue`. */
export function showStep(before: Value | undefined, after: Value | undefined): string {
  if (Array.isArray(before) && Array.isArray(after)) return listDifference(before, after);
  return showBeside([before, after]).join(" → ");
}

/** When a side wrote: `2026-01-02 10:00:00 (3 d ago)`; nothing where it is not known. */
export function showWritten(at: string | undefined, { times, now }: Look): string {
  const ms = at === undefined ? undefined : sourceTimeMs(at);
  return ms === undefined ? "" : `${times.full(ms)} (${formatAge(ms, now)})`;
}

/** Why a field has its value, on one line. */
export function reasonInWords(reason: FieldReason, look: Look): string {
  switch (reason.kind) {
    case "agreed":
      return "as agreed before";
    case "changed":
      return reason.by.length === 1
        ? `from ${sidesInWords(reason.by)}, changed`
        : `${sidesInWords(reason.by)} changed it alike`;
    case "joined":
      return `from ${sidesInWords(reason.by)}`;
    case "decided": {
      const beaten = reason.beat.map(({ side, value }) => `${cleanText(side)} ${showSaid(value)}`);
      const beats = beaten.length === 0 ? "" : `; beats ${beaten.join(" and ")}`;
      return `${decisionInWords(reason, look)}${beats}`;
    }
    case "review":
      return `waits: ${cleanText(reason.why)}`;
  }
}

const SOURCE_TIME = /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g;

/** The policy and its reason, with times as a person has them. */
export function decisionInWords(
  { policy, why }: FieldReason & { readonly kind: "decided" },
  { times }: Look,
): string {
  const told = why.replace(SOURCE_TIME, (text) => times.full(sourceTimeMs(text) ?? 0));
  const [name = policy] = policy.split(/[:,]/);
  return cleanText(why.startsWith(name) ? told : `${name}: ${told}`);
}

/** What happens to the record as a whole; nothing where only its fields change. */
export function recordInWords(record: RecordReason): string {
  switch (record.kind) {
    case "kept":
    case "undone":
      return "";
    case "first-met":
      return record.sides.length === 1
        ? `only on ${sidesInWords(record.sides)}`
        : `met for the first time on ${sidesInWords(record.sides)}`;
    case "deleted":
      return `deleted on ${sidesInWords(record.by)}`;
    case "edit-beat-delete":
      return `${lostInWords(record)}: ${record.decided === undefined ? "the edit wins" : `kept, as ${cleanText(record.decided.by)} decided`}`;
    case "delete-beat-edit":
      return `edited on ${sidesInWords(record.edited)}, but deleted on ${sidesInWords(record.deleted)}: ${record.decided === undefined ? "the deletion wins" : `deleted, as ${cleanText(record.decided.by)} decided`}`;
    case "delete-review":
      return `edited on ${sidesInWords(record.edited)}, deleted on ${sidesInWords(record.deleted)}`;
    case "ended":
      return "gone on every side";
  }
}

/** Where a person keeps a record, its edit may be taken back since. */
function lostInWords({ edited, deleted }: RecordReason & { readonly kind: "edit-beat-delete" }) {
  const gone = `deleted on ${sidesInWords(deleted)}`;
  return edited.length === 0 ? gone : `${gone}, but edited on ${sidesInWords(edited)}`;
}
