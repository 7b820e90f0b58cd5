import type { StreamSchema } from "lockstep/connector";
import { z } from "zod";

/** What the connector is made of. */
export interface JsonlSettings {
  readonly folder: string;
  readonly streams: readonly StreamSchema[];
  /** Records on a page. Default 500. */
  readonly pageSize?: number;
}

/** A system of connector `jsonl` as a person configures it. */
export interface JsonlConfig {
  readonly folder: string;
  readonly streams: Readonly<Record<string, JsonlStreamConfig>>;
}

interface JsonlStreamConfig {
  readonly key: string | readonly string[];
  readonly fields: Readonly<Record<string, keyof typeof TYPES>>;
}

const TYPES = {
  text: { kind: "text" },
  integer: { kind: "integer", bits: 64 },
  decimal: { kind: "decimal" },
  boolean: { kind: "boolean" },
  date: { kind: "date" },
  timestamp: { kind: "timestamp" },
} as const;

const name = z.string().min(1);

/** The keys beside `connector: jsonl`. */
export const jsonlConfigSchema: z.ZodObject = z.strictObject({
  folder: name.describe("Where the files are."),
  streams: z
    .record(
      name,
      z.strictObject({
        key: z.union([name, z.array(name).min(1)]).describe("Key field, or several."),
        fields: z
          .record(name, z.enum(["text", "integer", "decimal", "boolean", "date", "timestamp"]))
          .describe("Fields with their types."),
      }),
    )
    .describe("One for each file NAME.jsonl."),
});

/** The schemas of the streams that a configuration declares. */
export function resolveJsonlSettings({ folder, streams }: JsonlConfig): JsonlSettings {
  return {
    folder,
    streams: Object.entries(streams).map(([stream, { key, fields }]): StreamSchema => {
      const keys = typeof key === "string" ? [key] : key;
      return {
        name: stream,
        key: keys,
        fields: Object.entries(fields).map(([field, type]) => ({
          name: field,
          type: TYPES[type],
          nullable: !keys.includes(field),
        })),
        traits: { changes: false, deletions: false, sweep: true, count: true },
      };
    }),
  };
}
