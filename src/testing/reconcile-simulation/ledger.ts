import type { MemorySystem } from "../../connectors/memory/system.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import { MARKED, STREAM } from "./shape.ts";

/** Where a value stands: a field of one side's record. */
export interface Place {
  readonly side: string;
  readonly key: RecordKey;
  readonly field: string;
}

/** One value of a write that is under way. */
export interface Flying {
  readonly side: string;
  /** Absent where the system assigns it. */
  readonly key?: RecordKey;
  readonly field: string;
  readonly value: Value;
  /** What the system makes of the value. */
  readonly stored: Value;
}

/** What an operation wrote into one field. */
export interface Told {
  readonly id: string;
  readonly value: Value;
  /** Written by a process that had been taken for dead: others may have looked for it before. */
  readonly isLate: boolean;
}

/** A write that really happened on a system, whatever its sender learnt of it. */
export interface Performed {
  readonly id: string;
  readonly side: string;
  readonly kind: "create" | "update" | "delete";
  readonly process: string;
  /** Of a create. */
  readonly origin?: Value;
}

/**
 * The truth about what people wrote and what was done, beside the engine and unknown to it. Each
 * value that a person writes is unique, so that it can be followed. A value is *excused* when it
 * was lost by a person's will: who edits a field has seen all that ever stood there, who deletes a
 * record has seen all that ever stood in it.
 */
export interface Ledger {
  wrote(place: Place, value: Value): void;
  /** The sync wrote a value, as it was sent; the system made `stored` of it. */
  showed(place: Place, value: Value, stored?: Value): void;
  /** The same, with the operation that wrote it. */
  told(place: Place, write: Told): void;
  /** What the sync wrote there last, unless a person has written there since. */
  toldAt(place: Place): Told | undefined;
  /** A write that is under way: people see it before its sender is answered. */
  sends(flying: readonly Flying[]): void;
  /** Its sender has the answer; gives what people wrote meanwhile where it wrote. */
  lands(flying: readonly Flying[]): readonly Value[];
  /** A person is about to replace what stands there, and sees it. */
  replaces(place: Place, seen: Value | undefined): void;
  excuse(value: Value): void;
  readonly made: ReadonlyMap<string, Place>;
  isExcused(value: string): boolean;
  /** A record is gone, by a person or by the sync; `origins` are all that it ever had. */
  removed(side: string, key: RecordKey, origin: Value | undefined): void;
  /** The sync marked a record of that origin as deleted. */
  marked(origin: Value | undefined): void;
  wasRemoved(side: string, key: RecordKey): boolean;
  /** A point in the order of removals. */
  now(): number;
  /** By process: where the order of removals stood when it began. */
  readonly begun: Map<string, number>;
  /** True when a record of that origin went away after that point. */
  wentSince(origin: string, point: number): boolean;
  performed(write: Performed): void;
  readonly writes: ReadonlyMap<string, Performed>;
  /** A second record of the origin on one side is not the sync's doing. */
  allowSecond(origin: Value | undefined): void;
  maySecond(origin: string): boolean;
  /** Side and key of records that were made under another origin, and took this one over. */
  readonly adopted: Set<string>;
  /** Records that a person gave another name. */
  readonly renamed: Set<Value>;
  /** Origins of records that ended, or that an undo parted, while a copy of them stood on a side. */
  readonly parted: Set<Value>;
  /** The sync has carried the origin to some side. */
  readonly carried: Set<string>;
  /** Side and key of every record that was ever linked. */
  readonly linked: Set<string>;
  /** Those of them that their side keeps, since what is agreed does not belong there any more. */
  readonly left: Set<string>;
  /** Operations with the process that noted how they ended, the last one where several did. */
  readonly noted: Map<string, string>;
  /** Those of which nothing could be learnt at some time: their side could not be asked. */
  readonly unheard: Set<string>;
  /** Operations whose sender was given an answer, each with that process. */
  readonly answered: Map<string, string>;
  /** Processes that were given old data: at some time, or by a side whenever they asked it. */
  readonly misled: Map<string, "once" | "always">;
}

const placeId = ({ side, key, field }: Place): string => [side, key, field].join("\0");

const isAt = ({ side, key, field }: Flying, place: Place): boolean =>
  side === place.side && (key ?? place.key) === place.key && field === place.field;

export function createLedger(): Ledger {
  const made = new Map<string, Place>();
  const stood = new Map<string, Set<string>>();
  /** By side, field and what the system made of them: values that the sync wrote. */
  const meant = new Map<string, Set<string>>();
  const excused = new Set<string>();
  const removed = new Set<string>();
  const went = new Map<string, number>();
  const writes = new Map<string, Performed>();
  /** With what people wrote in the same place since. */
  const air = new Map<Flying, Value[]>();
  const told = new Map<string, Told>();
  const seconds = new Set<string>();
  let order = 0;
  const show = (place: Place, value: Value): void => {
    const id = placeId(place);
    told.delete(id);
    if (typeof value !== "string") return;
    stood.set(id, (stood.get(id) ?? new Set<string>()).add(value));
  };
  const excuse = (value: Value): void => {
    if (typeof value === "string") excused.add(value);
  };
  return {
    made,
    writes,
    carried: new Set(),
    linked: new Set(),
    left: new Set(),
    adopted: new Set(),
    renamed: new Set(),
    parted: new Set(),
    begun: new Map(),
    noted: new Map(),
    unheard: new Set(),
    answered: new Map(),
    misled: new Map(),
    wrote(place, value) {
      show(place, value);
      for (const [one, over] of air) if (isAt(one, place)) over.push(value);
      if (typeof value === "string") made.set(value, place);
    },
    showed(place, value, stored = value) {
      show(place, value);
      if (typeof value !== "string" || typeof stored !== "string") return;
      // An undo puts back what a system made of a value: who sees that has seen the value.
      const id = placeId({ ...place, key: stored as RecordKey });
      const same = (meant.get(id) ?? new Set<string>()).add(value);
      meant.set(id, same);
      for (const one of same) show(place, one);
    },
    told(place, write) {
      told.set(placeId(place), write);
    },
    toldAt: (place) => told.get(placeId(place)),
    sends(flying) {
      for (const one of flying) air.set(one, []);
    },
    lands(flying) {
      const over = flying.flatMap((one) => air.get(one) ?? []);
      for (const one of flying) air.delete(one);
      return over;
    },
    replaces(place, seen) {
      told.delete(placeId(place));
      for (const value of stood.get(placeId(place)) ?? []) excused.add(value);
      for (const one of air.keys()) {
        if (isAt(one, place) && one.stored === seen) excuse(one.value);
      }
    },
    excuse,
    isExcused: (value) => excused.has(value),
    removed(side, key, origin) {
      order += 1;
      removed.add([side, key].join("\0"));
      if (typeof origin === "string") went.set(origin, order);
    },
    marked(origin) {
      order += 1;
      if (typeof origin === "string") went.set(origin, order);
    },
    wasRemoved: (side, key) => removed.has([side, key].join("\0")),
    now: () => order,
    wentSince: (origin, point) => (went.get(origin) ?? 0) > point,
    performed: (write) => writes.set(write.id, write),
    allowSecond(origin) {
      if (typeof origin === "string") seconds.add(origin);
    },
    maySecond: (origin) => seconds.has(origin),
  };
}

/** The process that made a plan, by the id of the plan or of an operation of it. */
export const makerOf = (id: string): string => id.slice(0, id.indexOf("-"));

/** True when some side has a record of that origin now that is not marked as deleted. */
export function standsSomewhere(
  systems: ReadonlyMap<string, MemorySystem>,
  origin: string,
): boolean {
  return copiesOf(systems, origin).some((status) => status !== MARKED);
}

/** The status of each record of that origin, on all sides. */
export function copiesOf(
  systems: ReadonlyMap<string, MemorySystem>,
  origin: string,
): readonly (Value | undefined)[] {
  return [...systems.values()].flatMap((system) =>
    system
      .rows(STREAM)
      .flatMap(({ values }) => (values["origin"] === origin ? [values["status"]] : [])),
  );
}
