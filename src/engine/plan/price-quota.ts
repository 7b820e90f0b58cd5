import { costOf, type QuotaCost } from "../../core/plan-cost.ts";
import { asTold, judgeTold } from "../../core/told-quota.ts";
import type { QuotaNotes } from "../quota-report.ts";

/** What the vendor said counts as used; and while it wants to be left alone nothing begins. */
export function priceQuota(
  { use, told, limits, openUntil }: QuotaNotes,
  requests: number,
  bytes: number | undefined,
  at: number,
): { readonly notBefore: number; readonly cost: QuotaCost } {
  const notBefore = Math.max(at, openUntil, judgeTold(told, at).sendAt);
  const demand = { requests, ...(bytes === undefined ? {} : { bytes }) };
  return { notBefore, cost: costOf(demand, limits, asTold(use, told, limits, at), notBefore) };
}
