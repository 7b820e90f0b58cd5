import type { FilterOf } from "./filter-types.ts";
import type { FieldOf, OrderTerm, RelatedOf, RowOf, StreamShape } from "./shapes.ts";

/** Which record, and what of it. */
export interface GetOptions<F, E> {
  /** Only these fields. Default: all. */
  readonly select?: readonly F[];
  /** Related records to bring along, by navigation name. */
  readonly expand?: readonly E[];
  readonly signal?: AbortSignal;
}

/** Which records, what of them, and in what order. */
export interface ListQuery<T extends StreamShape, F extends FieldOf<T>, E extends RelatedOf<T>>
  extends GetOptions<F, E> {
  readonly filter?: FilterOf<T["record"]>;
  /** Without an order records come in the order of their key, each exactly once. */
  readonly orderBy?: OrderTerm<FieldOf<T>> | readonly OrderTerm<FieldOf<T>>[];
  /** At most so many records in all. */
  readonly top?: number;
  /** Records to ask for per page; the server may give fewer. */
  readonly pageSize?: number;
}

/** A circle on the earth, and what else must hold. */
export interface NearQuery<T extends StreamShape, F extends FieldOf<T>, E extends RelatedOf<T>>
  extends ListQuery<T, F, E> {
  /** Degrees north, -90 to 90. */
  readonly latitude: number;
  /** Degrees east, -180 to 180. */
  readonly longitude: number;
  readonly miles: number;
  /** The field with the place. Default: the set's own, GeoLocation first. */
  readonly field?: FieldOf<T>;
}

export interface CountQuery<T extends StreamShape> {
  readonly filter?: FilterOf<T["record"]>;
  readonly signal?: AbortSignal;
}

/**
 * Records, fetched page by page while they are iterated; each iteration asks anew. Nothing is
 * asked before the first one is wanted.
 */
export interface ResoList<R> extends AsyncIterable<R> {
  /** The same records in the pages in which they come; none is empty. */
  pages(): AsyncIterable<readonly R[]>;
  /** All of them, in memory. */
  toArray(): Promise<R[]>;
}

/** One entity set. Every method throws a ResoError, or the signal's reason. */
export interface ResoSet<T extends StreamShape> {
  list<const F extends FieldOf<T> = FieldOf<T>, const E extends RelatedOf<T> = never>(
    query?: ListQuery<T, F, E>,
  ): ResoList<RowOf<T, F, E>>;
  /** The record of that key; ResoNotFoundError where there is none. */
  get<const F extends FieldOf<T> = FieldOf<T>, const E extends RelatedOf<T> = never>(
    key: T["key"],
    options?: GetOptions<F, E>,
  ): Promise<RowOf<T, F, E>>;
  /** The server's own count. */
  count(query?: CountQuery<T>): Promise<number>;
}

export interface PropertySet<T extends StreamShape> extends ResoSet<T> {
  /** Records less than so many miles from a point, as the server measures it. */
  near<const F extends FieldOf<T> = FieldOf<T>, const E extends RelatedOf<T> = never>(
    query: NearQuery<T, F, E>,
  ): ResoList<RowOf<T, F, E>>;
}

/** A key that the service says was deleted, and when (UTC). */
export interface DeletedRecord<K> {
  readonly key: K;
  readonly deletedAt: string | null;
}

export interface DeletedQuery {
  /** From this instant on, inclusive. Default: all that the service still tells of. */
  readonly since?: string | Date;
  readonly top?: number;
  readonly signal?: AbortSignal;
}
