import { z } from "zod";
import { tableSettings, tablesOf, text, zone } from "../sql/config.ts";

const ZONE = zone("columns of type datetime, which have none");
const TINYINT1 = z
  .enum(["boolean", "integer"])
  .optional()
  .describe("What columns of type tinyint(1) hold. Default: boolean.");

const table = z.strictObject({
  ...tableSettings,
  assignsKeys: z
    .literal(false)
    .optional()
    .describe("New records bring their keys, though the column is AUTO_INCREMENT."),
  zone: ZONE,
  tinyint1: TINYINT1,
});

export const mysqlConfigSchema = z.object({
  url: text().describe("Leads to mysql://USER:PASSWORD@HOST:PORT/DATABASE."),
  zone: ZONE,
  tinyint1: TINYINT1,
  tables: tablesOf(table),
});

/** What a person says of one table; everything may be left out. */
export type TableSettings = z.infer<typeof table>;

export interface MysqlSettings {
  readonly zone?: string | undefined;
  readonly tinyint1?: "boolean" | "integer" | undefined;
  readonly tables?: Readonly<Record<string, TableSettings>> | undefined;
}
