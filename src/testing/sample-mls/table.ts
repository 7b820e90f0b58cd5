import type { EntityDefinition, Key, Value } from "./model.ts";
import { compareKeys } from "./model.ts";
import { RowCache } from "./row-cache.ts";
import type { Column, RowSource } from "./row-source.ts";
import { SlotIndex } from "./slot-index.ts";
import { formatTimestamp } from "./timestamps.ts";

/**
 * Whether a row is served, kept back without a word, deleted, or served with the word that it may
 * no longer be shown.
 */
export type RowState = "visible" | "hidden" | "deleted" | "withdrawn";

/** The one system that a platform of several serves here. */
const ORIGIN = "sample";
/** The MLS's own time of change, where a platform has one besides, is older by this. */
const PLATFORM_LAG = 3_600_000_000;

/** The orders a table keeps: by key, by (time of change, key), and an arbitrary fixed one. */
export type IndexName = "key" | "time" | "natural";

const STATES: readonly RowState[] = ["visible", "hidden", "deleted", "withdrawn"];
/** Odd, so that multiplying by it permutes the 32-bit integers. */
const SHUFFLE = 0x9e3779b1;
/** More moves than this rebuild the time index instead of moving rows one by one. */
const MOVES_MAX = 5_000;

/**
 * One entity set: generated rows, with states, times of change and edits laid over them.
 * A million rows cost about 20 MB of typed arrays, whatever the number of columns.
 */
export class Table {
  readonly entity: EntityDefinition;
  readonly source: RowSource;
  readonly cache: RowCache;
  #size: number;
  #version = 0;
  #states: Uint8Array;
  #times: Float64Array;
  readonly #columns: Map<string, Column> = new Map();
  readonly #edits: Map<number, Map<string, Value>> = new Map();
  readonly #corruptions: Map<number, Map<string, string>> = new Map();
  readonly #indexes: Map<IndexName, SlotIndex> = new Map();
  readonly #addedByKey: Map<Key, number> = new Map();
  readonly #withdrawn: Set<number> = new Set();

  readonly #onChange: (slot: number) => void;

  /** `onChange` is called after each change of a row. */
  constructor(
    entity: EntityDefinition,
    source: RowSource,
    cacheBytes: number,
    onChange: (slot: number) => void = () => {},
  ) {
    this.#onChange = onChange;
    this.entity = entity;
    this.source = source;
    this.cache = new RowCache(cacheBytes);
    this.#size = source.rows;
    this.#states = new Uint8Array(source.rows);
    this.#times = new Float64Array(source.rows);
    for (let slot = 0; slot < source.rows; slot += 1) {
      this.#times[slot] = source.timestamp(slot);
    }
    for (const { name } of entity.properties) {
      this.#columns.set(name, this.#column(name));
    }
  }

  /** Number of rows ever made, the invisible ones too. */
  get size(): number {
    return this.#size;
  }

  /** Counts the changes, so that a derived result can be told to be stale. */
  get version(): number {
    return this.#version;
  }

  /** Number of rows that are served. */
  get visibleRows(): number {
    return this.index("key").length - this.#withdrawn.size;
  }

  key(slot: number): Key {
    return this.source.key(slot);
  }

  /** Time of the last change, in microseconds. */
  time(slot: number): number {
    return this.#times[slot] as number;
  }

  state(slot: number): RowState {
    return STATES[this.#states[slot] as number] as RowState;
  }

  /** True when the row comes in answers. */
  isServed(slot: number): boolean {
    return isServedState(this.state(slot));
  }

  /** Deletes what was withdrawn before an instant, in microseconds. */
  forgetWithdrawn(before: number): void {
    for (const slot of this.#withdrawn) {
      if (this.time(slot) < before) {
        this.setState(slot, "deleted");
      }
    }
  }

  /** The row with a key, visible or not. */
  find(key: Key): number | undefined {
    let low = 0;
    let high = this.source.rows;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.key(middle), key) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < this.source.rows && this.key(low) === key ? low : this.#addedByKey.get(key);
  }

  /** Reader of one property, for use over many rows. */
  reader(name: string): Column {
    return this.#columns.get(name) ?? (() => null);
  }

  /** As `reader`, but right only for rows that have not been edited. */
  generatedReader(name: string): Column {
    return this.#derived(name) ?? this.source.columns[name] ?? (() => null);
  }

  /** True when values have been laid over the row. */
  isEdited(slot: number): boolean {
    return this.#edits.has(slot);
  }

  /** Raw JSON that is sent in place of values of this row. */
  corruptions(slot: number): ReadonlyMap<string, string> | undefined {
    return this.#corruptions.get(slot);
  }

  /** Visible rows in an order; the arbitrary one is fixed for a row as long as it lives. */
  index(name: IndexName): SlotIndex {
    const held = this.#indexes.get(name);
    if (held !== undefined) {
      return held;
    }
    const built = this.#buildIndex(name);
    this.#indexes.set(name, built);
    return built;
  }

  /** Compares two rows in one of the orders. */
  compareIn(name: IndexName, a: number, b: number): number {
    if (name === "natural") {
      return rank(a) - rank(b);
    }
    const byTime = name === "time" ? this.time(a) - this.time(b) : 0;
    return byTime || compareKeys(this.key(a), this.key(b));
  }

  /** Adds a row after all others. */
  append(time: number, fields: ReadonlyMap<string, Value>): number {
    const slot = this.#size;
    if (slot === this.#states.length) {
      this.#grow();
    }
    this.#size += 1;
    this.#times[slot] = time;
    this.#edits.set(slot, new Map(fields));
    this.#addedByKey.set(this.key(slot), slot);
    this.#insert(slot);
    this.#changed(slot);
    return slot;
  }

  /** Lays values over a row. */
  setFields(slot: number, fields: ReadonlyMap<string, Value>): void {
    const edits = this.#edits.get(slot) ?? new Map<string, Value>();
    for (const [name, value] of fields) {
      edits.set(name, value);
    }
    this.#edits.set(slot, edits);
    this.#changed(slot);
  }

  /** Sets the time of change of rows. */
  setTimes(slots: readonly number[], time: number): void {
    const index = this.#indexes.get("time");
    const moved = slots.length > MOVES_MAX ? undefined : index;
    if (moved === undefined) {
      this.#indexes.delete("time");
    }
    for (const slot of slots) {
      const isIndexed = moved !== undefined && this.isServed(slot);
      if (isIndexed) {
        moved.remove(slot);
      }
      this.#times[slot] = time;
      if (isIndexed) {
        moved.insert(slot);
      }
      this.#changed(slot);
    }
  }

  setState(slot: number, state: RowState): void {
    const wasServed = this.isServed(slot);
    if (wasServed && !isServedState(state)) {
      this.#remove(slot);
    }
    this.#states[slot] = STATES.indexOf(state);
    if (!wasServed && isServedState(state)) {
      this.#insert(slot);
    }
    if (state === "withdrawn") {
      this.#withdrawn.add(slot);
    } else {
      this.#withdrawn.delete(slot);
    }
    this.#changed(slot);
  }

  /** Sends raw JSON in place of a value; undefined takes it back. */
  corrupt(slot: number, name: string, raw: string | undefined): void {
    const corruptions = this.#corruptions.get(slot) ?? new Map<string, string>();
    if (raw === undefined) {
      corruptions.delete(name);
    } else {
      corruptions.set(name, raw);
    }
    if (corruptions.size === 0) {
      this.#corruptions.delete(slot);
    } else {
      this.#corruptions.set(slot, corruptions);
    }
    this.#changed(slot);
  }

  /** Columns that follow from the state and the time of a row, whatever is edited. */
  #derived(name: string): Column | undefined {
    if (name === this.entity.timestamp) {
      return (slot) => formatTimestamp(this.time(slot));
    }
    if (name === "ModificationTimestamp") {
      return (slot) => formatTimestamp(this.time(slot) - PLATFORM_LAG);
    }
    if (name === "MlgCanView") {
      return (slot) => this.state(slot) !== "withdrawn";
    }
    return name === "OriginatingSystemName" ? () => ORIGIN : undefined;
  }

  #column(name: string): Column {
    const derived = this.#derived(name);
    if (derived !== undefined) {
      return derived;
    }
    const generated = this.generatedReader(name);
    return (slot) => {
      const edits = this.#edits.size === 0 ? undefined : this.#edits.get(slot);
      const edited = edits?.get(name);
      return edited === undefined ? generated(slot) : edited;
    };
  }

  #changed(slot: number): void {
    this.#version += 1;
    this.cache.delete(slot);
    this.#onChange(slot);
  }

  #insert(slot: number): void {
    for (const index of this.#indexes.values()) {
      index.insert(slot);
    }
  }

  #remove(slot: number): void {
    for (const index of this.#indexes.values()) {
      index.remove(slot);
    }
  }

  #grow(): void {
    const capacity = Math.ceil(this.#size * 1.25) + 64;
    const states = new Uint8Array(capacity);
    states.set(this.#states);
    const times = new Float64Array(capacity);
    times.set(this.#times);
    this.#states = states;
    this.#times = times;
  }

  #visibleSlots(): Uint32Array {
    const slots = new Uint32Array(this.#size);
    let count = 0;
    for (let slot = 0; slot < this.#size; slot += 1) {
      if (this.isServed(slot)) {
        slots[count] = slot;
        count += 1;
      }
    }
    return slots.subarray(0, count);
  }

  #buildIndex(name: IndexName): SlotIndex {
    const slots = this.#visibleSlots();
    const compare = (a: number, b: number): number => this.compareIn(name, a, b);
    if (name === "natural") {
      return new SlotIndex(shuffled(slots), compare);
    }
    // Generated rows are in key order already; rows added later may belong among them.
    const isSorted = name === "key" && this.#addedByKey.size === 0;
    return new SlotIndex(isSorted ? slots : slots.sort(compare), compare);
  }
}

function isServedState(state: RowState): boolean {
  return state === "visible" || state === "withdrawn";
}

function rank(slot: number): number {
  return Math.imul(slot, SHUFFLE) >>> 0;
}

function shuffled(slots: Uint32Array): Uint32Array {
  // Sorting the ranks without a comparator is native; the inverse gives the rows back.
  const inverse = inverseOf(SHUFFLE);
  return slots
    .map((slot) => rank(slot))
    .sort()
    .map((place) => Math.imul(place, inverse) >>> 0);
}

/** Inverse of an odd number modulo 2^32, by Newton's iteration. */
function inverseOf(odd: number): number {
  let inverse = odd;
  for (let round = 0; round < 5; round += 1) {
    inverse = Math.imul(inverse, 2 - Math.imul(odd, inverse));
  }
  return inverse;
}
