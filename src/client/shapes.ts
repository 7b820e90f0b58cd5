/** The text of an exact decimal number: `"459900.5"`. Never an exponent, never a trailing zero. */
export type DecimalText = `${number}`;
/** The text of a whole number of 64 bits. */
export type IntegerText = `${bigint}`;
/** An instant in UTC: `2026-01-31T18:48:38Z`, with as many fraction digits as the server sent. */
export type TimestampText = `${string}T${string}Z`;

/** A value as records hold it; see docs/client.md for the form of each type. */
export type ResoValue =
  | null
  | boolean
  | number
  | string
  | readonly ResoValue[]
  | { readonly [name: string]: ResoValue };

/** What is known of one entity set at compile time; `lockstep types` writes it. */
export interface StreamShape {
  readonly record: object;
  /** One value, or an object with the value of each key field. */
  readonly key: unknown;
  /** By navigation name: the records, or the one record or null, that it leads to. */
  readonly related: object;
}

/** An entity set of which nothing is known at compile time. */
export interface AnyStream {
  readonly record: Readonly<Record<string, ResoValue>>;
  readonly key: string | number | Readonly<Record<string, string | number>>;
  readonly related: Readonly<Record<string, ResoValue>>;
}

/** Entity sets by name. */
export type StreamShapes<S> = { readonly [K in keyof S]: StreamShape };
export type AnyStreams = Readonly<Record<string, AnyStream>>;

export type StreamNamed<S, N extends string> = N extends keyof S
  ? S[N] extends StreamShape
    ? S[N]
    : AnyStream
  : AnyStream;

export type FieldOf<T extends StreamShape> = keyof T["record"] & string;
export type RelatedOf<T extends StreamShape> = keyof T["related"] & string;

/** A record with the selected fields and the expanded relations. */
export type RowOf<T extends StreamShape, F extends FieldOf<T>, E extends RelatedOf<T>> = Pick<
  T["record"],
  F
> & { readonly [N in E]: T["related"][N] };

/** One field to order by, ascending unless it says `desc`. */
export type OrderTerm<F extends string> = F | `${F} asc` | `${F} desc`;
