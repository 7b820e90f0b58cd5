import type { ChangeCategory } from "../../core/categories.ts";
import type { StreamChanges } from "../../engine/results.ts";
import { addLedgers, EMPTY_LEDGER, type Ledger } from "../../model/run.ts";
import { formatCount } from "./numbers.ts";
import type { Style } from "./style.ts";
import { cleanText } from "./style.ts";

/** The ledger in words, zeros left out: `12,000 read: 10,000 new, 3 updated, 2 parked`. */
export function ledgerInWords(ledger: Ledger): string {
  const parts = [
    [ledger.created, "new"],
    [ledger.updated, "updated"],
    [ledger.unchanged, "unchanged"],
    [ledger.rejected, "rejected"],
    [ledger.parked, "parked"],
  ] as const;
  const told = parts.flatMap(([count, word]) => (count > 0 ? `${formatCount(count)} ${word}` : []));
  const read =
    ledger.read > 0 ? `${formatCount(ledger.read)} read: ${told.join(", ")}` : "nothing new";
  const gone = [
    [ledger.deleted, "deleted"],
    [ledger.alreadyGone, "already gone"],
    [ledger.stillServed, "told as deleted but still served"],
  ] as const;
  const lost = gone.flatMap(([count, word]) => (count > 0 ? `${formatCount(count)} ${word}` : []));
  if (lost.length === 0) return read;
  return ledger.read > 0 ? `${read}; ${lost.join(", ")}` : lost.join(", ");
}

export function sumLedgers(ledgers: readonly Ledger[]): Ledger {
  return ledgers.reduce(addLedgers, EMPTY_LEDGER);
}

/** What changed, in one line for all streams together: `120 new · 30 updated (12 price) · 4 deleted`. */
export function changesInWords(changes: readonly StreamChanges[], style: Style): string {
  const total = (category: ChangeCategory): number =>
    changes.reduce((sum, stream) => sum + stream[category], 0);
  const within = (["price", "status"] as const)
    .flatMap((category) =>
      total(category) > 0 ? `${formatCount(total(category))} ${category}` : [],
    )
    .join(", ");
  const parts: string[] = [];
  if (total("new") > 0) parts.push(style.green(`${formatCount(total("new"))} new`));
  if (total("updated") > 0) {
    parts.push(
      `${style.cyan(`${formatCount(total("updated"))} updated`)}${within && ` (${within})`}`,
    );
  }
  if (total("deleted") > 0) parts.push(style.red(`${formatCount(total("deleted"))} deleted`));
  return parts.join(" · ");
}

/** `Active → Pending 5 · Pending → Closed 2`; a line for each field where there are several. */
export function transitionLines(changes: readonly StreamChanges[]): readonly string[] {
  const all = changes.flatMap(({ transitions }) => transitions);
  const fields = [...new Set(all.map(({ field }) => field))];
  return fields.map((field) => {
    const words = all
      .filter((transition) => transition.field === field)
      .map(
        ({ before, after, count }) =>
          `${cleanText(before)} → ${cleanText(after)} ${formatCount(count)}`,
      )
      .join(" · ");
    return fields.length === 1 ? words : `${cleanText(field)}: ${words}`;
  });
}
