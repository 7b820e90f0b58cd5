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
