import type { PlannedRecord } from "./plan.ts";
import type { Acknowledged } from "./reconcile.ts";
import type { Values } from "./record.ts";
import type { Value } from "./value.ts";

/** JSON has no absent: it is written as an empty object, which no value is. */
type Packed = readonly (Value | Record<string, never>)[];

function pack(values: Values): Packed {
  return values.map((value) => (value === undefined ? {} : value));
}

function unpack(packed: Packed): Values {
  return packed.map((value) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? undefined
      : (value as Value),
  );
}

/** Values as JSON text in which absent and null differ. */
export function valuesToText(values: Values): string {
  return JSON.stringify(pack(values));
}

export function valuesFromText(text: string): Values {
  return unpack(JSON.parse(text) as Packed);
}

export function acknowledgedToText({ returned, stoodFor, left }: Acknowledged): string {
  const parts = [pack(returned), pack(stoodFor)];
  return JSON.stringify(left === true ? [...parts, true] : parts);
}

export function acknowledgedFromText(text: string): Acknowledged {
  const [returned, stoodFor, left] = JSON.parse(text) as readonly [Packed, Packed, true?];
  return {
    returned: unpack(returned),
    stoodFor: unpack(stoodFor),
    ...(left === true ? { left } : {}),
  };
}

/** A planned record as JSON text, as it is kept in the home and in a plan's file. */
export function plannedToText(record: PlannedRecord): string {
  return JSON.stringify({
    ...record,
    agreed: pack(record.agreed),
    ...(record.before === undefined ? {} : { before: pack(record.before) }),
    ...(record.beforeSides === undefined ? {} : { beforeSides: packSides(record.beforeSides) }),
    acknowledged: packSides(record.acknowledged),
  });
}

export function plannedFromText(text: string): PlannedRecord {
  const record = JSON.parse(text) as PlannedRecord;
  return {
    ...record,
    agreed: unpack(record.agreed as Packed),
    ...(record.before === undefined ? {} : { before: unpack(record.before as Packed) }),
    ...(record.beforeSides === undefined ? {} : { beforeSides: unpackSides(record.beforeSides) }),
    acknowledged: unpackSides(record.acknowledged),
  };
}

type Sides = PlannedRecord["acknowledged"];

function packSides(sides: Sides): readonly unknown[] {
  return sides.map((side) => ({
    ...side,
    acknowledged: {
      ...side.acknowledged,
      returned: pack(side.acknowledged.returned),
      stoodFor: pack(side.acknowledged.stoodFor),
    },
  }));
}

function unpackSides(sides: Sides): Sides {
  return sides.map((side) => ({
    ...side,
    acknowledged: {
      ...side.acknowledged,
      returned: unpack(side.acknowledged.returned as Packed),
      stoodFor: unpack(side.acknowledged.stoodFor as Packed),
    },
  }));
}
