import type { FilterContext } from "./filter-bind.ts";
import type { RowTest } from "./filter-eval.ts";
import { compileFilter } from "./filter-eval.ts";
import type { FilterPlan, IndexRange } from "./filter-plan.ts";
import { planEverything, planFilter } from "./filter-plan.ts";
import type { EnumDefinition, Value } from "./model.ts";
import { compareNumbers } from "./numbers.ts";
import type { SampleBehavior } from "./options.ts";
import type { OrderKey, QueryOptions } from "./query-options.ts";
import type { SlotIndex } from "./slot-index.ts";
import type { IndexName, Table } from "./table.ts";

/** A query against one table. */
export interface Query {
  readonly table: Table;
  readonly options: QueryOptions;
  /** Only these rows, for a navigation path such as `Property(1)/Media`. */
  readonly within?: readonly number[];
  /** The clock's instant, in microseconds. */
  readonly now: number;
}

/** A page of a result. */
export interface ResultPage {
  readonly slots: readonly number[];
  readonly hasMore: boolean;
}

const RESULTS_MAX = 8;

/**
 * Answers queries from the tables. Ranges of the key and of (time, key) are found by binary search;
 * other results are worked out once and kept until their table changes, so that a `$skip` walk over
 * them stays cheap.
 */
export class QueryRunner {
  readonly #enums: ReadonlyMap<string, EnumDefinition>;
  readonly #behavior: SampleBehavior;
  readonly #results: Map<string, { table: Table; version: number; slots: Uint32Array }> = new Map();

  constructor(enums: ReadonlyMap<string, EnumDefinition>, behavior: SampleBehavior) {
    this.#enums = enums;
    this.#behavior = behavior;
  }

  /** Rows `skip` to `skip + size` of the result. */
  page(query: Query, size: number): ResultPage {
    const { plan, test } = this.#prepare(query);
    const { skip, orderBy } = query.options;
    const order = indexOrder(query.table, orderBy);
    if (order !== undefined && query.within === undefined && plan.slots === undefined) {
      const index = query.table.index(order.name);
      const span = spanOf(plan, order.name, index);
      const isExact = isExactIn(plan, order.name);
      if (isExact) {
        return walk(index, span, order.isDescending, undefined, skip, size);
      }
      if (skip === 0 && isWorthWalking(plan, query.table, span)) {
        return walk(index, span, order.isDescending, test, 0, size);
      }
    }
    const result = this.#result(query, plan, test);
    return {
      slots: Array.from(result.subarray(skip, skip + size)),
      hasMore: result.length > skip + size,
    };
  }

  /** All rows of the result. */
  all(query: Query): Uint32Array {
    const { plan, test } = this.#prepare(query);
    return this.#result(query, plan, test);
  }

  /** Number of rows of the whole result. */
  count(query: Query): number {
    const { plan, test } = this.#prepare(query);
    if (query.within === undefined && plan.slots === undefined) {
      for (const name of ["key", "time"] as const) {
        if (isExactIn(plan, name)) {
          const span = spanOf(plan, name, query.table.index(name));
          return Math.max(0, span.end - span.start);
        }
      }
    }
    return this.#result(query, plan, test).length;
  }

  #prepare(query: Query): { plan: FilterPlan; test: RowTest } {
    const { filter } = query.options;
    if (filter === undefined) {
      return { plan: planEverything(), test: () => true };
    }
    const context: FilterContext = {
      table: query.table,
      enums: this.#enums,
      behavior: this.#behavior,
      now: query.now,
    };
    const test = compileFilter(filter, context);
    return { plan: planFilter(filter, query.table, this.#behavior.inclusiveGe), test };
  }

  #result(query: Query, plan: FilterPlan, test: RowTest): Uint32Array {
    const { table, options } = query;
    const now = options.filterText?.includes("now") ? query.now : 0;
    const name = [
      table.entity.name,
      options.filterText,
      options.orderByText,
      query.within?.join(),
      now,
      this.#behavior.inclusiveGe,
    ].join("\n");
    const held = this.#results.get(name);
    if (held?.table === table && held.version === table.version) {
      return held.slots;
    }
    const matching = candidates(query, plan).filter((slot) => table.isServed(slot) && test(slot));
    const slots = sortRows(matching, table, options.orderBy);
    this.#results.delete(name);
    this.#results.set(name, { table, version: table.version, slots });
    const [oldest] = this.#results.keys();
    if (this.#results.size > RESULTS_MAX && oldest !== undefined) {
      this.#results.delete(oldest);
    }
    return slots;
  }
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function spanOf(plan: FilterPlan, name: IndexName, index: SlotIndex): Span {
  const range: IndexRange = name === "natural" ? { from: [], until: [] } : plan[name];
  const start = Math.max(0, ...range.from.map((test) => index.partition(test)));
  const end = Math.min(index.length, ...range.until.map((test) => index.partition(test)));
  return { start, end };
}

function isExactIn(plan: FilterPlan, name: IndexName): boolean {
  return plan.exactIn === "both" || plan.exactIn === name;
}

/** True unless another index leaves far fewer rows to look at than a walk along this span. */
function isWorthWalking(plan: FilterPlan, table: Table, span: Span): boolean {
  const { start, end } = narrowest(plan, table);
  return span.end - span.start <= end - start || end - start > table.visibleRows / 20;
}

function narrowest(plan: FilterPlan, table: Table): Span & { index: SlotIndex } {
  const spans = (["key", "time"] as const)
    .filter((name) => name === "key" || plan.time.from.length + plan.time.until.length > 0)
    .map((name) => ({ index: table.index(name), ...spanOf(plan, name, table.index(name)) }));
  return spans.reduce((best, span) =>
    span.end - span.start < best.end - best.start ? span : best,
  );
}

function candidates(query: Query, plan: FilterPlan): Uint32Array {
  const listed = query.within ?? plan.slots;
  if (listed !== undefined) {
    return Uint32Array.from(listed);
  }
  const { index, start, end } = narrowest(plan, query.table);
  return index.slice(start, end);
}

function walk(
  index: SlotIndex,
  span: Span,
  isDescending: boolean,
  test: RowTest | undefined,
  skip: number,
  size: number,
): ResultPage {
  const slots: number[] = [];
  const rows = span.end - span.start;
  for (let step = skip; step < rows; step += 1) {
    const slot = index.at(isDescending ? span.end - 1 - step : span.start + step);
    if (test === undefined || test(slot)) {
      if (slots.length === size) {
        return { slots, hasMore: true };
      }
      slots.push(slot);
    }
  }
  return { slots, hasMore: false };
}

/** The index that has the wanted order, if one has. */
function indexOrder(
  table: Table,
  orderBy: readonly OrderKey[],
): { name: IndexName; isDescending: boolean } | undefined {
  const [first, second] = orderBy;
  if (first === undefined) {
    return { name: "natural", isDescending: false };
  }
  const { isDescending } = first;
  const { key, timestamp } = table.entity;
  if (first.property.name === key) {
    return { name: "key", isDescending };
  }
  const isByTime = first.property.name === timestamp;
  const isPair = second?.property.name === key && second?.isDescending === isDescending;
  return isByTime && (second === undefined || (isPair && orderBy.length === 2))
    ? { name: "time", isDescending }
    : undefined;
}

function sortRows(slots: Uint32Array, table: Table, orderBy: readonly OrderKey[]): Uint32Array {
  const [first] = orderBy;
  if (first === undefined) {
    return slots.sort((a, b) => table.compareIn("natural", a, b));
  }
  const order = indexOrder(table, orderBy);
  if (order !== undefined) {
    const sign = order.isDescending ? -1 : 1;
    return slots.sort((a, b) => sign * table.compareIn(order.name, a, b));
  }
  const values = orderBy.map(({ property, isDescending }) => {
    const read = table.reader(property.name);
    const held = new Map(Array.from(slots, (slot): [number, Value] => [slot, read(slot)]));
    const isNumber = ["Int32", "Int64", "Decimal"].includes(property.type);
    return { held, sign: isDescending ? -1 : 1, isNumber };
  });
  return slots.sort((a, b) => {
    for (const { held, sign, isNumber } of values) {
      const result = compareValues(held.get(a) ?? null, held.get(b) ?? null, isNumber);
      if (result !== 0) {
        return sign * result;
      }
    }
    return table.compareIn("natural", a, b);
  });
}

/** Null comes first, as OData has it. */
function compareValues(a: Value, b: Value, isNumber: boolean): number {
  if (a === null || b === null) {
    return a === b ? 0 : a === null ? -1 : 1;
  }
  return isNumber
    ? compareNumbers(a as number | string, b as number | string)
    : a < b
      ? -1
      : a > b
        ? 1
        : 0;
}
