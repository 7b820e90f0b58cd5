/** Calls `work` for each item, at most `limit` at a time; rejects with the first rejection. */
export async function eachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const lanes = Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, async () => {
    for (const item of waiting) await work(item);
  });
  await Promise.all(lanes);
}

/** A bounded number of places; who finds none free waits, first come first served. */
export interface Slots {
  /** Works once a place is free, and gives it back whatever becomes of the work. */
  hold<T>(work: () => Promise<T>): Promise<T>;
}

export function createSlots(limit: number): Slots {
  const waiting: (() => void)[] = [];
  let free = Math.max(1, limit);
  return {
    async hold(work) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) free += 1;
        else next();
      }
    },
  };
}
