import {
  ownTransaction,
  type PostgresDatabase,
  type PostgresQueries,
} from "../../drivers/postgres/database.ts";
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
import { type Place, planTable, prepareTable } from "./destination-schema.ts";
import { applyBatch } from "./destination-write.ts";

export interface PostgresDestinationOptions {
  readonly database: PostgresDatabase;
  /** The schema of its tables, made if it is not there. Default: the one of the database's URL. */
  readonly schema?: string;
  /** True when the home has the same `database`, so that rows can be written in its commits. */
  readonly sharesHome?: boolean;
}

/** Keeps replicas as tables of a PostgreSQL database, one typed column per field. */
export function createPostgresDestination(options: PostgresDestinationOptions): Destination {
  const { database, schema = database.target.schema } = options;
  const place: Place = { database, schema };
  const release = database.retain();
  const layouts = createLayouts(place);
  const find = (table: TableSpec): Promise<Layout | undefined> => layouts.find(database, table);

  const layoutForWriting = async (queries: PostgresQueries, table: TableSpec): Promise<Layout> => {
    const layout = await layouts.find(queries, table);
    if (layout !== undefined) return layout;
    throw new SyncError("INTERNAL", `The table "${table.table}" was written before it was made.`, {
      context: { sync: table.sync, stream: table.schema.name },
    });
  };

  const within = (batch: RowBatch) => async (connection: unknown) => {
    const transaction = ownTransaction(database, connection);
    await applyBatch(transaction, await layoutForWriting(transaction, batch.table), batch);
  };

  return {
    location: database.location(schema),
    plan: async (table) => (await planTable(database, place, table)).changes,
    prepare: async (table) => {
      const changes = await prepareTable(place, table);
      layouts.forget();
      return changes;
    },
    marks: async (table, keys) => {
      const layout = await find(table);
      return layout ? readMarks(database, layout, keys) : new Map();
    },
    load: async (table, keys) => {
      const layout = await find(table);
      return layout ? loadRows(database, layout, keys) : new Map();
    },
    scan: async (table, after, limit) => {
      const layout = await find(table);
      return layout ? scanRows(database, layout, after, limit) : [];
    },
    scanKeys: async (table, after, limit) => {
      const layout = await find(table);
      return layout ? scanRowKeys(database, layout, after, limit) : [];
    },
    count: async (table) => {
      const layout = await find(table);
      return layout ? countRows(database, layout) : 0;
    },
    find: async (table, field, value, limit) => {
      const layout = await find(table);
      return layout ? findRows(database, layout, { field, value, limit }) : [];
    },
    orphans: async (child, field, parent, parentField) => {
      const own = columnFor(await find(child), field);
      const other = columnFor(await find(parent), parentField);
      return own ? countOrphans(database, own, other) : { count: 0, sample: [] };
    },
    write: (batch) => database.transaction((transaction) => within(batch)(transaction)),
    ...(options.sharesHome ? { within } : {}),
    backup: (tables, label) => backupTables(place, tables, label),
    close: release,
  };
}

function columnFor(layout: Layout | undefined, field: string): TableColumn | undefined {
  const column = layout && columnOf(layout, field);
  return layout === undefined || column === undefined ? undefined : { layout, column };
}
