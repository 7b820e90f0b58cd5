import type { SyncStatus } from "../../engine/results.ts";
import type { Look } from "./look.ts";
import { cleanText } from "./style.ts";
import { formatAge } from "./times.ts";

/** How a run ended, as a person says it. */
const OUTCOMES = {
  done: "done",
  partial: "done, but for what waits,",
  stopped: "stopped",
  failed: "failed",
  halted: "halted",
} as const;

/** What goes on, or how the last run ended. */
export function activity(
  { running, lastRun }: Pick<SyncStatus, "running" | "lastRun">,
  look: Look,
  neverRun = "never run; lockstep run begins with a full copy",
): string {
  const { style, now } = look;
  if (running !== undefined) {
    return `${style.cyan("running")} in ${cleanText(running.owner)}; its lease holds until ${look.times.clock(running.leaseUntil, now)}`;
  }
  if (lastRun === undefined) return style.dim(neverRun);
  if (lastRun.finishedAt === undefined) {
    return `${style.yellow("interrupted")}: the ${lastRun.mode} run of ${formatAge(lastRun.startedAt, now)} never ended; the next run goes on from there`;
  }
  const outcome = lastRun.outcome ?? "done";
  const paint = {
    done: style.green,
    partial: style.yellow,
    stopped: style.yellow,
    failed: style.red,
    halted: style.red,
  }[outcome];
  return `last run ${paint(OUTCOMES[outcome])} ${formatAge(lastRun.finishedAt, now)} (${lastRun.mode})`;
}
