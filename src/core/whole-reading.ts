/**
 * Whether a side that is observed by its changes is to be read whole all the same: what its feed
 * never told would else stay unseen for ever. `lastAt` is when it was last read whole (absent:
 * not known), `refreshMs` how old that may be (absent: as old as it likes); epoch milliseconds.
 * A reading that lies ahead of the clock proves nothing, so it is due as well.
 */
export function isWholeReadingDue(
  lastAt: number | undefined,
  refreshMs: number | undefined,
  now: number,
): boolean {
  if (refreshMs === undefined) return false;
  if (lastAt === undefined || lastAt > now) return true;
  return now - lastAt >= refreshMs;
}
