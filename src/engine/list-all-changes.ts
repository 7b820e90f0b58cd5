import type { ReplicateSpec } from "../model/replicate.ts";
import type { Agreements } from "../ports/agreements.ts";
import type { Home } from "../ports/home.ts";
import { listChanges } from "./list-changes.ts";
import { listWrites, type WrittenSync } from "./reconcile/list-writes.ts";
import type { ChangesRequest, ClassifiedChange } from "./results.ts";

/**
 * The changes of copies and the writes of syncs of sides as one list, newest first unless told.
 * Read as it is taken: breaking off reads no further.
 */
export async function* listAllChanges(
  home: Home & Agreements,
  syncs: { readonly copies: readonly ReplicateSpec[]; readonly sides: readonly WrittenSync[] },
  request: ChangesRequest,
): AsyncIterable<ClassifiedChange> {
  const { limit = Number.POSITIVE_INFINITY, oldestFirst = false, ...all } = request;
  const asked = { ...all, oldestFirst };
  const sources = [
    ...(syncs.copies.length === 0 ? [] : [listChanges(home, syncs.copies, asked)]),
    ...syncs.sides.map((sync) => listWrites(home, sync, asked)),
  ];
  let left = limit;
  if (left <= 0) return;
  for await (const change of inOrderOfTime(sources, oldestFirst)) {
    yield change;
    left -= 1;
    if (left <= 0) return;
  }
}

/** Merges lists that are each in that order; of one moment the first list comes first. */
async function* inOrderOfTime(
  sources: readonly AsyncIterable<ClassifiedChange>[],
  oldestFirst: boolean,
): AsyncGenerator<ClassifiedChange, undefined> {
  const readings = sources.map((source) => source[Symbol.asyncIterator]());
  try {
    const heads = await Promise.all(readings.map((reading) => reading.next()));
    for (;;) {
      let best: { readonly index: number; readonly change: ClassifiedChange } | undefined;
      for (const [index, head] of heads.entries()) {
        if (head.done === true) continue;
        const change = head.value;
        const isBefore =
          best === undefined ||
          (oldestFirst ? change.at < best.change.at : change.at > best.change.at);
        if (isBefore) best = { index, change };
      }
      if (best === undefined) return undefined;
      yield best.change;
      const reading = readings[best.index];
      if (reading !== undefined) heads[best.index] = await reading.next();
    }
  } finally {
    for (const reading of readings) await reading.return?.();
  }
}
