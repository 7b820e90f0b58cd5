import type { Random } from "../../ports/runtime.ts";

/** Repeatable randomness: the same seed gives the same sequence, on every machine. */
export interface SeededRandom extends Random {
  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** One of the items, which are not none. */
  pick<T>(items: readonly T[]): T;
  /** One of the items by weight. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T;
  shuffle<T>(items: readonly T[]): T[];
  /** A sequence of its own, so that draws from one do not move the other. */
  fork(): SeededRandom;
}

/** mulberry32: small, fast, and good enough to choose faults with. */
export function createSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  const pick = <T>(items: readonly T[]): T => {
    if (items.length === 0) throw new RangeError("There is nothing to pick from.");
    return items[int(0, items.length - 1)] as T;
  };
  return {
    next,
    id: () => `${int(0, 2 ** 31).toString(36)}-${int(0, 2 ** 31).toString(36)}`,
    int,
    chance: (probability) => next() < probability,
    pick,
    weighted(weights) {
      const entries = Object.entries<number>(weights);
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [item, weight] of entries) {
        left -= weight;
        if (left < 0) return item as keyof typeof weights;
      }
      return pick(entries)[0] as keyof typeof weights;
    },
    shuffle(items) {
      const rest = [...items];
      const shuffled: typeof rest = [];
      while (rest.length > 0) shuffled.push(...rest.splice(int(0, rest.length - 1), 1));
      return shuffled;
    },
    fork: () => createSeededRandom(int(0, 2 ** 31)),
  };
}
