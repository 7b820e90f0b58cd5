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
  const said = pack(returned);
  const told = packUnlessSame(stoodFor, returned);
  if (left === true) return JSON.stringify([said, told ?? null, true]);
  return JSON.stringify(told === undefined ? [said] : [said, told]);
}

export function acknowledgedFromText(text: string): Acknowledged {
  const [said, told, left] = JSON.parse(text) as readonly [Packed, (Packed | null)?, true?];
  const returned = unpack(said);
  return {
    returned,
    stoodFor: told == null ? returned : unpack(told),
    ...(left === true ? { left } : {}),
  };
}

/** Nothing where the values are the others: most sides give back what they are told. */
function packUnlessSame(values: Values, others: Values): Packed | undefined {
  const isSame =
    values.length === others.length &&
    values.every((value, index) => {
      const other = others[index];
      return value === other || (Array.isArray(value) && sameList(value, other));
    });
  return isSame ? undefined : pack(values);
}

function sameList(list: readonly unknown[], other: Values[number]): boolean {
  return Array.isArray(other) && JSON.stringify(list) === JSON.stringify(other);
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
  return sides.map(({ acknowledged, ...side }) => {
    const { stoodFor, returned, ...rest } = acknowledged;
    const told = packUnlessSame(stoodFor, returned);
    const packed = { ...rest, returned: pack(returned) };
    return { ...side, acknowledged: told === undefined ? packed : { ...packed, stoodFor: told } };
  });
}

function unpackSides(sides: Sides): Sides {
  return sides.map(({ acknowledged, ...side }) => {
    const { stoodFor: told, ...rest } = acknowledged as Partial<Acknowledged>;
    const returned = unpack((rest.returned ?? []) as Packed);
    const stoodFor = told === undefined ? returned : unpack(told as Packed);
    return { ...side, acknowledged: { ...rest, returned, stoodFor } };
  });
}
