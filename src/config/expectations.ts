import { z } from "zod";

/** What a schema allows, in words for an error message. */
export const EXPECTATIONS: z.core.$ZodRegistry<{ readonly expected: string }> = z.registry<{
  readonly expected: string;
}>();

export function expecting<Schema extends z.ZodType>(schema: Schema, expected: string): Schema {
  EXPECTATIONS.add(schema, { expected });
  return schema;
}
