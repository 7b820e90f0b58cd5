/**
 * Serialised rows in bounded memory. Rows are kept in two generations: once the younger one holds
 * half of the bytes, the older one is dropped whole and the younger takes its place. That keeps
 * what is in use, and costs nothing per row.
 */
export class RowCache {
  readonly #generationMax: number;
  #young: Map<number, Buffer> = new Map();
  #old: Map<number, Buffer> = new Map();
  #youngBytes = 0;

  constructor(bytesMax: number) {
    this.#generationMax = bytesMax / 2;
  }

  /** The row, made by `render` if it is not held. */
  get(slot: number, render: (slot: number) => string): Buffer {
    const held = this.#young.get(slot);
    if (held !== undefined) {
      return held;
    }
    const row = this.#old.get(slot) ?? Buffer.from(render(slot));
    if (this.#youngBytes + row.length > this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(slot, row);
    this.#youngBytes += row.length;
    return row;
  }

  /** Forgets a row that has changed. */
  delete(slot: number): void {
    const row = this.#young.get(slot);
    this.#youngBytes -= row?.length ?? 0;
    this.#young.delete(slot);
    this.#old.delete(slot);
  }

  /** Forgets all rows. */
  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngBytes = 0;
  }
}
