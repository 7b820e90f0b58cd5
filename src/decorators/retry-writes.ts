import { isSyncError, type SyncError } from "../model/sync-error.ts";
import type { Connector, StreamQuery, WriteOperation, WriteOutcome } from "../ports/connector.ts";
import { effort, NO_TRIES, type RetryOptions } from "./retry-effort.ts";

/**
 * Writes, and sends again what the system is known not to have done, until all is done or the
 * policy's bounds are reached: what is left then is given as unsent. What is lost, or thrown, ends it:
 * whether it was done has to be looked up first.
 */
export async function writeUnsent(
  write: NonNullable<Connector["write"]>,
  options: RetryOptions,
  query: StreamQuery,
  operations: readonly WriteOperation[],
  signal: AbortSignal,
): Promise<readonly WriteOutcome[]> {
  const { name: stream } = query.schema;
  const ends = new Map<string, WriteOutcome>();
  let left = operations;
  let doubtful: { readonly error: unknown } | undefined;

  /** Throws why nothing at all was done; where something was, the tries begin anew. */
  async function send(): Promise<void> {
    const asked = left;
    const outcomes = await write(query, asked, signal).catch((error: unknown) => {
      doubtful = { error };
      return [];
    });
    for (const [index, { id }] of asked.entries()) {
      const outcome = outcomes[index];
      if (outcome !== undefined) ends.set(id, outcome);
    }
    left = asked.filter(({ id }) => ends.get(id)?.kind === "unsent");
    const [first] = outcomes;
    if (first?.kind === "unsent") throw first.error;
  }

  do {
    const spent = effort(
      options,
      { stream, what: `a write to "${stream}"`, tries: NO_TRIES },
      signal,
      send,
    );
    const error = await spent.then(() => undefined, givenUp);
    if (doubtful !== undefined) throw doubtful.error;
    if (hasLost(ends)) break;
    if (error === undefined) continue;
    signal.throwIfAborted();
    for (const { id } of left) ends.set(id, { kind: "unsent", error });
    break;
  } while (left.length > 0);
  return operations.flatMap(({ id }) => ends.get(id) ?? []);
}

function hasLost(ends: ReadonlyMap<string, WriteOutcome>): boolean {
  return [...ends.values()].some(({ kind }) => kind === "lost");
}

function givenUp(error: unknown): SyncError {
  if (!isSyncError(error)) throw error;
  return error;
}
