import type { Said } from "../model/reconcile.ts";

/** What sides say, as a text: the same in whichever order they stand, whenever they wrote it. */
export function saidText(candidates: readonly Said[]): string {
  const texts = candidates.map(({ side, field, deleted, value }) =>
    JSON.stringify([side, field, deleted, value]),
  );
  return JSON.stringify(texts.sort());
}
