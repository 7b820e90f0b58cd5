import { claimName, destinationName } from "./naming.ts";
import type { DriftPolicy, Naming } from "./replicate.ts";
import type { Field, StreamSchema } from "./schema.ts";
import type { ValueType } from "./value.ts";

/** A field as a replica's table remembers it. `column` is absent for one the policy ignored. */
export interface StoredField {
  readonly field: string;
  readonly column?: string;
  /** How the column keeps values, in the destination's own words. */
  readonly storage?: string;
  /** The widest type the field has had. */
  readonly type: ValueType;
  /** The source no longer shows the field; its column stays as it was. */
  readonly vanished?: true;
}

/** What a replica's table remembers of its schema; JSON-safe. */
export interface StoredTable {
  readonly key: readonly string[];
  readonly fields: readonly StoredField[];
}

/** What becomes of one field. */
export interface FieldDrift {
  readonly kind: "add-column" | "widen-column" | "ignored-field" | "vanished-field";
  readonly field: string;
  readonly column?: string;
  readonly description: string;
}

/** Why a table cannot follow its source. `halted` is the policy's wish, `narrowed` a loss. */
export interface DriftRefusal {
  readonly kind: "halted" | "narrowed";
  readonly field: string;
  readonly description: string;
}

export interface TableDrift {
  readonly changes: readonly FieldDrift[];
  readonly refusals: readonly DriftRefusal[];
  /** What the table remembers once the changes are made. */
  readonly table: StoredTable;
}

/** A destination's own rules for its columns. */
export interface ColumnRules {
  readonly naming: Naming;
  /** Column names that are taken, in lower case. */
  readonly reserved: readonly string[];
  /** How a new column keeps values of the type. */
  storage(type: ValueType, isKey: boolean): string;
  /** True when a column of that storage keeps every value of the type exactly. */
  holds(storage: string, type: ValueType): boolean;
}

/** What a table remembers that is made for `schema`. */
export function newTable(schema: StreamSchema, rules: ColumnRules): StoredTable {
  const taken = new Set(rules.reserved);
  const fields = schema.fields.map(
    ({ name, type }): StoredField => ({
      field: name,
      column: claimName(destinationName(name, rules.naming), taken),
      storage: rules.storage(type, schema.key.includes(name)),
      type,
    }),
  );
  return { key: schema.key, fields };
}

/** How a stored table follows its source's present schema under a drift policy. */
export function planDrift(
  stored: StoredTable,
  schema: StreamSchema,
  drift: DriftPolicy,
  rules: ColumnRules,
): TableDrift {
  const changes: FieldDrift[] = [];
  const refusals: DriftRefusal[] = [];
  const taken = new Set(rules.reserved);
  for (const { column } of stored.fields) if (column) taken.add(column.toLowerCase());
  const known = new Map(stored.fields.map((field) => [field.field, field]));
  const served = new Set(schema.fields.map(({ name }) => name));

  const next = new Map<string, StoredField>();
  for (const field of stored.fields) next.set(field.field, vanish(field, served, changes));
  for (const field of schema.fields) {
    const before = known.get(field.name);
    const after =
      before?.column === undefined
        ? addField(field, before, { drift, rules, taken }, changes, refusals)
        : followType(field, before, { drift, rules }, changes, refusals);
    next.set(field.name, after);
  }
  if (stored.key.join("\0") !== schema.key.join("\0")) {
    refusals.push({
      kind: "narrowed",
      field: schema.key.join(", "),
      description: `the key is now "${schema.key.join(", ")}", the table has "${stored.key.join(", ")}"`,
    });
  }
  return { changes, refusals, table: { key: stored.key, fields: [...next.values()] } };
}

function vanish(
  field: StoredField,
  served: ReadonlySet<string>,
  changes: FieldDrift[],
): StoredField {
  if (served.has(field.field) || field.vanished || field.column === undefined) return field;
  changes.push({
    kind: "vanished-field",
    field: field.field,
    column: field.column,
    description: `field "${field.field}" is no longer read; its column keeps what it holds`,
  });
  return { ...field, vanished: true };
}

function addField(
  field: Field,
  before: StoredField | undefined,
  options: {
    readonly drift: DriftPolicy;
    readonly rules: ColumnRules;
    readonly taken: Set<string>;
  },
  changes: FieldDrift[],
  refusals: DriftRefusal[],
): StoredField {
  const ignored: StoredField = { field: field.name, type: field.type };
  if (options.drift === "evolve") {
    const { rules } = options;
    const column = claimName(destinationName(field.name, rules.naming), options.taken);
    const description = `new field "${field.name}" (${typeName(field.type)}) gets a column`;
    changes.push({ kind: "add-column", field: field.name, column, description });
    return { ...ignored, column, storage: rules.storage(field.type, false) };
  }
  if (before !== undefined) return ignored;
  if (options.drift === "ignore") {
    const description = `new field "${field.name}" (${typeName(field.type)}) is not replicated`;
    changes.push({ kind: "ignored-field", field: field.name, description });
  } else {
    const description = `field "${field.name}" (${typeName(field.type)}) is new`;
    refusals.push({ kind: "halted", field: field.name, description });
  }
  return ignored;
}

function followType(
  field: Field,
  before: StoredField,
  options: { readonly drift: DriftPolicy; readonly rules: ColumnRules },
  changes: FieldDrift[],
  refusals: DriftRefusal[],
): StoredField {
  const { vanished: _back, ...kept } = before;
  const drift = typeDrift(before.type, field.type);
  if (drift === "same") return kept;
  const words = `"${field.name}" was ${typeName(before.type)} and is now ${typeName(field.type)}`;
  const type = widest(before.type, field.type);
  if (drift === "narrower" || !options.rules.holds(before.storage ?? "", field.type)) {
    refusals.push({ kind: "narrowed", field: field.name, description: words });
    return kept;
  }
  if (options.drift === "halt") {
    refusals.push({ kind: "halted", field: field.name, description: words });
    return kept;
  }
  const column = before.column === undefined ? {} : { column: before.column };
  changes.push({ kind: "widen-column", field: field.name, ...column, description: words });
  return { ...kept, type };
}

/** Decimal digits that every value of an integer type fits in. */
const INTEGER_DIGITS = { 16: 5, 32: 10, 64: 19 } as const;

/** Of two decimals, one that holds both; else the later type. */
function widest(before: ValueType, after: ValueType): ValueType {
  if (before.kind !== "decimal" || after.kind !== "decimal") return after;
  const whole = [wholeDigits(before), wholeDigits(after)];
  const scales = [before.scale ?? 0, after.scale ?? 0];
  if (whole.includes(undefined)) return { kind: "decimal" };
  const scale = Math.max(...scales);
  return { kind: "decimal", precision: Math.max(...whole.map(Number)) + scale, scale };
}

export type TypeDrift = "same" | "wider" | "narrower";

/**
 * What a change of a field's declared type means for values kept in the old type's canonical
 * form. A smaller declared length or precision is `same`: sources declare them carelessly, and
 * what holds more holds less. `wider` keeps every old value as it is; all else is `narrower`.
 */
export function typeDrift(from: ValueType, to: ValueType): TypeDrift {
  switch (from.kind) {
    case "text":
      if (to.kind !== "text") return "narrower";
      return atMost(to.maxLength, from.maxLength) ? "same" : "wider";
    case "integer":
      return integerDrift(from.bits, to);
    case "decimal":
      return decimalDrift(from, to);
    case "list":
      return to.kind === "list" && typeDrift(from.of, to.of) === "same" ? "same" : "narrower";
    case "double":
    case "boolean":
      return to.kind === from.kind ? "same" : "narrower";
    case "date":
    case "timestamp":
    case "time":
    case "binary":
    case "json":
      if (to.kind === from.kind) return "same";
      return to.kind === "text" ? "wider" : "narrower";
  }
}

function integerDrift(bits: 16 | 32 | 64, to: ValueType): TypeDrift {
  if (to.kind === "integer" && to.bits === bits) return "same";
  const wider =
    (to.kind === "integer" && to.bits > bits) ||
    (to.kind === "double" && bits < 64) ||
    (to.kind === "decimal" && atMost(INTEGER_DIGITS[bits], wholeDigits(to)));
  return wider ? "wider" : "narrower";
}

function decimalDrift(from: DecimalFacets, to: ValueType): TypeDrift {
  if (to.kind === "text") return "wider";
  if (to.kind !== "decimal") return "narrower";
  const within = atMost(wholeDigits(to), wholeDigits(from)) && atMost(to.scale, from.scale);
  return within ? "same" : "wider";
}

interface DecimalFacets {
  readonly precision?: number;
  readonly scale?: number;
}

function wholeDigits(type: DecimalFacets): number | undefined {
  return type.precision === undefined ? undefined : type.precision - (type.scale ?? 0);
}

/** Absent means without limit. */
function atMost(value: number | undefined, limit: number | undefined): boolean {
  return limit === undefined || (value !== undefined && value <= limit);
}

/** A type in words, with the facets that tell it apart: `text(50)`, `decimal(12,2)`. */
export function typeName(type: ValueType): string {
  switch (type.kind) {
    case "text":
      return type.maxLength === undefined ? "text" : `text(${type.maxLength})`;
    case "integer":
      return `integer(${type.bits} bit)`;
    case "decimal":
      return type.precision === undefined
        ? "decimal"
        : `decimal(${type.precision},${type.scale ?? 0})`;
    case "list":
      return `list of ${typeName(type.of)}`;
    case "double":
    case "boolean":
    case "date":
    case "timestamp":
    case "time":
    case "binary":
    case "json":
      return type.kind;
  }
}
