import type { ClassifiedChange } from "../engine/results.ts";
import type { Value } from "../model/value.ts";

/** What a change log amounts to, and where it contradicts itself. */
export interface Replay {
  readonly records: ReadonlyMap<string, Readonly<Record<string, Value>>>;
  /** In words: a create of what is there, an update or delete of what is not, a wrong `before`. */
  readonly contradictions: readonly string[];
}

/**
 * Plays the change log of one stream from empty, oldest first. Every entry must fit the state it
 * meets, so a change that was logged twice, or not at all, shows.
 */
export async function replayChanges(
  changes: AsyncIterable<Omit<ClassifiedChange, "categories">>,
): Promise<Replay> {
  const records = new Map<string, Record<string, Value>>();
  const contradictions: string[] = [];
  for await (const change of changes) {
    const held = records.get(change.key);
    if (change.kind === "create") {
      if (held !== undefined) contradictions.push(`#${change.id}: ${change.key} is created again`);
      records.set(change.key, { ...change.after });
    } else if (held === undefined) {
      contradictions.push(`#${change.id}: ${change.kind} of ${change.key}, which is not there`);
    } else if (change.kind === "delete") {
      records.delete(change.key);
    } else {
      for (const { field, before, after } of change.fields) {
        if (JSON.stringify(held[field] ?? null) !== JSON.stringify(before)) {
          contradictions.push(
            `#${change.id}: ${change.key} ${field} was ${JSON.stringify(held[field])}, not ${JSON.stringify(before)}`,
          );
        }
        held[field] = after;
      }
    }
  }
  return { records, contradictions };
}
