/**
 * How long it may be that no timer and no signal comes in: a lease and Ctrl-C need more of neither.
 */
const STRETCH_MS = 50;

/**
 * SQLite answers at once, so that a promise of its work is kept before the event loop turns.
 * Awaited with each piece of work, this lets it turn from time to time: leases are renewed by
 * timers, runs are stopped by signals.
 */
export function createLettingOthersIn(): () => Promise<void> {
  let turnedAt = performance.now();
  return async () => {
    if (performance.now() - turnedAt < STRETCH_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    turnedAt = performance.now();
  };
}
