import { z } from "zod";
import { CONFIG_SCHEMA } from "./config-schema.ts";
import type { ConnectorKinds } from "./connector-kind.ts";
import { RECONCILE_SCHEMA } from "./reconcile-schema.ts";

type JsonObject = Readonly<Record<string, unknown>>;

/** The JSON Schema of `lockstep.yaml` for editors: each connector's own settings included. */
export function configJsonSchema(kinds: ConnectorKinds): JsonObject {
  const whole = z.toJSONSchema(CONFIG_SCHEMA, { io: "input" });
  const { systems, syncs, ...others } = whole.properties ?? {};
  const sync = Object(syncs);
  const { $defs, ...sided } = sidedSchema();
  const additionalProperties = {
    anyOf: Object.entries(kinds).map(([kind, { settings }]) => systemSchema(kind, settings)),
  };
  return {
    title: "Lockstep configuration",
    ...whole,
    properties: {
      ...others,
      systems: { ...Object(systems), additionalProperties },
      syncs: { ...sync, additionalProperties: { anyOf: [sync.additionalProperties, sided] } },
    },
    // What stands in several places is written once; its references are meant from the root.
    $defs,
  };
}

/** A sync of sides. Functions are for TypeScript: here stands what a file of YAML can say. */
function sidedSchema(): JsonObject {
  const { $schema: _, ...schema } = z.toJSONSchema(RECONCILE_SCHEMA, {
    io: "input",
    unrepresentable: "any",
    reused: "ref",
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === "custom") jsonSchema.not = {};
    },
  });
  return schema;
}

function systemSchema(kind: string, settings: z.ZodObject): JsonObject {
  const own = settings.safeExtend({ connector: z.literal(kind) }).strict();
  const { $schema: _, ...schema } = z.toJSONSchema(own, { io: "input", unrepresentable: "any" });
  return schema;
}
