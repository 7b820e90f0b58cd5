import type { StreamSpec } from "../model/replicate.ts";

/**
 * The streams in levels: parents stand in an earlier level than their children. Streams within a
 * level are independent. A parent outside the list is ignored; a cycle ends up in one level.
 */
export function streamLevels(streams: readonly StreamSpec[]): readonly (readonly StreamSpec[])[] {
  const levels: StreamSpec[][] = [];
  let waiting = [...streams];
  while (waiting.length > 0) {
    const names = new Set(waiting.map((spec) => spec.stream));
    const ready = waiting.filter(
      (spec) =>
        spec.parent === undefined ||
        spec.parent.stream === spec.stream ||
        !names.has(spec.parent.stream),
    );
    const level = ready.length > 0 ? ready : waiting;
    levels.push(level);
    waiting = waiting.filter((spec) => !level.includes(spec));
  }
  return levels;
}
