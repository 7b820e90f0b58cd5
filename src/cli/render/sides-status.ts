import type { ReconcileStatus } from "../../engine/reconcile/describe-sync.ts";
import { haltLines } from "./halts.ts";
import { activity } from "./last-run.ts";
import type { Look } from "./look.ts";
import { formatCount, plural } from "./numbers.ts";
import { cleanText } from "./style.ts";
import { indent, table } from "./table.ts";
import { formatAge } from "./times.ts";

/** How a sync of sides stands: what ran, what waits, and what each side has. */
export function sidesStatusLines(sync: ReconcileStatus, look: Look): readonly string[] {
  const { style } = look;
  const names = sync.sides.map(({ side }) => cleanText(side)).join(" ↔ ");
  return [
    `${style.bold(sync.sync)}  ${names}, ${plural(sync.records, "shared record")}`,
    ...indent([
      activity(sync, look, `never run; lockstep plan ${sync.sync} --first shows what would match`),
      ...runLines(sync),
      ...waitingLines(sync, look),
    ]),
    "",
    ...table(
      [
        { title: "side" },
        { title: "stream" },
        { title: "direction" },
        { title: "records", align: "right" },
        { title: "last run wrote", align: "right" },
        { title: "read whole" },
      ],
      sync.sides.map(({ side, system, stream, direction, records, wholeAt }) => {
        const counts = sync.lastRun?.sides?.[side];
        return [
          style.bold(cleanText(side)),
          cleanText(`${system} ${stream}`),
          direction,
          formatCount(records),
          counts === undefined ? "" : formatCount(counts.written),
          wholeAt === undefined ? "never" : formatAge(wholeAt, look.now),
        ];
      }),
      style,
    ),
    ...(sync.lastRun?.error === undefined || sync.halts.length > 0
      ? []
      : ["", `${style.red("Last run:")} ${cleanText(sync.lastRun.error.message)}`]),
    ...haltLines(sync.halts, look),
  ];
}

function runLines({ lastRun }: ReconcileStatus): readonly string[] {
  return lastRun === undefined ? [] : [`run id ${lastRun.runId}`];
}

function waitingLines(sync: ReconcileStatus, { style, now }: Look): readonly string[] {
  const { conflicts, decided, rules, plan, parked } = sync;
  const isApplying = sync.running !== undefined;
  return [
    ...(conflicts === 0
      ? []
      : [
          `${style.yellow(`${plural(conflicts, "conflict")} ${conflicts === 1 ? "waits" : "wait"} for a person`)}; lockstep conflicts ${sync.sync}`,
        ]),
    ...(parked === 0
      ? []
      : [
          `${style.yellow(`${plural(parked, "refused write")} ${parked === 1 ? "is" : "are"} parked`)}; lockstep parked --sync ${sync.sync}`,
        ]),
    ...(decided === 0 ? [] : [`${plural(decided, "decision")} for the next run to carry out`]),
    ...(rules === 0
      ? []
      : [`${plural(rules, "decision")} kept as a rule; lockstep conflicts rules ${sync.sync}`]),
    ...(plan === undefined || isApplying || plan.operations === 0
      ? []
      : [
          `a plan${plan.undoes === undefined ? "" : ` to undo run ${plan.undoes}`}, made ${formatAge(plan.madeAt, now)}, was not applied; lockstep apply ${sync.sync}`,
        ]),
  ];
}
