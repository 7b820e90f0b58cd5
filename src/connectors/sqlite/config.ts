import { z } from "zod";
import { isTimeZone } from "../../model/timestamp-zone.ts";

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

const text = (): z.ZodString => z.string().min(1);
const zone = (): z.ZodOptional<z.ZodString> =>
  text()
    .refine(isTimeZone, { message: "is no time zone; expected a name such as America/Denver" })
    .optional()
    .describe("The zone of times that are kept without one. Default: UTC.");

const table = z.strictObject({
  key: z
    .union([text(), z.array(text()).min(1)])
    .optional()
    .describe("The fields of the key. Default: the primary key, else a unique index."),
  modifiedAt: z
    .union([text(), z.literal(false)])
    .optional()
    .describe("The field with the time of last change, or false. Default: found by its name."),
  assignsKeys: z
    .boolean()
    .optional()
    .describe("New records get their keys from the database. Default: as the table is made."),
  zone: zone(),
  fields: z.record(text(), z.enum(COLUMN_FORMS)).optional().describe("How columns keep values."),
});

export const sqliteConfigSchema = z.object({
  path: text().describe("The database file."),
  zone: zone(),
  tables: z.record(text(), table).optional().describe("What the tables themselves do not say."),
});

/** What a person says of one table; everything may be left out. */
export type TableSettings = z.infer<typeof table>;

export interface SqliteSettings {
  readonly zone?: string | undefined;
  readonly tables?: Readonly<Record<string, TableSettings>> | undefined;
}
