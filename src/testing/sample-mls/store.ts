import { createModel } from "./entities.ts";
import { EventLog } from "./event-log.ts";
import {
  createAduSource,
  createMediaSource,
  createOpenHouseSource,
  createUnitTypeSource,
} from "./generate-children.ts";
import { createPropertySource } from "./generate-property.ts";
import {
  createDataSystemSource,
  createDeletedSource,
  createLookupSource,
  createResourceSource,
} from "./generate-reference.ts";
import { HISTORY_SOURCE } from "./history-log.ts";
import type { EntityDefinition, Key, Model, Value } from "./model.ts";
import type { SampleData } from "./options.ts";
import { createMemberSource, createOfficeSource } from "./people.ts";
import type { RowSource } from "./row-source.ts";
import { Table } from "./table.ts";
import type { LookupForm } from "./wire.ts";
import { Wire } from "./wire.ts";

/** Entity sets whose rows belong to a listing. */
export const CHILD_SETS: readonly string[] = ["Media", "OpenHouse", "PropertyUnitTypes", "Adu"];

/** Entity sets that events tell of; reference data have none. */
const TOLD_SETS: ReadonlySet<string> = new Set(["Property", "Member", "Office", ...CHILD_SETS]);

/** One record as it truly is, whatever the server sends. */
export interface TruthRecord {
  readonly key: Key;
  /** Every field; Decimal and Int64 are number texts, absent values are null. */
  readonly fields: Readonly<Record<string, Value>>;
}

/** All entity sets. Each table is made when it is first needed. */
export class Store {
  readonly data: SampleData;
  readonly model: Model;
  readonly wire: Wire;
  readonly #entities: ReadonlyMap<string, EntityDefinition>;
  readonly #tables: Map<string, Table> = new Map();
  readonly #events: EventLog = new EventLog();

  constructor(data: SampleData) {
    this.data = data;
    this.model = createModel(data.propertyFields, data.plays, data.grants);
    this.wire = new Wire(this.model.enums, data.lookupStyle);
    this.#entities = new Map(this.model.entities.map((entity) => [entity.name, entity]));
    if (this.has("EntityEvent")) {
      this.#tellOldEvents();
    }
  }

  /** The log of events, which holds nothing where they are not granted. */
  get events(): EventLog {
    return this.#events;
  }

  /** True when there is an entity set with this name. */
  has(name: string): boolean {
    return this.#entities.has(name);
  }

  /** The table of an entity set. */
  table(name: string): Table {
    const held = this.#tables.get(name);
    if (held !== undefined) {
      return held;
    }
    const entity = this.#entities.get(name);
    if (entity === undefined) {
      throw new RangeError(`There is no entity set '${name}'.`);
    }
    const isTold = this.has("EntityEvent") && TOLD_SETS.has(name);
    const table: Table = isTold
      ? new Table(entity, this.#source(entity), this.data.cacheBytes, (slot) =>
          this.#events.append(name, table.key(slot)),
        )
      : new Table(entity, this.#source(entity), this.data.cacheBytes);
    this.#tables.set(name, table);
    return table;
  }

  /** Visible children of a listing in one of the child sets. */
  children(name: string, listing: number): number[] {
    const table = this.table(name);
    const all = table.source.links?.childrenOf(listing) ?? [];
    return all.filter((slot) => table.state(slot) === "visible");
  }

  /**
   * The visible records of an entity set in key order, taken from the tables and not through the
   * query code. Rows that change while this is iterated may show either state.
   */
  *truth(name: string, lookups: LookupForm): Generator<TruthRecord> {
    const table = this.table(name);
    const index = table.index("key");
    const slots = index.slice(0, index.length);
    const columns = table.entity.properties.map((property) => ({
      property,
      read: table.reader(property.name),
    }));
    for (const slot of slots) {
      if (table.state(slot) !== "visible") {
        continue;
      }
      const fields: Record<string, Value> = {};
      for (const { property, read } of columns) {
        fields[property.name] = this.wire.plain(property, read(slot), lookups);
      }
      const key =
        table.entity.key === undefined
          ? `${String(fields["resource"])}/${String(fields["primary_key"])}`
          : table.key(slot);
      yield { key, fields };
    }
  }

  /** Stops telling of what was withdrawn before an instant, in microseconds. */
  forgetWithdrawn(before: number): void {
    for (const table of this.#tables.values()) {
      table.forgetWithdrawn(before);
    }
  }

  /** Forgets all serialised rows, for example because they are to be written differently. */
  clearCaches(): void {
    for (const table of this.#tables.values()) {
      table.cache.clear();
    }
  }

  /** Of each set the events of a few records stand since before the start. */
  #tellOldEvents(): void {
    this.#events.open(this.table("EntityEvent"));
    for (const name of TOLD_SETS) {
      const table = this.table(name);
      for (let slot = 0; slot < Math.min(3, table.size); slot += 1) {
        this.#events.append(name, table.key(slot));
      }
    }
  }

  #source(entity: EntityDefinition): RowSource {
    const data = this.data;
    switch (entity.name) {
      case "EntityEvent":
        return this.#events.source;
      case "HistoryTransactional":
        return HISTORY_SOURCE;
      case "Property":
        return createPropertySource(data, entity);
      case "Member":
        return createMemberSource(data);
      case "Office":
        return createOfficeSource(data);
      case "OpenHouse":
        return createOpenHouseSource(data);
      case "Media":
        return createMediaSource(data);
      case "PropertyUnitTypes":
        return createUnitTypeSource(data);
      case "Adu":
        return createAduSource(data);
      case "Lookup":
        return createLookupSource(data, this.model.enums);
      case "DataSystem":
        return createDataSystemSource(data);
      case "Resource":
        return createResourceSource(
          data,
          this.model.entities.filter((each) => !each.isUndocumented).map((each) => each.name),
        );
      default:
        return createDeletedSource(data);
    }
  }
}
