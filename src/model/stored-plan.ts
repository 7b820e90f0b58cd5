import type { PlannedRecord } from "./plan.ts";
import type { Acknowledged } from "./reconcile.ts";
import type { Values } from "./record.ts";
import { type Value, valuesEqual } from "./value.ts";

/** JSON has no absent: it is written as an empty object, which no value is. */
type PackedValue = Value | Readonly<Record<string, never>>;
type Packed = readonly PackedValue[];
/** Values that are others but for some, by their index; all of them where these have no likeness. */
type PackedAgainst = Packed | Readonly<Record<string, PackedValue>>;

function pack(values: Values): Packed {
  return values.map((value) => (value === undefined ? {} : value));
}

function unpack(packed: Packed): Values {
  return packed.map(unpackValue);
}

function unpackValue(value: PackedValue): Value | undefined {
  return value !== null && typeof value === "object" && !Array.isArray(value)
    ? undefined
    : (value as Value);
}

function packAgainst(values: Values, others: Values): PackedAgainst {
  if (values.length !== others.length) return pack(values);
  const differing: Record<string, PackedValue> = {};
  values.forEach((value, index) => {
    if (!valuesEqual(value, others[index])) differing[index] = value === undefined ? {} : value;
  });
  return differing;
}

function unpackAgainst(packed: PackedAgainst, others: Values): Values {
  if (isWhole(packed)) return unpack(packed);
  const differing = Object.entries(packed);
  if (differing.length === 0) return others;
  const values = [...others];
  for (const [index, value] of differing) values[Number(index)] = unpackValue(value);
  return values;
}

function isWhole(packed: PackedAgainst): packed is Packed {
  return Array.isArray(packed);
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
  const told = isSame(stoodFor, returned) ? undefined : pack(stoodFor);
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

/** Most sides give back what they are told. */
function isSame(values: Values, others: Values): boolean {
  return (
    values.length === others.length &&
    values.every((value, index) => valuesEqual(value, others[index]))
  );
}

type Reasons = PlannedRecord["reasons"];
/** A reason, or 0 for the one before it once more. */
type PackedReasons = readonly (Reasons[number] | 0)[];

function packReasons(reasons: Reasons): PackedReasons {
  return reasons.map((reason, index) => (isSameReason(reason, reasons[index - 1]) ? 0 : reason));
}

function isSameReason(reason: Reasons[number], before: Reasons[number] | undefined): boolean {
  if (reason.kind === "agreed") return before?.kind === "agreed";
  if (reason.kind !== "changed" && reason.kind !== "joined") return false;
  return before?.kind === reason.kind && valuesEqual(reason.by, before.by);
}

function unpackReasons(packed: PackedReasons): Reasons {
  let before: Reasons[number] = { kind: "agreed" };
  return packed.map((reason) => {
    if (reason !== 0) before = reason;
    return before;
  });
}

/** What most records have, and what is therefore not written. */
const USUAL = {
  isNew: false,
  operations: [],
  unlinked: [],
  ends: false,
  behind: false,
  troubles: [],
} as const satisfies Partial<PlannedRecord>;

function isUsual([name, value]: readonly [string, unknown]): boolean {
  if (!(name in USUAL)) return false;
  return value === false || (Array.isArray(value) && value.length === 0);
}

/**
 * A planned record as JSON text, as it is kept in the home and in a plan's file. What is said again
 * and again, since most values stay as they are on all sides, is said once.
 */
export function plannedToText(record: PlannedRecord): string {
  const { agreed, before, beforeSides, acknowledged, reasons, ...rest } = record;
  return JSON.stringify({
    ...Object.fromEntries(Object.entries(rest).filter((entry) => !isUsual(entry))),
    agreed: pack(agreed),
    ...(before === undefined ? {} : { before: packAgainst(before, agreed) }),
    ...(beforeSides === undefined ? {} : { beforeSides: packSides(beforeSides, before ?? agreed) }),
    reasons: packReasons(reasons),
    acknowledged: packSides(acknowledged, agreed),
  });
}

interface PackedRecord
  extends Pick<PlannedRecord, "link" | "name" | "record">,
    Partial<Pick<PlannedRecord, keyof typeof USUAL>> {
  readonly agreed: Packed;
  readonly before?: PackedAgainst;
  readonly beforeSides?: readonly PackedSide[];
  readonly reasons: PackedReasons;
  readonly acknowledged: readonly PackedSide[];
}

export function plannedFromText(text: string): PlannedRecord {
  const packed = JSON.parse(text) as PackedRecord;
  const { agreed: said, before: was, beforeSides, acknowledged, reasons, ...rest } = packed;
  const agreed = unpack(said);
  const before = was === undefined ? undefined : unpackAgainst(was, agreed);
  return {
    ...USUAL,
    ...rest,
    agreed,
    ...(before === undefined ? {} : { before }),
    ...(beforeSides === undefined
      ? {}
      : { beforeSides: unpackSides(beforeSides, before ?? agreed) }),
    reasons: unpackReasons(reasons),
    acknowledged: unpackSides(acknowledged, agreed),
  };
}

type Side = PlannedRecord["acknowledged"][number];

interface PackedSide extends Omit<Side, "acknowledged"> {
  readonly acknowledged: {
    readonly left?: true;
    /** Against what is agreed. */
    readonly returned: PackedAgainst;
    /** Against what is returned; absent where it is that. */
    readonly stoodFor?: PackedAgainst;
  };
}

function packSides(sides: readonly Side[], agreed: Values): readonly PackedSide[] {
  return sides.map(({ acknowledged: { returned, stoodFor, ...rest }, ...side }) => ({
    ...side,
    acknowledged: {
      ...rest,
      returned: packAgainst(returned, agreed),
      ...(isSame(stoodFor, returned) ? {} : { stoodFor: packAgainst(stoodFor, returned) }),
    },
  }));
}

function unpackSides(sides: readonly PackedSide[], agreed: Values): readonly Side[] {
  return sides.map(({ acknowledged: { returned: said, stoodFor: told, ...rest }, ...side }) => {
    const returned = unpackAgainst(said, agreed);
    const stoodFor = told === undefined ? returned : unpackAgainst(told, returned);
    return { ...side, acknowledged: { ...rest, returned, stoodFor } };
  });
}
