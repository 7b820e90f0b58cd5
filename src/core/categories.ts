import type { Change } from "../model/change.ts";
import type { MonitorSpec } from "../model/replicate.ts";

/** An update may be of several: `updated` always, `status` and `price` when such a field changed. */
export type ChangeCategory = "new" | "updated" | "status" | "price" | "deleted";

export function categoriesOf(change: Change, monitor: MonitorSpec): readonly ChangeCategory[] {
  if (change.kind === "create") return ["new"];
  if (change.kind === "delete") return ["deleted"];
  const changed = new Set(change.fields.map((field) => field.field));
  const categories: ChangeCategory[] = ["updated"];
  if (monitor.status.some((field) => changed.has(field))) categories.push("status");
  if (monitor.price.some((field) => changed.has(field))) categories.push("price");
  return categories;
}
