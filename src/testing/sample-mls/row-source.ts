import type { Key, Value } from "./model.ts";

/** Computes one property of any row. */
export type Column = (slot: number) => Value;

/**
 * The generated content of one entity set: pure functions of the row number ("slot").
 * They answer for every slot, also for rows added later, whose edits the table lays over them.
 */
export interface RowSource {
  /** Number of rows at the start. Their keys ascend with the slot. */
  readonly rows: number;
  /** The key of a slot. */
  key(slot: number): Key;
  /** Time of the last change in microseconds, before any edit. */
  timestamp(slot: number): number;
  /** The columns by property name; a property without one is null everywhere. */
  readonly columns: Readonly<Record<string, Column>>;
  /** For children of a listing: which listing, and the number within it. */
  readonly links?: ChildLinks;
  /** Columns from `first` on stand in blocks of `size`, most of which are all null in a row. */
  readonly sparse?: SparseColumns;
}

/** Tells which blocks of columns hold nothing in a row, edits left aside. */
export interface SparseColumns {
  readonly first: number;
  readonly size: number;
  isEmpty(slot: number, block: number): boolean;
}

/** Maps child rows to their parents, generated ones by counting, added ones by a list. */
export class ChildLinks {
  readonly #starts: Uint32Array;
  readonly #generatedRows: number;
  readonly #addedParents: number[] = [];
  readonly #addedOrdinals: number[] = [];
  readonly #addedByParent: Map<number, number[]> = new Map();

  constructor(parents: number, childrenOf: (parent: number) => number) {
    this.#starts = new Uint32Array(parents + 1);
    let total = 0;
    for (let parent = 0; parent < parents; parent += 1) {
      this.#starts[parent] = total;
      total += childrenOf(parent);
    }
    this.#starts[parents] = total;
    this.#generatedRows = total;
  }

  /** Number of generated children. */
  get rows(): number {
    return this.#generatedRows;
  }

  /** Slot of the parent. */
  parentOf(slot: number): number {
    if (slot >= this.#generatedRows) {
      return this.#addedParents[slot - this.#generatedRows] as number;
    }
    let low = 0;
    let high = this.#starts.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as number) <= slot) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Number of the child within its parent, from 1; never used twice for one parent. */
  ordinalOf(slot: number): number {
    return slot >= this.#generatedRows
      ? (this.#addedOrdinals[slot - this.#generatedRows] as number)
      : slot - (this.#starts[this.parentOf(slot)] as number) + 1;
  }

  /** All children a parent ever had, in the order they were made. */
  childrenOf(parent: number): number[] {
    const start = this.#starts[parent] ?? this.#generatedRows;
    const end = this.#starts[parent + 1] ?? this.#generatedRows;
    const slots = Array.from({ length: end - start }, (_, index) => start + index);
    return slots.concat(this.#addedByParent.get(parent) ?? []);
  }

  /** Registers the next slot as a child of a parent. */
  append(parent: number): void {
    const siblings = this.childrenOf(parent).length;
    const slot = this.#generatedRows + this.#addedParents.length;
    this.#addedParents.push(parent);
    this.#addedOrdinals.push(siblings + 1);
    const added = this.#addedByParent.get(parent);
    if (added === undefined) {
      this.#addedByParent.set(parent, [slot]);
    } else {
      added.push(slot);
    }
  }
}
