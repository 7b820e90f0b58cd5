import { z } from "zod";
import { assignsKeys, tableSettings, tablesOf, text, zone } from "../sql/config.ts";

/** How a column keeps its values, where its declared type does not say it. */
const COLUMN_FORMS = [
  "text",
  "integer",
  "decimal",
  "double",
  "boolean",
  "date",
  "time",
  "timestamp",
  "timestamp-iso",
  "epoch-seconds",
  "epoch-ms",
  "binary",
  "json",
] as const;

export type ColumnForm = (typeof COLUMN_FORMS)[number];

const ZONE = zone("times that are kept without one");

const table = z.strictObject({
  ...tableSettings,
  assignsKeys,
  zone: ZONE,
  fields: z.record(text(), z.enum(COLUMN_FORMS)).optional().describe("How columns keep values."),
});

export const sqliteConfigSchema = z.object({
  path: text().describe("The database file."),
  zone: ZONE,
  tables: tablesOf(table),
});

/** What a person says of one table; everything may be left out. */
export type TableSettings = z.infer<typeof table>;

export interface SqliteSettings {
  readonly zone?: string | undefined;
  readonly tables?: Readonly<Record<string, TableSettings>> | undefined;
}
