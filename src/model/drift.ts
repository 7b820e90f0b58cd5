import { claimName, destinationName } from "./naming.ts";
import type { DriftPolicy, Naming } from "./replicate.ts";
import type { Field, StreamSchema } from "./schema.ts";
import { SyncError } from "./sync-error.ts";
import { typeDrift, typeName, widestType } from "./type-drift.ts";
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
  /** Makes a name as short as the database needs it; by default it stays. */
  fit?(name: string): string;
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
      column: claimName(columnName(name, rules), taken),
      storage: rules.storage(type, schema.key.includes(name)),
      type,
    }),
  );
  return { key: schema.key, fields };
}

function columnName(field: string, rules: ColumnRules): string {
  const name = destinationName(field, rules.naming);
  return rules.fit?.(name) ?? name;
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
    const column = claimName(columnName(field.name, rules), options.taken);
    const description = `new field "${field.name}" (${typeName(field.type)}) gets a column`;
    changes.push({ kind: "add-column", field: field.name, column, description });
    return { ...ignored, column, storage: rules.storage(field.type, false) };
  }
  // Told by every plan, not only the first: the caller must leave the field out of what it writes.
  if (before !== undefined || options.drift === "ignore") {
    const known = before === undefined ? "new field" : "field";
    const description = `${known} "${field.name}" (${typeName(field.type)}) is not replicated`;
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
  const type = widestType(before.type, field.type);
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

/**
 * Throws DRIFT_NARROWED where anything would be lost, else DRIFT_HALTED where the policy wants a
 * person; returns when nothing was refused.
 */
export function refuseDrift(
  table: { readonly name: string; readonly sync: string; readonly stream: string },
  refusals: readonly DriftRefusal[],
): void {
  const narrowed = refusals.filter(({ kind }) => kind === "narrowed");
  const worst = narrowed.length > 0 ? narrowed : refusals;
  if (worst.length === 0) return;
  const reasons = worst.map(({ description }) => description);
  const more = reasons.length > 3 ? `, and ${reasons.length - 3} more` : "";
  throw new SyncError(
    narrowed.length > 0 ? "DRIFT_NARROWED" : "DRIFT_HALTED",
    `The table "${table.name}" does not fit its stream "${table.stream}": ${reasons.slice(0, 3).join("; ")}${more}.`,
    {
      context: { sync: table.sync, stream: table.stream },
      details: { table: table.name, fields: worst.map(({ field }) => field), reasons },
    },
  );
}
