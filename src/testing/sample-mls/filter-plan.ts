import type { RowTest } from "./filter-eval.ts";
import type { Literal } from "./filter-lexer.ts";
import type { Filter, Operator } from "./filter-parser.ts";
import type { EntityDefinition, Key } from "./model.ts";
import { findProperty } from "./model.ts";
import type { Table } from "./table.ts";

/**
 * A range of an index: rows for which `from` holds come before it, rows for which `until` holds do
 * not come after it. Both tests hold for a prefix of the index.
 */
export interface IndexRange {
  readonly from: RowTest[];
  readonly until: RowTest[];
}

/** What the indexes say about a filter. Rows outside do not satisfy it; rows inside may. */
export interface FilterPlan {
  readonly key: IndexRange;
  readonly time: IndexRange;
  /** The only rows that can satisfy it, when it lists keys or names one parent. */
  readonly slots: readonly number[] | undefined;
  /** The filter holds for all rows in the range of this index, so nothing is left to test. */
  readonly exactIn: "key" | "time" | "both" | undefined;
}

/** The plan of a request without a filter. */
export function planEverything(): FilterPlan {
  return { key: emptyRange(), time: emptyRange(), slots: undefined, exactIn: "both" };
}

/** Finds what the indexes can do for a filter; whatever it does not know is left to the row test. */
export function planFilter(filter: Filter, table: Table, inclusiveGe: boolean): FilterPlan {
  const key = emptyRange();
  const time = emptyRange();
  let slots: readonly number[] | undefined;
  const used = new Set<string>();
  for (const part of filter.kind === "and" ? filter.operands : [filter]) {
    if (narrowKey(part, table, key)) {
      used.add("key");
    } else if (narrowTime(part, table, time, inclusiveGe)) {
      used.add("time");
    } else {
      used.add("rows");
      slots ??= listedRows(part, table);
    }
  }
  const [only] = used;
  const isExact = used.size === 1 && (only === "key" || only === "time");
  return { key, time, slots, exactIn: isExact ? (only as "key" | "time") : undefined };
}

function emptyRange(): IndexRange {
  return { from: [], until: [] };
}

/** A comparison of a property with a literal, the property on the left. */
interface Bound {
  readonly name: string;
  readonly operator: Operator;
  readonly literal: Literal;
}

const MIRROR: Readonly<Partial<Record<Operator, Operator>>> = {
  eq: "eq",
  gt: "lt",
  ge: "le",
  lt: "gt",
  le: "ge",
};

function asBound(filter: Filter): Bound | undefined {
  if (filter.kind !== "compare") {
    return undefined;
  }
  const { operator, left, right } = filter;
  if (left.kind === "property" && right.kind === "literal") {
    return { name: left.name, operator, literal: right.literal };
  }
  const mirrored = MIRROR[operator];
  return left.kind === "literal" && right.kind === "property" && mirrored !== undefined
    ? { name: right.name, operator: mirrored, literal: left.literal }
    : undefined;
}

function narrowKey(filter: Filter, table: Table, range: IndexRange): boolean {
  const bound = asBound(filter);
  if (bound === undefined || bound.name !== table.entity.key) {
    return false;
  }
  const value = keyValue(bound.literal, table.entity);
  return value !== undefined && narrow(range, bound.operator, (slot) => table.key(slot), value);
}

function narrowTime(
  filter: Filter,
  table: Table,
  range: IndexRange,
  inclusiveGe: boolean,
): boolean {
  const pair = asPair(filter, table);
  if (pair !== undefined) {
    const { micros, key } = pair;
    range.from.push(
      (slot) =>
        table.time(slot) < micros || (table.time(slot) === micros && table.key(slot) <= key),
    );
    return true;
  }
  const bound = asBound(filter);
  if (bound?.name !== table.entity.timestamp || bound?.literal.kind !== "timestamp") {
    return false;
  }
  const operator = bound.operator === "ge" && !inclusiveGe ? "gt" : bound.operator;
  return narrow(range, operator, (slot) => table.time(slot), bound.literal.micros);
}

function narrow<T extends Key>(
  range: IndexRange,
  operator: Operator,
  read: (slot: number) => T,
  value: T,
): boolean {
  const below: RowTest = (slot) => read(slot) < value;
  const upTo: RowTest = (slot) => read(slot) <= value;
  switch (operator) {
    case "gt":
      range.from.push(upTo);
      return true;
    case "ge":
      range.from.push(below);
      return true;
    case "lt":
      range.until.push(below);
      return true;
    case "le":
      range.until.push(upTo);
      return true;
    case "eq":
      range.from.push(below);
      range.until.push(upTo);
      return true;
    default:
      return false;
  }
}

/** Recognises the pair keyset `T gt t or (T eq t and K gt k)`. */
function asPair(filter: Filter, table: Table): { micros: number; key: Key } | undefined {
  if (filter.kind !== "or" || filter.operands.length !== 2) {
    return undefined;
  }
  const [first, second] = filter.operands as [Filter, Filter];
  const later = asBound(first);
  const [sameTime, nextKey] =
    second.kind === "and" && second.operands.length === 2 ? second.operands.map(asBound) : [];
  const { timestamp, key } = table.entity;
  const isPair =
    later?.name === timestamp &&
    later?.operator === "gt" &&
    sameTime?.name === timestamp &&
    sameTime?.operator === "eq" &&
    nextKey?.name === key &&
    nextKey?.operator === "gt";
  if (!isPair || later.literal.kind !== "timestamp" || sameTime.literal.kind !== "timestamp") {
    return undefined;
  }
  const value = keyValue(nextKey.literal, table.entity);
  const { micros } = later.literal;
  return sameTime.literal.micros === micros && value !== undefined
    ? { micros, key: value }
    : undefined;
}

/** Rows named by a list of keys, or the children of one listing. */
function listedRows(filter: Filter, table: Table): readonly number[] | undefined {
  const bounds = listedBounds(filter);
  const names = new Set(bounds?.map((bound) => bound?.name));
  const [name] = names;
  if (bounds === undefined || names.size !== 1 || name === undefined) {
    return undefined;
  }
  const isParent = table.entity.parentKeys.includes(name);
  if (!isParent && name !== table.entity.key && !table.entity.alternateKeys.includes(name)) {
    return undefined;
  }
  const slots = new Set<number>();
  for (const bound of bounds) {
    const text = bound?.operator === "eq" ? literalText(bound.literal) : undefined;
    if (text === undefined) {
      return undefined;
    }
    for (const slot of isParent ? childrenOf(table, name, text) : rowsWithKey(table, text)) {
      slots.add(slot);
    }
  }
  return [...slots];
}

function listedBounds(filter: Filter): readonly (Bound | undefined)[] | undefined {
  if (filter.kind === "or") {
    return filter.operands.map(asBound);
  }
  if (filter.kind === "in" && filter.left.kind === "property") {
    const { name } = filter.left;
    return filter.list.map((literal) => ({ name, operator: "eq", literal }));
  }
  return filter.kind === "compare" ? [asBound(filter)] : undefined;
}

function literalText(literal: Literal): string | undefined {
  return literal.kind === "string" || literal.kind === "number" ? literal.text : undefined;
}

function rowsWithKey(table: Table, text: string): number[] {
  const isNumeric = findProperty(table.entity, table.entity.key ?? "")?.type === "Int32";
  const slot = table.find(isNumeric ? Number(text) : text);
  return slot === undefined ? [] : [slot];
}

/** Children of one listing, with all children added later: they are few, and the test sorts them. */
function childrenOf(table: Table, name: string, text: string): number[] {
  const { links } = table.source;
  const read = table.reader(name);
  if (links === undefined) {
    return [];
  }
  // Generated children stand in the order of their parents' keys, so a search finds the first.
  let low = 0;
  let high = links.rows;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Number(read(middle)) < Number(text)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const slots: number[] = [];
  for (let slot = low; slot < links.rows && String(read(slot)) === text; slot += 1) {
    slots.push(slot);
  }
  for (let slot = links.rows; slot < table.size; slot += 1) {
    slots.push(slot);
  }
  return slots;
}

function keyValue(literal: Literal, entity: EntityDefinition): Key | undefined {
  const type = findProperty(entity, entity.key ?? "")?.type;
  if (type === "String") {
    return literal.kind === "string" ? literal.text : undefined;
  }
  // A number of 64 bits is a text in the store, and its order is that of numbers: row by row.
  return literal.kind === "number" && type !== "Int64" ? Number(literal.text) : undefined;
}
