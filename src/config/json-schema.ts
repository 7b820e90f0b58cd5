import { z } from "zod";
import { CONFIG_SCHEMA } from "./config-schema.ts";
import type { ConnectorKinds } from "./connector-kind.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** The JSON Schema of `lockstep.yaml` for editors: each connector's own settings included. */
export function configJsonSchema(kinds: ConnectorKinds): JsonObject {
  const whole = z.toJSONSchema(CONFIG_SCHEMA, { io: "input" });
  const { systems, ...others } = whole.properties ?? {};
  const additionalProperties = {
    anyOf: Object.entries(kinds).map(([kind, { settings }]) => systemSchema(kind, settings)),
  };
  return {
    title: "Lockstep configuration",
    ...whole,
    properties: { ...others, systems: { ...Object(systems), additionalProperties } },
  };
}

function systemSchema(kind: string, settings: z.ZodObject): JsonObject {
  const own = settings.safeExtend({ connector: z.literal(kind) }).strict();
  const { $schema: _, ...schema } = z.toJSONSchema(own, { io: "input", unrepresentable: "any" });
  return schema;
}
