/**
 * Mixes three integers into one unsigned 32-bit integer.
 * The whole sample MLS derives from it, so the same seed gives the same data on every machine.
 */
export function hash32(seed: number, a: number, b: number): number {
  const first = scramble((seed ^ 0x9e3779b9) + Math.imul(a + 1, 0x85ebca6b));
  return scramble(first ^ Math.imul(b + 1, 0xc2b2ae35));
}

function scramble(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

/** Gives the draws of one (seed, row): `draw(slot, salt)` is an unsigned 32-bit integer. */
export type Draw = (slot: number, salt: number) => number;

/** Makes the draws of one table; tables with different names draw independently. */
export function createDraw(seed: number, table: string): Draw {
  let tableSeed = seed | 0;
  for (let index = 0; index < table.length; index += 1) {
    tableSeed = hash32(tableSeed, table.charCodeAt(index), index);
  }
  return (slot, salt) => hash32(tableSeed, slot, salt);
}

/** Picks one element of a list that is not empty. */
export function pick<T>(list: readonly T[], draw: number): T {
  return list[draw % list.length] as T;
}
