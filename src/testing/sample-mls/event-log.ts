import type { Key } from "./model.ts";
import type { RowSource } from "./row-source.ts";
import type { Table } from "./table.ts";

/** Beyond 2^53, so that a client which reads numbers as doubles goes wrong at once. */
const BASE = 9_007_199_254_741_000n;

/**
 * Keeps `EntityEvent` as RCP-27 has it: every change of a record is appended under a greater
 * number and never changed. An event that a later one of the same record follows at once is left
 * out, which leaves a gap; others stay as gaps at random.
 */
export class EventLog {
  readonly #numbers: bigint[] = [];
  #table: Table | undefined;
  #last: { readonly slot: number; readonly resource: string; readonly key: Key } | undefined;

  /** The set's rows: none at the start, and then those that are appended. */
  readonly source: RowSource = {
    rows: 0,
    key: (slot) => String(this.#numbers[slot]),
    timestamp: () => 0,
    columns: { EntityEventSequence: (slot) => String(this.#numbers[slot]) },
  };

  /** Begins to log into the set's table. */
  open(table: Table): void {
    this.#table = table;
  }

  append(resource: string, key: Key): void {
    const table = this.#table;
    if (table === undefined) {
      return;
    }
    const last = this.#last;
    if (last?.resource === resource && last.key === key) {
      table.setState(last.slot, "deleted");
    }
    const count = this.#numbers.length;
    this.#numbers.push((this.#numbers.at(-1) ?? BASE) + 1n + BigInt(count % 7 === 3 ? 5 : 0));
    const fields = { ResourceName: resource, ResourceRecordKey: String(key) };
    this.#last = { slot: count, resource, key };
    table.append(0, new Map(Object.entries(fields)));
  }

  /** Throws away the oldest events and keeps so many. */
  keepNewest(count: number): void {
    const table = this.#table;
    if (table === undefined) {
      return;
    }
    const index = table.index("key");
    for (const slot of index.slice(0, index.length - count)) {
      table.setState(slot, "deleted");
    }
  }
}
