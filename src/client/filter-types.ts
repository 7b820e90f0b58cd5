import type { DecimalText, IntegerText, TimestampText } from "./shapes.ts";

/** The type itself, and not a union of literals that happen to look like it. */
type Is<T, Whole> = [T] extends [Whole] ? ([Whole] extends [T] ? true : false) : false;

/** What a value may be written as: numbers for exact decimals too, a Date for an instant. */
export type Operand<T> =
  Is<T, IntegerText> extends true
    ? T | number | bigint
    : Is<T, DecimalText> extends true
      ? T | number | bigint
      : Is<T, TimestampText> extends true
        ? string | Date
        : [T] extends [number]
          ? T | bigint
          : T;

/** Of a lookup's union of names nothing is greater or less. */
type IsOrdered<T> = [T] extends [boolean]
  ? false
  : [T] extends [string]
    ? true extends Is<T, string> | Is<T, TimestampText> | Is<T, DecimalText> | Is<T, IntegerText>
      ? true
      : false
    : true;

interface Equality<O, N> {
  readonly eq?: O | N;
  readonly ne?: O | N;
  readonly in?: readonly O[];
}

interface Order<O> {
  readonly gt?: O;
  readonly ge?: O;
  readonly lt?: O;
  readonly le?: O;
}

/** Conditions on a field with several values: it has this one, all of these, one of these. */
interface ListCondition<I> {
  readonly has?: I | readonly I[];
  readonly hasAny?: readonly I[];
}

type Scalar<T, N> =
  IsOrdered<T> extends true ? Equality<Operand<T>, N> & Order<Operand<T>> : Equality<Operand<T>, N>;

/** A condition on a field: a value that it must equal (of several: have), or operators. */
export type Condition<T, N = Extract<T, null>> = [NonNullable<T>] extends [readonly (infer I)[]]
  ? I | ListCondition<I> | N
  : Operand<NonNullable<T>> | Scalar<NonNullable<T>, N> | N;

/** All conditions must hold; so must `and`, one of `or`, and not `not`. */
type StrictFilter<R> = { readonly [K in keyof R]?: Condition<R[K]> } & {
  readonly and?: readonly StrictFilter<R>[];
  readonly or?: readonly StrictFilter<R>[];
  readonly not?: StrictFilter<R>;
};

type Plain = string | number | bigint | boolean | Date;

interface LooseCondition extends Equality<Plain, null>, Order<Plain>, ListCondition<string> {}

/** A filter where no types were given: names and values are checked against `$metadata` only. */
export interface LooseFilter {
  readonly [field: string]: Plain | null | LooseCondition | LooseFilter | readonly LooseFilter[];
}

/** A filter in OData's own words, or as an object. */
export type FilterOf<R> = string | (string extends keyof R ? LooseFilter : StrictFilter<R>);
