import { formatBytes, formatCount } from "./numbers.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";

/** How an amount of requests or bytes is written. */
export const amountFormat = (of: "requests" | "bytes"): ((amount: number) => string) =>
  of === "bytes" ? formatBytes : formatCount;

/** A line for each window of a quota: its length, of what, three amounts, and a note. */
export function windowTable(
  titles: readonly [window: string, ...amounts: [string, string, string], note: string],
  rows: readonly (readonly [string, string, string, string, string, string])[],
  style: Style,
): readonly string[] {
  const [window, first, second, third, note] = titles;
  const amounts = [first, second, third].map((title) => ({ title, align: "right" as const }));
  return table([{ title: window }, { title: "of" }, ...amounts, { title: note }], rows, style);
}
