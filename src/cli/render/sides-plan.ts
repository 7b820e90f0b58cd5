import { ambiguousInWords } from "../../engine/reconcile/match-staged.ts";
import type {
  PlannedChange,
  PlannedQuestion,
  PlannedWrite,
  SidesPlan,
} from "../../engine/reconcile/plan-view.ts";
import type { Ambiguous } from "../../model/plan.ts";
import type { Look } from "./look.ts";
import { formatCount, plural } from "./numbers.ts";
import {
  reasonInWords,
  recordInWords,
  showBeside,
  showSaid,
  showStep,
  showWritten,
  sidesInWords,
} from "./reasons.ts";
import { cleanText, clip, visibleWidth } from "./style.ts";
import { commandLines, indent, pad, table } from "./table.ts";

/** A plan like a diff: first whether there is something to do and where, then record by record. */
export function sidesPlanLines(
  plan: SidesPlan,
  look: Look,
  { first = false }: { readonly first?: boolean } = {},
): readonly string[] {
  const { style } = look;
  const isQuiet = !plan.due && plan.halts.length === 0 && plan.records.waiting === 0;
  const notes = [...ambiguousLines(plan.ambiguous, look), ...noteLines(plan)];
  if (isQuiet && notes.length === 0 && !first) return [headline(plan, look)];
  return [
    headline(plan, look),
    ...haltLines(plan, look),
    "",
    ...sidesTable(plan, look),
    "",
    style.dim(`  ${recordsLine(plan)}`),
    ...(first ? metLines(plan, look) : []),
    ...plan.changes.flatMap((change) => ["", ...changeLines(change, look)]),
    ...(plan.more === 0
      ? []
      : ["", `${plural(plan.more, "more record")}; --all shows them, --limit N so many.`]),
    ...notes,
    ...nextLines(plan, look, first),
  ];
}

function headline(plan: SidesPlan, { style }: Look): string {
  const { sync, undoes, records, unread = [] } = plan;
  const what = writesInWords(plan);
  const waits = [
    ...(records.waiting === 0 ? [] : [waitsInWords(records.waiting)]),
    ...(records.parked === 0 ? [] : [`${plural(records.parked, "refused write")} parked`]),
    ...(records.outOfStep === 0 ? [] : ["records are left out of step"]),
    ...(unread.length === 0 ? [] : [`${sidesInWords(unread.map(cleanText))} could not be read`]),
  ].join("; ");
  const name = undoes === undefined ? sync : `undo run ${undoes} of ${sync}`;
  if (plan.halts.length > 0) {
    return `${style.red("Would halt:")} ${name}${what === "" ? "" : `: ${what}`}.`;
  }
  if (what !== "") {
    return `${style.yellow("To do:")} ${name}: ${what}${waits === "" ? "" : `; ${waits}`}.`;
  }
  if (plan.due) {
    const told = [
      ...(records.agreed === 0
        ? []
        : [`nothing to write, ${plural(records.agreed, "record")} to agree on`]),
      ...(waits === "" ? [] : [waits]),
    ];
    return `${style.yellow("To do:")} ${name}: ${told.join("; ") || "nothing to write"}.`;
  }
  return waits === ""
    ? `${style.green("Nothing to do:")} ${sync} is in step.`
    : `${style.yellow("Nothing to do by itself:")} ${sync}: ${waits}.`;
}

function waitsInWords(count: number): string {
  return `${plural(count, "record")} ${count === 1 ? "waits" : "wait"} for a person`;
}

/** `1 create and 2 updates on shop, 3 deletes on stock`. */
export function writesInWords({ sides }: Pick<SidesPlan, "sides">): string {
  return sides
    .flatMap(({ side, creates, updates, deletes }) => {
      const kinds = [
        ...(creates === 0 ? [] : [plural(creates, "create")]),
        ...(updates === 0 ? [] : [plural(updates, "update")]),
        ...(deletes === 0 ? [] : [plural(deletes, "delete")]),
      ];
      return kinds.length === 0 ? [] : [`${sidesInWords(kinds)} on ${cleanText(side)}`];
    })
    .join(", ");
}

/** Why a run would write nothing, and what lets it go on. */
export function haltLines({ halts }: Pick<SidesPlan, "halts">, { style }: Look): readonly string[] {
  return halts.flatMap(({ code, message, release }) => [
    `  ${style.red("✘")} ${cleanText(message)} ${style.dim(code)}`,
    ...indent([`  ${cleanText(release)}`]),
  ]);
}

function sidesTable({ sides, undoes, unread = [] }: SidesPlan, { style }: Look): readonly string[] {
  const count = (value: number, sign: string): string =>
    value === 0 ? style.dim("0") : `${sign}${formatCount(value)}`;
  const unseen = (side: string): string => (unread.includes(side) ? "not read" : "changes");
  // An undo rests on what was written, not on an observation.
  const observed = undoes === undefined ? ["known", "seen"] : [];
  return table(
    [
      { title: "side" },
      { title: "stream" },
      ...[...observed, "creates", "updates", "deletes"].map((title) => ({
        title,
        align: "right" as const,
      })),
    ],
    sides.map(({ side, system, stream, known, seen, creates, updates, deletes }) => [
      style.bold(cleanText(side)),
      cleanText(`${system} ${stream}`),
      ...(undoes === undefined
        ? [formatCount(known), seen === undefined ? style.dim(unseen(side)) : formatCount(seen)]
        : []),
      style.green(count(creates, "+")),
      style.yellow(count(updates, "~")),
      style.red(count(deletes, "-")),
    ]),
    style,
  );
}

function recordsLine({ records, undoes }: SidesPlan): string {
  const { compared, matched, alone, agreed, waiting } = records;
  if (undoes !== undefined) return `${plural(compared, "record")} written by that run`;
  const parts = [
    `${plural(compared, "record")} looked at`,
    ...(matched + alone === 0
      ? []
      : [`${formatCount(matched)} newly matched, ${formatCount(alone)} on one side only`]),
    ...(agreed === 0 ? [] : [`${formatCount(agreed)} agreed without a write`]),
    ...(waiting === 0 ? [] : [`${formatCount(waiting)} waiting`]),
  ];
  return parts.join("; ");
}

/** How records find one another at the first sync. */
function metLines({ met, ambiguous }: SidesPlan, { style }: Look): readonly string[] {
  if (met.length === 0 && ambiguous.length === 0)
    return ["", "No record is met for the first time."];
  const rows = met.map(({ sides, count, differ, samples }) => {
    const isAlone = sides.length === 1;
    return [
      isAlone ? `only on ${sidesInWords(sides)}` : `on ${sidesInWords(sides)}`,
      formatCount(count),
      isAlone ? "" : formatCount(differ),
      samples.map(cleanText).join(", ") + (count > samples.length ? ", …" : ""),
    ];
  });
  const refused = ambiguous.map(({ name }) => cleanText(name));
  const last =
    refused.length === 0
      ? []
      : [
          [
            style.yellow("ambiguous"),
            formatCount(refused.length),
            "",
            refused.slice(0, 5).join(", ") + (refused.length > 5 ? ", …" : ""),
          ],
        ];
  return [
    "",
    ...table(
      [
        { title: "first met" },
        { title: "records", align: "right" },
        { title: "differ", align: "right" },
        { title: "such as" },
      ],
      [...rows, ...last],
      style,
    ),
  ];
}

/** One record of the diff. */
function changeLines(change: PlannedChange, look: Look): readonly string[] {
  const { style } = look;
  const { name, record, writes, waits, troubles } = change;
  const told = recordInWords(record) || placeInWords(record, writes);
  return [
    `${signOf(change, look)} ${style.bold(cleanText(name))}${told === "" ? "" : `  ${style.dim(told)}`}`,
    ...indent(indent(writeLines(writes, record.kind === "undone", look))),
    ...indent(indent(waits.flatMap((wait) => questionLines(wait, look)))),
    ...indent(indent(troubles.map((trouble) => style.yellow(cleanText(trouble))))),
  ];
}

/** Of a record that lives on: where it is missing, and where it fulfils the filter no longer. */
function placeInWords({ kind }: PlannedChange["record"], writes: PlannedChange["writes"]): string {
  const sides = (wanted: "create" | "delete"): readonly string[] =>
    writes.flatMap((write) => (write.kind === wanted ? [cleanText(write.side)] : []));
  const [made, gone] = [sides("create"), sides("delete")];
  if (kind !== "kept") return "";
  return [
    ...(made.length === 0 ? [] : [`missing on ${sidesInWords(made)}`]),
    ...(gone.length === 0 ? [] : [`has no place on ${sidesInWords(gone)} any more`]),
  ].join("; ");
}

function signOf({ writes, waits }: PlannedChange, { style }: Look): string {
  const kinds = new Set(writes.map(({ kind }) => kind));
  if (kinds.has("delete")) return style.red("-");
  if (kinds.has("update")) return style.yellow("~");
  if (kinds.has("create")) return style.green("+");
  return waits.length > 0 ? style.cyan("?") : style.yellow("~");
}

/** Updates field by field with their reasons; creates and deletes on one line each. */
function writeLines(
  writes: readonly PlannedWrite[],
  isUndo: boolean,
  look: Look,
): readonly string[] {
  const { style } = look;
  const sideWidth = Math.max(0, ...writes.map(({ side }) => visibleWidth(side)));
  const updated = writes.filter(({ kind }) => kind === "update").flatMap(({ fields }) => fields);
  const fieldWidth = Math.max(0, ...updated.map(({ field }) => visibleWidth(field)));
  const steps = updated.map(({ before, after }) => showStep(before, after));
  const stepWidth = Math.max(0, ...steps.map(visibleWidth));
  return writes.flatMap((write) => {
    const side = pad(cleanText(write.side), sideWidth, "left");
    if (write.kind !== "update")
      return [clip(`${side}  ${wholeInWords(write, look)}`, look.columns - 4)];
    return write.fields.map(({ field, before, after, reason }, index) => {
      const label = index === 0 ? side : " ".repeat(sideWidth);
      const step = pad(showStep(before, after), stepWidth, "left");
      const why = isUndo ? "as before that run" : whyInWords(write, reason, look);
      return `${label}  ${pad(cleanText(field), fieldWidth, "left")}  ${step}  ${why === "" ? "" : style.dim(why)}`.trimEnd();
    });
  });
}

function whyInWords(
  { marks }: PlannedWrite,
  reason: PlannedWrite["fields"][number]["reason"],
  look: Look,
): string {
  if (marks === true) return "marks it as deleted";
  return reason === undefined ? "" : reasonInWords(reason, look);
}

function wholeInWords({ kind, fields }: PlannedWrite, { style }: Look): string {
  const isCreate = kind === "create";
  const values = fields
    .map(({ field, before, after }) => ({ field, value: isCreate ? after : before }))
    .filter(({ value }) => value !== undefined && value !== null)
    .map(({ field, value }) => `${cleanText(field)} ${showSaid(value)}`)
    .join(", ");
  const verb = isCreate ? style.green("create") : style.red("delete");
  return `${verb}  ${values}`;
}

/** What waits: the question, the base, and what each side says and since when. */
export function questionLines(wait: PlannedQuestion, look: Look): readonly string[] {
  const { style } = look;
  const { field, why, base, candidates } = wait;
  if (field === undefined) {
    return [`${style.cyan("waits")}  does it live? ${cleanText(why)}`, ...lifeLines(wait, look)];
  }
  const [agreed, ...said] = showBeside([base, ...candidates.map(({ value }) => value)]);
  const rows = [
    ["base", base === undefined ? style.dim("never agreed") : (agreed ?? ""), ""],
    ...candidates.map(({ side, at }, index) => [
      cleanText(side),
      said[index] ?? "",
      style.dim(showWritten(at, look)),
    ]),
  ];
  const columns = [{ title: "" }, { title: "" }, { title: "" }];
  return [
    `${style.cyan("waits")}  ${cleanText(field)}: ${cleanText(why)}`,
    ...indent(table(columns, rows, style).slice(1)),
  ];
}

/** What each side says where a record's life is asked about; nothing was kept of an old question. */
function lifeLines({ candidates }: PlannedQuestion, look: Look): readonly string[] {
  if (candidates.length === 0) return [];
  const rows = candidates.map(({ side, field, deleted, value, at }) => [
    cleanText(side),
    deleted === true ? look.style.red("deleted") : cleanText(field ?? ""),
    deleted === true ? "" : showSaid(value),
    look.style.dim(showWritten(at, look)),
  ]);
  const columns = [{ title: "" }, { title: "" }, { title: "" }, { title: "" }];
  return indent(table(columns, rows, look.style).slice(1));
}

const AMBIGUOUS_SHOWN = 10;

function ambiguousLines(ambiguous: readonly Ambiguous[], { style }: Look): readonly string[] {
  if (ambiguous.length === 0) return [];
  const rows = ambiguous.slice(0, AMBIGUOUS_SHOWN).map(({ name, keys }) => [
    style.bold(cleanText(name)),
    Object.entries(keys)
      .map(([side, own]) => `${side}: ${own.length === 0 ? "linked" : own.join(", ")}`)
      .map(cleanText)
      .join("; "),
  ]);
  const rest = ambiguous.length - rows.length;
  return [
    "",
    `${style.yellow("Not matched,")} since the name stands more than once; nothing is written for ${ambiguous.length === 1 ? "it" : "them"}:`,
    ...indent(table([{ title: "" }, { title: "" }], rows, style).slice(1)),
    ...(rest > 0 ? [`  and ${plural(rest, "more", "more")}`] : []),
  ];
}

function noteLines({ notes, ambiguous, changes }: SidesPlan): readonly string[] {
  const shown = new Set(
    changes.flatMap(({ name, troubles }) => troubles.map((trouble) => `"${name}": ${trouble}`)),
  );
  if (ambiguous.length > 0) shown.add(ambiguousInWords(ambiguous.length));
  const told = notes.filter((note) => !shown.has(note));
  return told.length === 0 ? [] : ["", ...told.map((note) => `Note: ${cleanText(note)}`)];
}

function nextLines(plan: SidesPlan, { style }: Look, first: boolean): readonly string[] {
  const { sync, undoes, records, halts, met } = plan;
  if (undoes !== undefined) return [];
  // What stands as a halt already has its number, and is told above with it.
  const isNumbered = halts.length > 0 && halts.every(({ id }) => id !== undefined);
  const apply =
    halts.length > 0 ? "stops there and gives the number to release" : "does exactly this";
  const steps: readonly (readonly [string, string])[] = [
    ...(met.length > 0 && !first
      ? [[`lockstep plan ${sync} --first`, "shows which records find one another"] as const]
      : []),
    ...((plan.due || halts.length > 0) && !isNumbered
      ? [[`lockstep apply ${sync}`, apply] as const]
      : []),
    ...(records.waiting > 0
      ? ([
          [`lockstep conflicts ${sync}`, `${plan.due ? "then decides" : "decides"} what waits`],
        ] as const)
      : []),
  ];
  return steps.length === 0 ? [] : ["", style.bold("Next:"), ...commandLines(steps)];
}
