import type { RecordExpression } from "../../model/expression.ts";
import type { Direction } from "../../model/reconcile.ts";
import type { Value } from "../../model/value.ts";

/** How one side keeps one shared field. */
export interface FieldMapping {
  /** Name of the shared field. */
  readonly shared: string;
  readonly direction: Direction;
  readonly from: MappingSource;
  /** What is done to the side's value as it is read, in order; writing undoes it backwards. */
  readonly steps: readonly MappingStep[];
  /** Written when a record is created here and the shared value is absent or null. */
  readonly onCreate?: Value;
}

export type MappingSource =
  | { readonly kind: "field"; readonly name: string }
  /** Every record of the side has this value. Read only. */
  | { readonly kind: "constant"; readonly value: Value }
  /** Calculated from the side's other fields. Read only. */
  | { readonly kind: "computed"; readonly expression: RecordExpression };

export type MappingStep =
  /** Each of the side's values and what it is called in the shared record; others do not fit. */
  | { readonly kind: "table"; readonly pairs: readonly (readonly [side: Value, shared: Value])[] }
  | { readonly kind: "trim" }
  | { readonly kind: "case"; readonly to: "upper" | "lower" }
  /** The side's number times `by` (canonical decimal) is the shared number: 0.01 for cents. */
  | { readonly kind: "scale"; readonly by: string };

/** A side field that the shared record does not have, given a value when a record is created. */
export interface CreateConstant {
  readonly field: string;
  readonly value: Value;
}

/** All of one side's mapping. */
export interface SideMapping {
  readonly fields: readonly FieldMapping[];
  readonly onCreate: readonly CreateConstant[];
}

/** What is wrong with a mapping, before any record is read. */
export interface MappingProblem {
  /** Where: the shared field, or the side's. */
  readonly path: string;
  readonly reason: string;
  readonly remedy: string;
}
