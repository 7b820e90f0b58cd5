import type { SidesRun } from "../json.ts";
import type { Look } from "./look.ts";
import { formatCount, plural } from "./numbers.ts";
import { cleanText } from "./style.ts";
import { commandLines, indent, table } from "./table.ts";
import { formatDuration } from "./times.ts";

/** What a run of sides came to: whether all is well, what each side was told, what is left. */
export function sidesRunLines(run: SidesRun, look: Look): readonly string[] {
  const { style } = look;
  const { sync, runId, undoes, recovered, troubles, notes, tookMs } = run;
  const total = sum(run, "written");
  const how = style.dim(`(run ${runId}, ${formatDuration(tookMs)})`);
  const nothing = refused(run) === 0 ? "nothing had to be written" : "nothing was written";
  const wrote = total === 0 ? nothing : plural(total, "write");
  const undone =
    refused(run) === 0 ? `run ${undoes} of ${sync} is undone` : `undo of run ${undoes} of ${sync}`;
  const subject = undoes === undefined ? sync : undone;
  return [
    `${outcomeInWords(run, look)} ${subject}: ${wrote} ${how}.`,
    ...indent([
      ...(recovered === 0
        ? []
        : [
            `${plural(recovered, "record")} that a crash had left open ${recovered === 1 ? "was" : "were"} looked into first.`,
          ]),
      ...notes.map((note) => `Note: ${cleanText(note)}`),
    ]),
    ...(total + refused(run) === 0 ? [] : ["", ...sidesTable(run, look)]),
    ...(troubles.length === 0
      ? []
      : ["", ...troubles.map((trouble) => `${style.yellow("✘")} ${cleanText(trouble)}`)]),
    ...nextLines(run, look),
  ];
}

function outcomeInWords(run: SidesRun, { style }: Look): string {
  const { inReview, parked, outOfStep, unread } = run;
  if (refused(run) > 0 || unread !== undefined) return style.yellow("Done in part:");
  if (inReview > 0) return style.yellow("Done, with open conflicts:");
  if (parked > 0) return style.yellow("Done, with parked writes:");
  return outOfStep > 0
    ? style.yellow("Done, with records left out of step:")
    : style.green("Done:");
}

type Outcome = keyof SidesRun["sides"][string];

function sum({ sides }: SidesRun, outcome: Outcome): number {
  return Object.values(sides).reduce((all, counts) => all + counts[outcome], 0);
}

/** Writes that did not come about. */
function refused(run: SidesRun): number {
  return REFUSED.reduce((all, [outcome]) => all + sum(run, outcome), 0);
}

const REFUSED: readonly (readonly [Outcome, string])[] = [
  ["conflict", "changed meanwhile"],
  ["rejected", "refused"],
  ["unknown", "answer lost"],
  ["unsent", "not written"],
];

function sidesTable(run: SidesRun, { style }: Look): readonly string[] {
  const used = REFUSED.filter(([outcome]) => sum(run, outcome) > 0);
  return table(
    [
      { title: "side" },
      { title: "written", align: "right" },
      ...used.map(([, title]) => ({ title, align: "right" as const })),
    ],
    Object.entries(run.sides).map(([side, counts]) => [
      style.bold(cleanText(side)),
      formatCount(counts.written),
      ...used.map(([outcome]) => {
        const count = formatCount(counts[outcome]);
        return counts[outcome] === 0 ? style.dim(count) : style.yellow(count);
      }),
    ]),
    style,
  );
}

function nextLines(run: SidesRun, { style }: Look): readonly string[] {
  const { sync, inReview, undoes, heldBy } = run;
  const again = sum(run, "conflict") + sum(run, "unknown") + sum(run, "unsent");
  const rejected = sum(run, "rejected");
  const steps: readonly (readonly [string, string])[] = [
    ...(inReview === 0
      ? []
      : [
          [
            `lockstep conflicts ${sync}`,
            `decides the ${plural(inReview, "record")} that ${inReview === 1 ? "waits" : "wait"}`,
          ] as const,
        ]),
    ...(again === 0
      ? []
      : [
          [`lockstep history ${sync} --run ${run.runId}`, "shows which were left"] as const,
          [`lockstep plan ${sync}`, "looks again at what could not be written"] as const,
        ]),
    ...(rejected === 0
      ? []
      : [
          [
            `lockstep parked --sync ${sync}`,
            "shows what was refused and why; it is tried again when something changes there, and by itself after a while",
          ] as const,
        ]),
  ];
  const held =
    undoes === undefined || heldBy === undefined
      ? []
      : [
          `  Runs of ${sync} wait now, since they would do the same again. Correct the cause or the rule, then`,
          ...commandLines([[`lockstep release ${heldBy} --by YOUR-NAME`, "lets them go on"]]),
        ];
  const lines = [...commandLines(steps), ...held];
  return lines.length === 0 ? [] : ["", style.bold("Next:"), ...lines];
}
