/** Everything that can go wrong, or happen meanwhile, in a simulated reconcile. */
export const RECONCILE_HAPPENINGS = [
  // People at the sides
  "create",
  "edit",
  "clear",
  "delete",
  "restore",
  "rename",
  "blank match field",
  "mark lifted",
  "second record of a name",
  "edit during a read",
  "edit between check and write",
  // The sides
  "side down",
  "side failed while read",
  "stale read",
  "stale side",
  "rows in another order",
  "write refused",
  "answer lost",
  "half a batch",
  "record leaves a side",
  "marked as deleted",
  // Our own processes and their home
  "crash at a page",
  "crash at rows",
  "crash at a commit",
  "crash at bookkeeping",
  "home locked",
  "home full",
  "zombie",
  "zombie refused",
  "run refused",
  "plan made",
  "plan applied later",
  "plan refused as stale",
  // What a person sees and decides
  "conflict decided by a policy",
  "conflict opened",
  "conflict resolved",
  "life of a record resolved",
  "edit against delete",
  "ambiguous name",
  "halt released",
  "conflict withdrawn",
  "old listing of what is gone",
  "undo",
  "undo compared",
  "write performed",
] as const;

export type ReconcileHappening = (typeof RECONCILE_HAPPENINGS)[number];

export interface ReconcileTallies {
  count(happening: ReconcileHappening, times?: number): void;
  readonly counts: ReadonlyMap<ReconcileHappening, number>;
}

export function createReconcileTallies(): ReconcileTallies {
  const counts = new Map<ReconcileHappening, number>();
  return {
    counts,
    count(happening, times = 1) {
      if (times > 0) counts.set(happening, (counts.get(happening) ?? 0) + times);
    },
  };
}
