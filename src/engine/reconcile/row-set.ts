/** A set of small whole numbers, an eighth of a byte each. */
export interface RowSet {
  add(row: number): void;
  has(row: number): boolean;
}

export function createRowSet(): RowSet {
  let bits = new Uint8Array(1024);
  return {
    add(row) {
      const at = row >>> 3;
      if (at >= bits.length) {
        const grown = new Uint8Array(Math.max(at + 1, bits.length * 2));
        grown.set(bits);
        bits = grown;
      }
      bits[at] = (bits[at] ?? 0) | (1 << (row & 7));
    },
    has: (row) => ((bits[row >>> 3] ?? 0) & (1 << (row & 7))) !== 0,
  };
}
