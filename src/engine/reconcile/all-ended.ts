/**
 * Like `Promise.all`, but waits for every one to end before it throws the first error: nothing that
 * was begun under a lease may still go on after the lease was given back.
 */
export async function allEnded<T>(begun: readonly Promise<T>[]): Promise<readonly T[]> {
  const ended = await Promise.allSettled(begun);
  return ended.map((end) => {
    if (end.status === "rejected") throw end.reason;
    return end.value;
  });
}
