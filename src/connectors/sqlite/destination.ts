import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Destination, RowBatch, TableSpec } from "../../ports/destination.ts";
import { backupTables } from "./destination-backup.ts";
import { createLayouts, type Layout } from "./destination-layout.ts";
import {
  columnOf,
  countOrphans,
  countRows,
  findRows,
  loadRows,
  readMarks,
  scanRowKeys,
  scanRows,
  type TableColumn,
} from "./destination-read.ts";
import { ensureRegistry } from "./destination-registry.ts";
import { applyPlan, planTable } from "./destination-schema.ts";
import { applyBatch } from "./destination-write.ts";

export interface SqliteDestinationOptions {
  readonly database: SqliteDatabase;
  /** True when the home has the same `database`, so that rows can be written in its commits. */
  readonly sharesHome?: boolean;
}

/** Keeps replicas as tables of a SQLite database, one column per field. */
export function createSqliteDestination(options: SqliteDestinationOptions): Destination {
  const { database } = options;
  const release = database.retain();
  const layouts = createLayouts(database);

  const layoutForWriting = (table: TableSpec): Layout => {
    const layout = layouts.find(table);
    if (layout !== undefined) return layout;
    throw new SyncError("INTERNAL", `The table "${table.table}" was written before it was made.`, {
      context: { sync: table.sync, stream: table.schema.name },
    });
  };

  const within = (batch: RowBatch) => (connection: unknown) => {
    if (connection !== database) {
      throw new SyncError("INTERNAL", "A write was given the transaction of another database.");
    }
    applyBatch(database, layoutForWriting(batch.table), batch);
  };

  return {
    location: `sqlite:${database.path}`,
    plan: async (table) => planTable(database, table).changes,
    prepare: async (table) => {
      const plan = database.transaction(() => {
        ensureRegistry(database);
        const made = planTable(database, table);
        applyPlan(database, table, made);
        return made;
      });
      layouts.forget();
      return plan.changes;
    },
    marks: async (table, keys) => {
      const layout = layouts.find(table);
      return layout ? readMarks(database, layout, keys) : new Map();
    },
    load: async (table, keys) => {
      const layout = layouts.find(table);
      return layout ? loadRows(database, layout, keys) : new Map();
    },
    scan: async (table, after, limit) => {
      const layout = layouts.find(table);
      return layout ? scanRows(database, layout, after, limit) : [];
    },
    scanKeys: async (table, after, limit) => {
      const layout = layouts.find(table);
      return layout ? scanRowKeys(database, layout, after, limit) : [];
    },
    count: async (table) => {
      const layout = layouts.find(table);
      return layout ? countRows(database, layout) : 0;
    },
    find: async (table, field, value, limit) => {
      const layout = layouts.find(table);
      return layout ? findRows(database, layout, { field, value, limit }) : [];
    },
    orphans: async (child, field, parent, parentField) => {
      const own = columnFor(layouts.find(child), child, field);
      const other = columnFor(layouts.find(parent), parent, parentField);
      return own ? countOrphans(database, own, other) : { count: 0, sample: [] };
    },
    write: async (batch) => {
      const layout = layoutForWriting(batch.table);
      database.transaction(() => applyBatch(database, layout, batch));
    },
    ...(options.sharesHome ? { within } : {}),
    backup: async (tables, label) => backupTables(database, tables, label),
    close: async () => release(),
  };
}

function columnFor(
  layout: Layout | undefined,
  spec: TableSpec,
  field: string,
): TableColumn | undefined {
  const column = layout && columnOf(layout, field);
  if (layout === undefined || column === undefined) return undefined;
  const isIndexed = spec.schema.key[0] === field || (spec.indexes ?? []).includes(field);
  return { layout, column, isIndexed };
}
