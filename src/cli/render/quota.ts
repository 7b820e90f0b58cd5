import type { ToldQuota } from "../../core/told-quota.ts";
import type { QuotaReport, SystemQuota } from "../../engine/upkeep-results.ts";
import type { Look } from "./look.ts";
import { formatCount } from "./numbers.ts";
import { amountFormat, windowTable } from "./quota-windows.ts";
import { cleanText } from "./style.ts";

/** What is left of each system's quotas, window by window. */
export function quotaLines(report: QuotaReport, look: Look): readonly string[] {
  return report.systems.flatMap((system, index) => [
    ...(index === 0 ? [] : [""]),
    ...systemLines(system, look),
  ]);
}

function systemLines(quota: SystemQuota, look: Look): readonly string[] {
  const { system, windows, told, closedUntil, concurrency } = quota;
  const { style, times, now } = look;
  const rows = windows.map(({ window, of, limit, used, left, endsAt }) => {
    const amount = amountFormat(of);
    const rest = left === 0 ? style.red(amount(left)) : amount(left);
    return [window, of, rest, amount(used), amount(limit), times.clock(endsAt, now)] as const;
  });
  return [
    style.bold(cleanText(system)),
    ...(closedUntil === undefined
      ? []
      : [
          style.red(
            `  It answered 429 again and again; nothing is sent until ${times.clock(closedUntil, now)}.`,
          ),
        ]),
    ...(concurrency === undefined
      ? []
      : [
          style.yellow(
            `  It was overloaded: ${concurrency.limit} of ${concurrency.max} requests at a time since ${times.clock(concurrency.since, now)}.`,
          ),
        ]),
    ...(rows.length === 0
      ? [style.dim("  no limit is known or configured")]
      : windowTable(["window", "left", "used", "limit", "ends"], rows, style)),
    ...told.map((one) => style.dim(`  ${toldLine(one, look)}`)),
  ];
}

/** What the system itself said, in its own figures. */
function toldLine({ window, limit, left, resetsAt, at }: ToldQuota, { times, now }: Look): string {
  const parts = [
    left === undefined ? "" : `${formatCount(left)} left`,
    limit === undefined ? "" : `${left === undefined ? "a limit " : ""}of ${formatCount(limit)}`,
    window === undefined ? "" : `${window === "hour" ? "an" : "a"} ${window}`,
    resetsAt === undefined ? "" : `until ${times.clock(resetsAt, now)}`,
  ];
  const said = parts.filter((part) => part !== "").join(" ");
  return `the system said at ${times.clock(at, now)}: ${said}`;
}
