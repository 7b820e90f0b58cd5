import { z } from "zod";
import { isTimeZone } from "../../model/timestamp-zone.ts";

const text = (): z.ZodString => z.string().min(1);
const zone = (): z.ZodOptional<z.ZodString> =>
  text()
    .refine(isTimeZone, { message: "is no time zone; expected a name such as America/Denver" })
    .optional()
    .describe("The zone of columns of type datetime, which have none. Default: UTC.");
const tinyint1 = (): z.ZodOptional<z.ZodEnum<{ boolean: "boolean"; integer: "integer" }>> =>
  z
    .enum(["boolean", "integer"])
    .optional()
    .describe("What columns of type tinyint(1) hold. Default: boolean.");

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
    .literal(false)
    .optional()
    .describe("New records bring their keys, though the column is AUTO_INCREMENT."),
  zone: zone(),
  tinyint1: tinyint1(),
});

export const mysqlConfigSchema = z.object({
  url: text().describe("Leads to mysql://USER:PASSWORD@HOST:PORT/DATABASE."),
  zone: zone(),
  tinyint1: tinyint1(),
  tables: z.record(text(), table).optional().describe("What the tables themselves do not say."),
});

/** What a person says of one table; everything may be left out. */
export type TableSettings = z.infer<typeof table>;

export interface MysqlSettings {
  readonly zone?: string | undefined;
  readonly tinyint1?: "boolean" | "integer" | undefined;
  readonly tables?: Readonly<Record<string, TableSettings>> | undefined;
}
