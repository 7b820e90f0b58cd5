import type { QuotaCost, WindowCost } from "../../core/plan-cost.ts";
import type { Look } from "./look.ts";
import { formatBytes, formatCount, plural } from "./numbers.ts";
import { table } from "./table.ts";
import { formatDuration } from "./times.ts";

/** `5,000 calls an hour`. */
export function limitInWords({ window, of, limit }: WindowCost): string {
  const amount = of === "bytes" ? formatBytes(limit) : plural(limit, "call");
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
    const amount = of === "bytes" ? formatBytes : formatCount;
    const isSlowest = window === bottleneck?.window && of === bottleneck.of;
    const takes = endsAt > from ? formatDuration(endsAt - from) : "fits";
    return [
      window,
      of === "bytes" ? "bytes" : "calls",
      amount(needed),
      amount(left),
      amount(limit),
      isSlowest ? style.yellow(`${takes}  ← the slowest`) : takes,
    ];
  });
  if (rows.length === 0) return [];
  return [
    "",
    ...table(
      [
        { title },
        { title: "of" },
        { title: "needed", align: "right" },
        { title: "left", align: "right" },
        { title: "limit", align: "right" },
        { title: "alone takes" },
      ],
      rows,
      style,
    ),
  ];
}
