import { z } from "zod";

/** What a schema allows, in words for an error message. */
export const EXPECTATIONS: z.core.$ZodRegistry<{ readonly expected: string }> = z.registry<{
  readonly expected: string;
}>();

export function expecting<Schema extends z.ZodType>(schema: Schema, expected: string): Schema {
  EXPECTATIONS.add(schema, { expected });
  return schema;
}

/** A name of a person's own for something in the configuration. */
export const NAME_PATTERN: RegExp = /^[A-Za-z][A-Za-z0-9_-]*$/;
export const NAME_EXPECTED = "a name of letters, digits, _ and - that begins with a letter";

export const nameSchema = (): z.ZodString =>
  expecting(z.string().regex(NAME_PATTERN), NAME_EXPECTED);
