/** Everything that can go wrong, or happen meanwhile, in a simulated world. */
export const HAPPENINGS = [
  // The source and the way to it
  "latency",
  "retryable error",
  "refused credentials",
  "rate limit",
  "rate limit too long to wait for",
  "short page",
  "empty page",
  "duplicate in a page",
  "older duplicate in a page",
  "duplicate across pages",
  "walk cut short",
  // People at the source
  "create",
  "update",
  "silent update",
  "delete",
  "hide",
  "unhide",
  "key created anew",
  "tie",
  "late commit within the overlap",
  "late commit beyond the overlap",
  "record spoiled",
  "record without key",
  "record healed",
  "absent field",
  "field added",
  "edit during a read",
  "mass deletion",
  "source empty",
  // Our own process and machine
  "crash at a page",
  "crash at rows",
  "crash at a commit",
  "crash at bookkeeping",
  "home full",
  "home locked",
  "renewal failed",
  "clock forward",
  "clock back",
  "stop asked for",
  "second run refused",
  "zombie",
  "zombie refused",
  "take-over of a dead run",
  "take-over of a live run",
  // What a person sees
  "GUARD_MASS_DELETE",
  "GUARD_EMPTY_SOURCE",
  "GUARD_INCOMPLETE_WALK",
  "GUARD_PARKED",
  "DRIFT_HALTED",
  "halt released",
  "record parked",
  "resumed walk",
  "walk in parts",
  "resumed part",
] as const;

export type Happening = (typeof HAPPENINGS)[number];

/** How often each thing really happened. */
export interface Tallies {
  count(happening: Happening, times?: number): void;
  readonly counts: ReadonlyMap<Happening, number>;
}

export function createTallies(): Tallies {
  const counts = new Map<Happening, number>();
  return {
    counts,
    count(happening, times = 1) {
      counts.set(happening, (counts.get(happening) ?? 0) + times);
    },
  };
}
