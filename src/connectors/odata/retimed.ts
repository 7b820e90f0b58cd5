import { SyncError } from "../../model/sync-error.ts";
import type { OdataSettings, ServedSettings } from "./settings.ts";
import { requireFields, type StreamModel } from "./streams.ts";

/**
 * The stream as one whose changes are told by another of its timestamps. Throws FIELD_UNKNOWN, and
 * CONNECTOR_UNSUPPORTED for a field that is no timestamp and for a server that gives its records in
 * the order of their own time only.
 */
export function retimed(
  model: StreamModel,
  changedBy: string | undefined,
  settings: Pick<OdataSettings, "served">,
): StreamModel {
  const { schema } = model;
  if (changedBy === undefined || changedBy === schema.modifiedAt) return model;
  requireFields(schema, [changedBy], "the query");
  const field = schema.fields.find(({ name }) => name === changedBy);
  if (field?.type.kind !== "timestamp") throw unsupported(schema.name, changedBy);
  if (isBound(settings.served, schema.name)) throw unsupported(schema.name, changedBy);
  const { events: _, ...others } = model;
  return {
    ...others,
    schema: { ...schema, modifiedAt: changedBy, traits: { ...schema.traits, changes: true } },
    time: { name: changedBy, literal: { kind: "bare" } },
    isRetimed: true,
  };
}

function isBound(served: ServedSettings | undefined, stream: string): boolean {
  if (served === undefined || served.streams?.includes(stream) === false) return false;
  return served.order === "time" && !served.takesOrder;
}

function unsupported(stream: string, field: string): SyncError {
  return new SyncError(
    "CONNECTOR_UNSUPPORTED",
    `The changes of "${stream}" cannot be read by the field "${field}".`,
    { context: { stream } },
  );
}
