/**
 * Rows of linked records by their digests, at about 23 bytes each where `expected` tells how many
 * there will be. Rows and digests are whole numbers that a double holds.
 */
export interface RowsByDigest {
  /** A row without a digest is never met. */
  add(row: number, digest: number | undefined): void;
  /**
   * Whether one row alone has the digest and was not met yet; from now on it was. Which one of
   * several is meant the digest does not tell, so that none of them is met.
   */
  meet(digest: number): boolean;
  /** Each row that was not met, once, in no particular order. */
  unmet(): Iterable<number>;
}

/** Of the slots, so that a look-up comes to an empty one soon. */
const MOST_TAKEN = 0.7;

export function createRowsByDigest(expected = 0): RowsByDigest {
  let count = 0;
  // Zero is an empty slot. A digest's key is above, and one that a row without any has is below.
  let keys = new Float64Array(Math.ceil(expected / MOST_TAKEN) + 8);
  // A row that was met stands as the negative number -1 - row.
  let rows = new Float64Array(keys.length);
  const after = (slot: number): number => (slot + 1 === keys.length ? 0 : slot + 1);
  const put = (key: number, row: number): void => {
    let slot = spread(key) % keys.length;
    while (keys[slot] !== 0) slot = after(slot);
    keys[slot] = key;
    rows[slot] = row;
  };
  const grow = (): void => {
    const [oldKeys, oldRows] = [keys, rows];
    keys = new Float64Array(oldKeys.length * 2);
    rows = new Float64Array(keys.length);
    for (const [slot, key] of oldKeys.entries()) if (key !== 0) put(key, oldRows[slot] ?? 0);
  };
  return {
    add(row, digest) {
      count += 1;
      if (count > keys.length * MOST_TAKEN) grow();
      put(digest === undefined ? -1 - row : digest + 1, row);
    },
    meet(digest) {
      const key = digest + 1;
      let found: number | undefined;
      for (let slot = spread(key) % keys.length; keys[slot] !== 0; slot = after(slot)) {
        if (keys[slot] !== key) continue;
        if (found !== undefined) return false;
        found = slot;
      }
      const row = found === undefined ? -1 : (rows[found] ?? -1);
      if (found === undefined || row < 0) return false;
      rows[found] = -1 - row;
      return true;
    },
    *unmet() {
      for (const [slot, key] of keys.entries()) {
        const row = rows[slot] ?? -1;
        if (key !== 0 && row >= 0) yield row;
      }
    },
  };
}

/** 32 bits in which each bit of a key tells, since rows follow one another. */
function spread(key: number): number {
  let bits = key ^ (key / 2 ** 32);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
