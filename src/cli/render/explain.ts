import type {
  Explanation,
  FieldExplanation,
  Provenance,
} from "../../engine/reconcile/explain-value.ts";
import { writeTable } from "./history.ts";
import type { Look } from "./look.ts";
import {
  decisionInWords,
  recordInWords,
  showBeside,
  showSaid,
  showWritten,
  sidesInWords,
} from "./reasons.ts";
import { questionLines } from "./sides-plan.ts";
import { cleanText, typedWord } from "./style.ts";
import { indent, table } from "./table.ts";
import { formatAge } from "./times.ts";

/** A record's values as a short story: one field's in full, all fields' in a table. */
export function explainLines(
  sync: string,
  { name, fields, ended, conflict }: Explanation,
  look: Look,
): readonly string[] {
  const [only, ...others] = fields;
  const life = waitLines(conflict, look);
  if (only !== undefined && others.length === 0)
    return fieldLines({ name, ended, life }, only, look);
  const { style } = look;
  const first = fields[0]?.sides ?? [];
  const keys = first.map(({ side, key }) => `${side} ${key}`).map(cleanText);
  return [
    `${style.bold(cleanText(name))} of ${sync}  ${style.dim(keys.join(", "))}`.trimEnd(),
    ...(ended === undefined ? [] : indent([endInWords(ended, look)])),
    "",
    ...table(
      [
        { title: "field" },
        { title: ended === undefined ? "agreed" : "last agreed" },
        { title: "from" },
        { title: "when" },
        { title: "" },
      ],
      fields.map((field) => [
        cleanText(field.field),
        field.agreed === undefined ? style.dim("never agreed") : showSaid(field.agreed),
        originOf(field.history[0]),
        field.history[0] === undefined ? "" : formatAge(field.history[0].at, look.now),
        standing(field, look),
      ]),
      style,
    ),
    ...life,
    "",
    style.dim(`lockstep explain ${sync} ${typedWord(name)} FIELD tells all of one field.`),
  ];
}

function originOf(origin: Provenance | undefined): string {
  if (origin === undefined) return "";
  const { reason, record } = origin;
  if (record.kind === "undone") return `the undo of ${record.runId}`;
  if (reason.kind === "changed" || reason.kind === "joined") return sidesInWords(reason.by);
  if (reason.kind === "decided") return cleanText(reason.from ?? reason.policy);
  return "";
}

function standing({ conflict, sides }: FieldExplanation, { style }: Look): string {
  const behind = sides.filter(({ isBehind }) => isBehind).map(({ side }) => side);
  const lossy = sides.filter(({ isLossy }) => isLossy).map(({ side }) => side);
  return [
    ...(conflict === undefined ? [] : [style.cyan("waits for a person")]),
    ...(conflict !== undefined || behind.length === 0
      ? []
      : [style.yellow(`${sidesInWords(behind)} was not told yet`)]),
    ...(lossy.length === 0 ? [] : [`${sidesInWords(lossy)} keeps it in its own way`]),
  ].join("; ");
}

type Ended = NonNullable<Explanation["ended"]>;

/** When, and why, a record ended. */
function endInWords({ runId, at, record }: Ended, { times, now }: Look): string {
  const told = recordInWords(record) || "let go, since the run that met it was undone";
  return `${times.full(at)} (${formatAge(at, now)}), in run ${runId}: the record ended, ${told}.`;
}

interface AroundField {
  readonly name: string;
  readonly ended: Ended | undefined;
  /** What waits of the whole record. */
  readonly life: readonly string[];
}

function fieldLines(
  { name, ended, life }: AroundField,
  field: FieldExplanation,
  look: Look,
): readonly string[] {
  const { style } = look;
  const [origin, ...earlier] = field.history;
  const subject = `${style.bold(cleanText(name))} ${cleanText(field.field)}`;
  const [is, yet] = ended === undefined ? ["is", "is not agreed yet"] : ["was", "was never agreed"];
  const value = field.agreed === undefined ? yet : `${is} ${showSaid(field.agreed)}`;
  return [
    `${subject} ${value}.`,
    ...(ended === undefined ? [] : indent([endInWords(ended, look)])),
    ...indent(
      origin === undefined ? ["Nothing is known of how it came to be."] : story(origin, look),
    ),
    ...(ended === undefined ? sideLines(field, look) : []),
    ...waitLines(field.conflict, look),
    ...life,
    ...(earlier.length === 0 ? [] : ["", style.bold("Before that")]),
    ...indent(earlier.flatMap((one) => story(one, look))),
    ...(field.writes.length === 0 ? [] : ["", ...writeTable(field.writes, look, false)]),
  ];
}

function sideLines({ sides }: FieldExplanation, { style }: Look): readonly string[] {
  const shown = showBeside(sides.map(({ value }) => value));
  return [
    "",
    ...table(
      [{ title: "side" }, { title: "has" }, { title: "key" }, { title: "" }],
      sides.map(({ side, key, value: said, isBehind, isLossy }, at) => [
        style.bold(cleanText(side)),
        said === undefined ? style.dim("never said") : (shown[at] ?? ""),
        cleanText(key),
        isBehind
          ? style.yellow("was not told the agreed value yet")
          : isLossy
            ? "gives the agreed value back in its own way"
            : "",
      ]),
      style,
    ),
  ];
}

/** What waits for a person: a field's value, or whether the record lives. */
function waitLines(conflict: FieldExplanation["conflict"], look: Look): readonly string[] {
  if (conflict === undefined) return [];
  const { id, resolution } = conflict;
  const next =
    resolution === undefined
      ? `lockstep conflicts show ${id}  has the ways to decide it`
      : `decided by ${cleanText(resolution.by)}; the next run carries it out`;
  return ["", ...questionLines(conflict, look), ...indent([next])];
}

/** One decision, as sentences. */
function story({ at, runId, before, after, reason, record }: Provenance, look: Look): string[] {
  const when = `${look.times.full(at)} (${formatAge(at, look.now)}), in run ${runId}`;
  const step =
    before === undefined
      ? `became ${showSaid(after)}`
      : showBeside([before, after]).join(" became ");
  const told = recordInWords(record);
  const about = told === "" ? "" : ` The record was ${told}.`;
  if (record.kind === "undone") {
    return [`${when}: ${step}, since the run ${record.runId} was undone.`];
  }
  switch (reason.kind) {
    case "changed":
      return [
        `${when}: ${step}; ${sidesInWords(reason.by)} changed it and no other side did.${about}`,
      ];
    case "joined":
      return [`${when}: ${step}, as ${sidesInWords(reason.by)} had it.${about}`];
    case "decided": {
      const from = reason.from === undefined ? "" : `, from ${cleanText(reason.from)}`;
      const beaten = reason.beat.map(({ side, value, at: wrote }) => {
        const written = showWritten(wrote, look);
        return `  It beat ${cleanText(side)}: ${showSaid(value)}${written === "" ? "" : `, written ${written}`}.`;
      });
      return [
        `${when}: ${step}${from}.${about}`,
        `  Rule: ${decisionInWords(reason, look)}.`,
        ...beaten,
      ];
    }
    case "review":
      return [`${when}: it began to wait for a person: ${cleanText(reason.why)}.`];
    case "agreed":
      return [`${when}: ${step}.`];
  }
}
