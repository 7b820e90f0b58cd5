import {
  type ColumnRules,
  newTable,
  planDrift,
  refuseDrift,
  type StoredTable,
} from "../../model/drift.ts";
import { destinationName } from "../../model/naming.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { SchemaChange, TableSpec } from "../../ports/destination.ts";
import type { MemoryDestinationState, MemoryTable } from "./destination-state.ts";

const rulesFor = (spec: TableSpec): ColumnRules => ({
  naming: spec.naming,
  reserved: [],
  storage: () => "",
  holds: () => true,
});

interface TablePlan {
  readonly name: string;
  readonly changes: readonly SchemaChange[];
  readonly stored: StoredTable;
}

/** The table of a spec, or undefined when there is none. Throws DESTINATION_FOREIGN_TABLE. */
export function ownTable(state: MemoryDestinationState, spec: TableSpec): MemoryTable | undefined {
  const name = destinationName(spec.table, spec.naming);
  const table = state.tables.get(name.toLowerCase());
  if (table === undefined) return undefined;
  if (table.sync === spec.sync && table.stream === spec.schema.name) return table;
  throw new SyncError(
    "DESTINATION_FOREIGN_TABLE",
    `The table "${name}" belongs to stream "${table.stream}" of sync "${table.sync}".`,
    { context: { sync: spec.sync, stream: spec.schema.name } },
  );
}

/** Plans the table; changes nothing. Throws DRIFT_HALTED, DRIFT_NARROWED, foreign table. */
export function planTable(state: MemoryDestinationState, spec: TableSpec): TablePlan {
  const known = ownTable(state, spec);
  if (known === undefined) {
    const name = destinationName(spec.table, spec.naming);
    const stored = newTable(spec.schema, rulesFor(spec));
    const description = `table "${name}" is made with ${stored.fields.length} columns`;
    return { name, changes: [{ kind: "create-table", table: name, description }], stored };
  }
  const { name } = known;
  const { changes, refusals, table } = planDrift(
    known.stored,
    spec.schema,
    spec.drift,
    rulesFor(spec),
  );
  refuseDrift({ name, sync: spec.sync, stream: spec.schema.name }, refusals);
  return {
    name,
    changes: changes.map(({ kind, field, description }) => ({
      kind,
      table: name,
      field,
      description: `table "${name}": ${description}`,
    })),
    stored: table,
  };
}

/** Makes or evolves the table. */
export function applyTablePlan(
  state: MemoryDestinationState,
  spec: TableSpec,
): readonly SchemaChange[] {
  const { name, changes, stored } = planTable(state, spec);
  const known = state.tables.get(name.toLowerCase());
  if (known === undefined) {
    const { sync, schema } = spec;
    const table: MemoryTable = { name, sync, stream: schema.name, stored, rows: new Map() };
    state.tables.set(name.toLowerCase(), table);
  } else {
    rewriteRows(known, stored);
    known.stored = stored;
  }
  return changes;
}

/** Gives numbers whose field has become one of 64 bits or a decimal the form of that type: text. */
function rewriteRows(table: MemoryTable, next: StoredTable): void {
  const places = next.fields.flatMap(({ type }, index) => {
    const before = table.stored.fields[index]?.type;
    const isText = (type.kind === "integer" && type.bits === 64) || type.kind === "decimal";
    return before !== undefined && before.kind === "integer" && isText ? [index] : [];
  });
  if (places.length === 0) return;
  for (const [key, row] of table.rows) {
    const values = [...row.values];
    for (const place of places) {
      const value = values[place];
      if (typeof value === "number") values[place] = String(value);
    }
    table.rows.set(key, { ...row, values });
  }
}
