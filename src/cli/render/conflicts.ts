import type { KeptRule } from "../../engine/reconcile/kept-rules.ts";
import type { OpenConflict, Resolution } from "../../model/plan.ts";
import type { ConflictsJson, ResolvedJson } from "../json.ts";
import type { Look } from "./look.ts";
import { formatCount, plural } from "./numbers.ts";
import { showBeside, showSaid, showWhole, showWritten, sidesInWords } from "./reasons.ts";
import { questionLines } from "./sides-plan.ts";
import { cleanText, clip, typedWord, visibleWidth } from "./style.ts";
import { commandLines, indent, table } from "./table.ts";
import { formatAge } from "./times.ts";

/** How much of each value is shown at most; the first with which the table fits the terminal. */
const SAID_CLIPS = [48, 32, 24, 16, 12];

/** What waits, field by field: each conflict with the base and what every side says. */
export function conflictLines(
  { conflicts, truncated }: ConflictsJson,
  look: Look,
): readonly string[] {
  const { style } = look;
  if (conflicts.length === 0) return ["Nothing waits for a decision."];
  const groups = Map.groupBy(conflicts, ({ sync, field }) => JSON.stringify([sync, field ?? ""]));
  const waiting = conflicts.filter(({ resolution }) => resolution === undefined).length;
  const first = conflicts.find(({ resolution }) => resolution === undefined);
  return [
    waiting === 0
      ? `Nothing waits for a decision; the next run carries out ${plural(conflicts.length, "decision")}.`
      : `${plural(waiting, "conflict")} ${waiting === 1 ? "waits" : "wait"} for a decision${truncated ? ", and more" : ""}.`,
    ...[...groups.values()].flatMap((group) => ["", ...groupLines(group, look)]),
    ...(truncated ? ["", "There are more; --limit N shows so many, --limit 0 all of them."] : []),
    ...(first === undefined
      ? []
      : [
          "",
          style.bold("Next:"),
          `  lockstep conflicts resolve ${first.id} ${answersInWords(first)}, then lockstep run ${first.sync}`,
        ]),
  ];
}

/** An answer that the question takes, and the others. */
function answersInWords({ field, candidates }: OpenConflict): string {
  if (field === undefined) return "--keep  (or --delete)";
  return `--take ${cleanText(candidates[0]?.side ?? "SIDE")}  (or --value V, --merge)`;
}

function groupLines(group: readonly OpenConflict[], look: Look): readonly string[] {
  const { style, columns } = look;
  const [first] = group;
  if (first === undefined) return [];
  const sides = [
    ...new Set(group.flatMap(({ candidates }) => candidates.map(({ side }) => side))),
  ].sort();
  const title = first.field === undefined ? "whether the record lives" : cleanText(first.field);
  const headed = `${style.cyan(title)}  ${style.dim(`${cleanText(first.sync)}, ${formatCount(group.length)}`)}`;
  const titles = [
    { title: "id", align: "right" as const },
    { title: "record" },
    { title: first.field === undefined ? "why" : "base" },
    ...sides.map((side) => ({ title: side })),
    { title: "waits since" },
  ];
  const drawn = SAID_CLIPS.map((width) => {
    const rows = group.map((conflict) => groupRow(conflict, sides, width, look));
    return table(titles, rows, style);
  });
  const fits = (lines: readonly string[]): boolean =>
    lines.every((line) => visibleWidth(line) <= columns);
  return [headed, ...(drawn.find(fits) ?? drawn.at(-1) ?? [])];
}

function groupRow(
  { id, name, base, candidates, openedAt, resolution, why, field }: OpenConflict,
  sides: readonly string[],
  width: number,
  look: Look,
): readonly string[] {
  const { style, now } = look;
  const [agreed, ...said] = showBeside([base, ...candidates.map(({ value }) => value)], width);
  const shown = candidates.map((one, at) => ({ ...one, shown: said[at] ?? "" }));
  return [
    String(id),
    style.bold(cleanText(name)),
    field === undefined ? cleanText(why) : base === undefined ? style.dim("—") : (agreed ?? ""),
    ...sides.map((side) =>
      candidatesInWords(
        shown.filter((one) => one.side === side),
        width,
        look,
      ),
    ),
    resolution === undefined
      ? style.dim(formatAge(openedAt, now))
      : style.green(resolutionInWords(resolution)),
  ];
}

/** What one side says: a value, or of a record's life `deleted`, or its fields with their values. */
function candidatesInWords(
  candidates: readonly (OpenConflict["candidates"][number] & { readonly shown: string })[],
  width: number,
  look: Look,
): string {
  const [first] = candidates;
  if (first === undefined) return "";
  const said = candidates.map(({ field, deleted, shown }) => {
    if (deleted === true) return "deleted";
    return field === undefined ? shown : `${cleanText(field)} ${shown}`;
  });
  const written = showWritten(first.at, look).replace(/^.*\(|\)$/g, "");
  const when = written === "" ? "" : look.style.dim(` (${written})`);
  return `${clip(said.join(", "), width + 16)}${when}`;
}

/** `take shop, by Dana`. */
function resolutionInWords({ by, take, value, merge, deletes }: Resolution): string {
  const what =
    take !== undefined
      ? `take ${take}`
      : merge === true
        ? "merge"
        : deletes !== undefined
          ? deletes
            ? "delete it"
            : "keep it"
          : `set ${showSaid(value)}`;
  return cleanText(`${what}, by ${by}; waits for the next run`);
}

/** One conflict, with the command for each way to decide it. */
export function conflictStory(conflict: OpenConflict, look: Look): readonly string[] {
  const { style, times, now } = look;
  const { id, sync, name, field, why, base, candidates, openedAt, runId, resolution } = conflict;
  const question = {
    why,
    candidates,
    ...(field === undefined ? {} : { field }),
    ...(base === undefined ? {} : { base }),
  };
  const command = `lockstep conflicts resolve ${id}`;
  const shown = showBeside([base, ...candidates.map(({ value }) => value)]).slice(1);
  const ways: readonly (readonly [string, string])[] =
    field === undefined
      ? [
          [`${command} --delete`, "deletes it everywhere"],
          [`${command} --keep`, "keeps it everywhere"],
        ]
      : [
          ...candidates.map(
            ({ side }, at) =>
              [`${command} --take ${cleanText(side)}`, `${shown[at]} for all`] as const,
          ),
          [`${command} --value V`, "another value for all; --empty for none"],
          [`${command} --merge`, "fills blanks, unites lists, keeps the later time"],
          [
            `lockstep explain ${sync} ${typedWord(name)} ${typedWord(field)}`,
            "how it came to this",
          ],
        ];
  return [
    `Conflict ${id}  ${style.bold(cleanText(name))} of ${sync}, since ${times.full(openedAt)} (${formatAge(openedAt, now)}), run ${runId}`,
    "",
    ...questionLines(question, look),
    ...wholeLines(conflict, look),
    "",
    ...(resolution === undefined
      ? [style.bold("Decide it with"), ...commandLines(ways)]
      : [`${style.green("Decided:")} ${resolutionInWords(resolution)} (lockstep run ${sync}).`]),
  ];
}

/** The whole of what was cut, so that nobody decides about a value by its beginning. */
function wholeLines({ base, candidates }: OpenConflict, { style }: Look): readonly string[] {
  const said = candidates.map(({ side, field, value }) => ({
    who: [side, ...(field === undefined ? [] : [field])].map(cleanText).join(" "),
    value,
  }));
  const cut = [...(base === undefined ? [] : [{ who: "base", value: base }]), ...said].filter(
    ({ value }) => showWhole(value) !== showSaid(value),
  );
  if (cut.length === 0) return [];
  const told = cut.map(({ who, value }) => [`${who}:`, `  ${showWhole(value)}`]);
  return ["", style.bold("In full"), ...indent(told.flat())];
}

/** What was decided, what could not be, and what is left to do. */
export function resolvedLines(
  { resolved, refused, rules }: ResolvedJson,
  { style }: Look,
): readonly string[] {
  const [first] = resolved;
  const by = cleanText(first?.resolution?.by ?? "");
  return [
    resolved.length === 0
      ? `${style.red("Nothing was decided.")}`
      : `${style.green("Decided:")} ${plural(resolved.length, "conflict")}, by ${by}.`,
    ...indent([
      ...refused.map(
        ({ conflict, why }) =>
          `${style.yellow("✘")} ${cleanText([conflict.id, conflict.name, conflict.field ?? []].flat().join(" "))}: ${cleanText(why)}`,
      ),
      ...rules.map(
        (rule) =>
          `Rule ${rule.id}: ${cleanText(rule.field ?? "any field")} ${ruleInWords(rule)} from now on (lockstep conflicts forget-rule ${rule.id} takes it back).`,
      ),
    ]),
    ...(first === undefined ? [] : [`Next: lockstep run ${first.sync}`]),
  ];
}

/** `is taken from shop`, `is merged`, `is "grey" where "Grey" meets "gray"`. */
export function ruleInWords(rule: KeptRule): string {
  if ("prefer" in rule) return `is taken from ${cleanText(sidesInWords([rule.prefer]))}`;
  if ("merge" in rule) return "is merged";
  const met = rule.when.map((value) => cleanText(JSON.stringify(value)));
  return `is ${cleanText(JSON.stringify(rule.value))} where ${met.join(" meets ")}`;
}

export function ruleLines(rules: readonly KeptRule[], look: Look): readonly string[] {
  if (rules.length === 0) return ["No decision was kept as a rule."];
  return table(
    [
      { title: "rule", align: "right" },
      { title: "sync" },
      { title: "field" },
      { title: "decides" },
      { title: "by" },
      { title: "since" },
    ],
    rules.map((rule) => [
      String(rule.id),
      cleanText(rule.sync),
      cleanText(rule.field ?? "any"),
      ruleInWords(rule),
      cleanText(rule.by),
      look.times.full(rule.at),
    ]),
    look.style,
  );
}
