import { z } from "zod";
import { assignsKeys, tableSettings, tablesOf, text, zone } from "../sql/config.ts";

const ZONE = zone("columns of type timestamp, which have none");

const table = z.strictObject({ ...tableSettings, assignsKeys, zone: ZONE });

export const postgresConfigSchema = z.object({
  url: text().describe("Leads to postgres://USER:PASSWORD@HOST:PORT/DATABASE."),
  schema: text().optional().describe("Default: as the URL says, else public."),
  zone: ZONE,
  tables: tablesOf(table),
});

/** What a person says of one table; everything may be left out. */
export type TableSettings = z.infer<typeof table>;

export interface PostgresSettings {
  readonly zone?: string | undefined;
  readonly tables?: Readonly<Record<string, TableSettings>> | undefined;
}
