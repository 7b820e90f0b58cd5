import type { Clock } from "./clock.ts";
import { MLS_STATUS } from "./generate-property.ts";
import { appendHistory } from "./history-log.ts";
import type { Key, Value } from "./model.ts";
import { findProperty } from "./model.ts";
import type { Store } from "./store.ts";
import { CHILD_SETS } from "./store.ts";
import type { Table } from "./table.ts";
import { formatTimestamp, parseTimestamp } from "./timestamps.ts";

/** Field values by property name. Decimal and Int64 may be given as texts; enums by either name. */
export type FieldValues = Readonly<Record<string, unknown>>;

/** Names a record; the entity set is Property unless told. */
export interface RecordRef {
  readonly set?: string;
  readonly key: Key;
}

/** A change of one record. */
export interface EditRequest extends RecordRef {
  readonly fields?: FieldValues;
  /** False leaves all timestamps as they are, as real systems do now and then. Default true. */
  readonly touch?: boolean;
}

/** A bulk edit: all records get one timestamp. */
export interface EditManyRequest {
  readonly set?: string;
  readonly keys?: readonly Key[];
  /** Instead of keys: the first so many visible records. */
  readonly count?: number;
  readonly fields?: FieldValues;
}

/** A new listing; what is not given is generated. */
export interface AddRequest {
  readonly fields?: FieldValues;
  /** Number of photos. Default 1. */
  readonly photos?: number;
}

/** A change of a listing's photos. */
export interface PhotosRequest {
  readonly listing: number;
  readonly action: "add" | "remove" | "replace";
  /** How many. Default 1. */
  readonly count?: number;
  /** False changes PhotosChangeTimestamp but not ModificationTimestamp. Default true. */
  readonly touch?: boolean;
}

/** A record that becomes visible with a timestamp of the past. */
export interface LateCommitRequest {
  /** An existing listing to edit; a new one is added without it. */
  readonly key?: number;
  readonly fields?: FieldValues;
  readonly secondsAgo: number;
}

/** Changes the data as the MLS's own users would, and keeps what belongs together consistent. */
export class Editor {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  edit(request: EditRequest): void {
    const { table, slot } = this.#require(request);
    this.#apply(table, [slot], request.fields ?? {}, {
      time: this.#clock.stamp(),
      touch: request.touch ?? true,
    });
  }

  /** Returns the keys that were edited. */
  editMany(request: EditManyRequest): Key[] {
    const set = request.set ?? "Property";
    const table = this.#store.table(set);
    const index = table.index("key");
    const slots =
      request.keys === undefined
        ? [...index.slice(0, index.length)]
            .filter((slot) => table.state(slot) === "visible")
            .slice(0, request.count ?? 0)
        : request.keys.map((key) => this.#require({ set, key }).slot);
    this.#apply(table, slots, request.fields ?? {}, { time: this.#clock.stamp(), touch: true });
    return slots.map((slot) => table.key(slot));
  }

  /** Adds a listing and returns its key, which is greater than all others. */
  add(request: AddRequest = {}): number {
    return this.#addListing(request, this.#clock.stamp());
  }

  /** Deletes a record; `Deleted` reports it, and a listing's children before it. */
  delete(request: RecordRef): void {
    const { table, slot } = this.#require(request);
    if (table.entity.name === "Property") {
      for (const set of CHILD_SETS) {
        for (const child of this.#store.children(set, slot)) {
          this.#deleteRow(this.#store.table(set), child);
        }
      }
    }
    this.#deleteRow(table, slot);
  }

  /** Withdraws a record, and a listing's children, from all reads without any report. */
  hide(request: RecordRef): void {
    this.#switch(request, "visible", "hidden");
  }

  /** Shows a hidden record again, unchanged. */
  unhide(request: RecordRef): void {
    this.#switch(request, "hidden", "visible");
  }

  /** Adds an open house to a listing and returns its key. */
  addOpenHouse(request: { readonly listing: number; readonly fields?: FieldValues }): Key {
    const { slot } = this.#require({ key: request.listing });
    return this.#addChild("OpenHouse", slot, request.fields ?? {});
  }

  changePhotos(request: PhotosRequest): void {
    const { table, slot } = this.#require({ key: request.listing });
    const media = this.#store.table("Media");
    const count = request.count ?? 1;
    if (request.action !== "add") {
      const present = this.#store.children("Media", slot);
      for (const photo of present.slice(-count)) {
        this.#deleteRow(media, photo);
      }
    }
    if (request.action !== "remove") {
      for (let added = 0; added < count; added += 1) {
        this.#addChild("Media", slot, { Order: this.#store.children("Media", slot).length });
      }
    }
    const fields = {
      PhotosCount: this.#store.children("Media", slot).length,
      PhotosChangeTimestamp: formatTimestamp(this.#clock.stamp()),
    };
    const touch = request.touch ?? true;
    table.setFields(slot, new Map(Object.entries(fields)));
    if (touch) {
      table.setTimes([slot], this.#clock.stamp());
    }
  }

  /** Adds or edits a listing with a timestamp of the past, and returns its key. */
  lateCommit(request: LateCommitRequest): number {
    const time = this.#clock.stamp() - request.secondsAgo * 1_000_000;
    const { key, fields = {} } = request;
    if (key === undefined) {
      return this.#addListing({ fields }, time);
    }
    const { table, slot } = this.#require({ key });
    this.#apply(table, [slot], fields, { time, touch: true });
    return key;
  }

  /** Sends raw JSON in place of a field's value until it is called without `raw`. */
  corrupt(request: RecordRef & { readonly field: string; readonly raw?: string }): void {
    const { table, slot } = this.#require(request);
    this.#requireField(table, request.field);
    table.corrupt(slot, request.field, request.raw);
  }

  #apply(
    table: Table,
    slots: readonly number[],
    given: FieldValues,
    how: { readonly time: number; readonly touch: boolean },
  ): void {
    const fields = this.#parse(table, given);
    const time = fields.get(table.entity.timestamp ?? "");
    fields.delete(table.entity.timestamp ?? "");
    for (const slot of slots) {
      const derived = how.touch ? derivedFields(table, slot, fields, how.time) : [];
      const values = new Map([...derived, ...fields]);
      if (how.touch) {
        this.#keepHistory(table, slot, values, how.time);
      }
      table.setFields(slot, values);
    }
    if (how.touch || time !== undefined) {
      table.setTimes(slots, parseTimestamp(String(time)) ?? how.time);
    }
  }

  #keepHistory(table: Table, slot: number, values: ReadonlyMap<string, Value>, time: number): void {
    if (!this.#store.has("HistoryTransactional")) {
      return;
    }
    const changes = [...values]
      .map(([field, after]) => ({
        resource: table.entity.name,
        key: table.key(slot),
        field,
        before: table.reader(field)(slot),
        after,
      }))
      .filter(({ before, after }) => before !== after);
    appendHistory(this.#store.table("HistoryTransactional"), time, changes);
  }

  #addListing(request: AddRequest, time: number): number {
    const table = this.#store.table("Property");
    const stamp = formatTimestamp(time);
    const generated: FieldValues = {
      StandardStatus: "Active",
      MlsStatus: "Active",
      ClosePrice: null,
      CloseDate: null,
      PhotosCount: 0,
      OriginalEntryTimestamp: stamp,
      PhotosChangeTimestamp: stamp,
      PriceChangeTimestamp: null,
      StatusChangeTimestamp: stamp,
      OnMarketDate: stamp.slice(0, 10),
    };
    const given = { ...request.fields };
    const slot = table.append(time, this.#parse(table, generated));
    this.#apply(table, [slot], given, { time, touch: false });
    const photos = request.photos ?? 1;
    for (let order = 0; order < photos; order += 1) {
      this.#addChild("Media", slot, { Order: order });
    }
    table.setFields(slot, new Map([["PhotosCount", photos]]));
    return table.key(slot) as number;
  }

  #addChild(set: string, listing: number, fields: FieldValues): Key {
    const table = this.#store.table(set);
    const time = this.#clock.stamp();
    const values = this.#parse(table, fields);
    for (const name of ["MediaModificationTimestamp", "OriginalEntryTimestamp"]) {
      if (findProperty(table.entity, name) !== undefined && !values.has(name)) {
        values.set(name, formatTimestamp(time));
      }
    }
    table.source.links?.append(listing);
    return table.key(table.append(time, values));
  }

  #deleteRow(table: Table, slot: number): void {
    const time = this.#clock.stamp();
    if (findProperty(table.entity, "MlgCanView") !== undefined) {
      table.setState(slot, "withdrawn");
      table.setTimes([slot], time);
      return;
    }
    table.setState(slot, "deleted");
    this.#store.table("Deleted").append(
      time,
      new Map([
        ["resource", table.entity.name],
        ["primary_key", String(table.key(slot))],
      ]),
    );
  }

  #switch(request: RecordRef, from: "visible" | "hidden", to: "visible" | "hidden"): void {
    const { table, slot } = this.#require(request, from);
    // Parents come before their children and go after them, as events tell it.
    if (to === "visible") {
      table.setState(slot, to);
    }
    for (const set of table.entity.name === "Property" ? CHILD_SETS : []) {
      const children = this.#store.table(set);
      for (const child of children.source.links?.childrenOf(slot) ?? []) {
        if (children.state(child) === from) {
          children.setState(child, to);
        }
      }
    }
    if (to === "hidden") {
      table.setState(slot, to);
    }
  }

  #require(ref: RecordRef, state = "visible"): { table: Table; slot: number } {
    const set = ref.set ?? "Property";
    const table = this.#store.table(set);
    const slot = table.find(ref.key);
    if (slot === undefined || table.state(slot) !== state) {
      throw new RangeError(`${set} has no ${state} record with key ${JSON.stringify(ref.key)}.`);
    }
    return { table, slot };
  }

  #requireField(table: Table, name: string): void {
    if (findProperty(table.entity, name) === undefined) {
      throw new RangeError(`${table.entity.name} has no field '${name}'.`);
    }
  }

  #parse(table: Table, given: FieldValues): Map<string, Value> {
    const { key, alternateKeys, parentKeys } = table.entity;
    const fixed = new Set([key, ...alternateKeys, ...parentKeys]);
    return new Map(
      Object.entries(given).map(([name, value]): [string, Value] => {
        const property = findProperty(table.entity, name);
        if (property === undefined || fixed.has(name)) {
          throw new RangeError(
            `Field '${name}' of ${table.entity.name} ${fixed.has(name) ? "is part of its key" : "does not exist"}.`,
          );
        }
        return [name, this.#store.wire.parse(property, value)];
      }),
    );
  }
}

/** Fields that the MLS itself sets when others change; given fields are laid over them. */
function derivedFields(
  table: Table,
  slot: number,
  fields: ReadonlyMap<string, Value>,
  time: number,
): [string, Value][] {
  if (table.entity.name !== "Property") {
    return [];
  }
  const isChanged = (name: string): boolean =>
    fields.has(name) && fields.get(name) !== table.reader(name)(slot);
  const stamp = formatTimestamp(time);
  const derived: [string, Value][] = [];
  if (isChanged("ListPrice")) {
    derived.push(["PriceChangeTimestamp", stamp]);
  }
  if (isChanged("StandardStatus")) {
    derived.push(["MlsStatus", MLS_STATUS[String(fields.get("StandardStatus"))] ?? null]);
  }
  if (isChanged("StandardStatus") || isChanged("MlsStatus")) {
    derived.push(["StatusChangeTimestamp", stamp]);
  }
  return derived;
}
