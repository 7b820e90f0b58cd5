import type { QuotaCost, WindowCost } from "../../core/plan-cost.ts";
import type { Look } from "./look.ts";
import { formatBytes, plural } from "./numbers.ts";
import { amountFormat, windowTable } from "./quota-windows.ts";
import { formatDuration } from "./times.ts";

/** `5,000 requests an hour`. */
export function limitInWords({ window, of, limit }: WindowCost): string {
  const amount = of === "bytes" ? formatBytes(limit) : plural(limit, "request");
  return `${amount} ${window === "hour" ? "an" : "a"} ${window}`;
}

/** Each limit against what is needed of it, for a run that begins at `from`. */
export function quotaTable(
  { windows, bottleneck }: QuotaCost,
  from: number,
  { style }: Look,
  title = "quota",
): readonly string[] {
  const rows = windows.map((cost) => {
    const { window, of, needed, left, limit, endsAt } = cost;
    const amount = amountFormat(of);
    const isSlowest = window === bottleneck?.window && of === bottleneck.of;
    const takes = endsAt > from ? formatDuration(endsAt - from) : "fits";
    return [
      window,
      of === "bytes" ? "bytes" : "requests",
      amount(needed),
      amount(left),
      amount(limit),
      isSlowest ? style.yellow(`${takes}  ← the slowest`) : takes,
    ] as const;
  });
  if (rows.length === 0) return [];
  return ["", ...windowTable([title, "needed", "left", "limit", "alone takes"], rows, style)];
}
