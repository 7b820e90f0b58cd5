import { z } from "zod";
import { isTimeZone } from "../../model/timestamp-zone.ts";

export const text = (): z.ZodString => z.string().min(1);

/** The setting `zone`; `whose` tells of which times it is. */
export const zone = (whose: string): z.ZodOptional<z.ZodString> =>
  text()
    .refine(isTimeZone, { message: "is no time zone; expected a name such as America/Denver" })
    .optional()
    .describe(`The zone of ${whose}. Default: UTC.`);

/** What a person says of any table; everything may be left out. */
export const tableSettings = {
  key: z
    .union([text(), z.array(text()).min(1)])
    .optional()
    .describe("The fields of the key. Default: the primary key, else a unique index."),
  modifiedAt: z
    .union([text(), z.literal(false)])
    .optional()
    .describe("The field with the time of last change, or false. Default: found by its name."),
};

export const assignsKeys = z
  .boolean()
  .optional()
  .describe("New records get their keys from the database. Default: as the table is made.");

/** The setting `tables`, of what is said of each. */
export const tablesOf = <T extends z.ZodType>(
  table: T,
): z.ZodOptional<z.ZodRecord<z.ZodString, T>> =>
  z.record(text(), table).optional().describe("What the tables themselves do not say.");
