import type { Value } from "../model/value.ts";

/**
 * What a function of a `lockstep.config.ts` is given of sides that differ. Values are as `Value`
 * says: decimals and integers of 64 bits are texts of digits, timestamps texts in UTC.
 */
export interface RuleScope {
  readonly field: string;
  /** The agreed value, or null. */
  readonly base: Value;
  /** By side: what each of those that differ wants. */
  readonly value: Readonly<Record<string, Value>>;
  /** By side: when it wrote that, where it is known. */
  readonly at: Readonly<Record<string, string>>;
  /** By side, then by field: everything the side says. */
  readonly record: Readonly<Record<string, Readonly<Record<string, Value>>>>;
  /** When the run began. */
  readonly now: string;
}

/** Pure: the same for the same; what it throws is the reason for which the field waits. */
export type RuleFunction<Result> = (conflict: RuleScope) => Result;

/** Over one record, by the names of its fields. Pure. */
export type RecordFunction<Result> = (record: Readonly<Record<string, Value>>) => Result;

/** A sync of two or more sides, as a person writes it. */
export interface ReconcileInput {
  readonly sides: Readonly<Record<string, SideInput>>;
  /**
   * The side that is right where sides differ and a field has no policy of its own; `policy` is
   * asked where the hub is not among them.
   */
  readonly hub?: string | undefined;
  /** The shared field, or fields, by which records of the sides are the same one. */
  readonly match: string | readonly string[];
  /** Default: the fields that every side has under the same name. */
  readonly fields?: Readonly<Record<string, SharedFieldInput | null>> | undefined;
  /** Asked in order where sides differ; what none decides waits for review. */
  readonly policy?: PolicyInput | readonly PolicyInput[] | undefined;
  readonly deletes?: DeletesInput | undefined;
  readonly guard?: ReconcileGuardInput | undefined;
  /** How long a deleted record is remembered. Default `90d`. */
  readonly tombstones?: string | undefined;
}

export interface SideInput {
  readonly system: string;
  readonly stream: string;
  readonly direction?: "read" | "write" | "both" | undefined;
  readonly filter?: string | undefined;
  /** A condition over the shared fields; records that do not fulfil it have no place here. */
  readonly where?: string | RecordFunction<boolean> | undefined;
  readonly leaving?: "keep" | "remove" | undefined;
  readonly create?: boolean | undefined;
  readonly update?: boolean | undefined;
  readonly remove?:
    | "delete"
    | "never"
    | { readonly mark: Readonly<Record<string, Scalar>> }
    | undefined;
  readonly observe?: "whole" | "changes" | undefined;
  readonly overlap?: string | undefined;
  /** For `observe: changes`: read whole again when that was so long ago. Default `1d`. */
  readonly refresh?: string | undefined;
  /**
   * Where the system tells digests of its records: read only those whose digest changed. Default
   * true.
   */
  readonly digests?: boolean | undefined;
  /** How far the system's clock is ahead of ours, such as `2s` or `-1m`. */
  readonly clockOffset?: string | undefined;
  readonly fields?: Readonly<Record<string, SideFieldInput | null>> | undefined;
  readonly onCreate?: Readonly<Record<string, Scalar>> | undefined;
}

export type Scalar = string | number | boolean | null;

/** The side's field of another name, or one that needs more. `null`: the side does not have it. */
export type SideFieldInput =
  | string
  | {
      readonly field?: string | undefined;
      readonly constant?: Scalar | undefined;
      readonly computed?: string | RecordFunction<Value> | undefined;
      readonly direction?: "read" | "write" | "both" | undefined;
      readonly default?: Scalar | undefined;
      readonly table?: Readonly<Record<string, Scalar>> | undefined;
      readonly trim?: true | undefined;
      readonly case?: "upper" | "lower" | undefined;
      readonly scale?: number | string | undefined;
    };

export interface SharedFieldInput {
  readonly type?: FieldTypeInput | undefined;
  readonly compare?: CompareInput | undefined;
  readonly policy?: PolicyInput | readonly PolicyInput[] | undefined;
}

export type FieldTypeInput =
  | "text"
  | "integer"
  | "decimal"
  | "boolean"
  | "date"
  | "time"
  | "timestamp"
  | "double"
  | "json"
  | "set"
  | "list";

export interface CompareInput {
  readonly trim?: boolean | undefined;
  readonly ignoreCase?: boolean | undefined;
  readonly normalize?: boolean | undefined;
  readonly blankIsNull?: boolean | undefined;
  readonly scale?: number | undefined;
  readonly fraction?: number | undefined;
}

export type PolicyInput =
  | "latest-wins"
  | "merge"
  | "review"
  | { readonly "latest-wins": { readonly ties: readonly string[] } }
  | { readonly priority: readonly string[] }
  | { readonly prefer: string }
  | { readonly rules: readonly RuleInput[] }
  | { readonly "field-by-field": FieldByFieldInput };

/** Of the fields named, each by its own list; the others by `otherwise`. */
export interface FieldByFieldInput {
  readonly fields: Readonly<Record<string, PlainPolicyInput | readonly PlainPolicyInput[]>>;
  readonly otherwise?: PlainPolicyInput | readonly PlainPolicyInput[] | undefined;
}

/** A policy that holds no other. */
export type PlainPolicyInput = Exclude<PolicyInput, { readonly "field-by-field": unknown }>;

export interface RuleInput {
  readonly name: string;
  readonly when?:
    | {
        readonly field_priority?: readonly string[] | undefined;
        readonly source_priority?: readonly string[] | undefined;
        readonly value_based?: string | RuleFunction<boolean> | undefined;
        readonly time_based?: TimeInput | undefined;
      }
    | undefined;
  readonly then:
    | "merge_fields"
    | "use_latest"
    | { readonly prefer_source: string }
    | { readonly calculate: string | RuleFunction<Value> };
}

export type TimeInput =
  | string
  | RuleFunction<boolean>
  | { readonly newer_than: { readonly side: string; readonly than: string } }
  | { readonly older_than: { readonly side: string; readonly than: string } }
  | { readonly within: { readonly side: string; readonly age: string } }
  | { readonly before: { readonly side: string; readonly age: string } };

export interface DeletesInput {
  readonly propagate?: "remove" | "keep" | undefined;
  readonly againstEdit?: "edit-wins" | "delete-wins" | "review" | undefined;
}

export interface ReconcileGuardInput {
  readonly deleteShare?: string | undefined;
  readonly deleteCount?: number | undefined;
  readonly deleteFloor?: number | undefined;
  readonly changeShare?: string | undefined;
  readonly changeCount?: number | undefined;
  readonly changeFloor?: number | undefined;
}
