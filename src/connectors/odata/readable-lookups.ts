import type { LookupMember } from "../../model/lookup.ts";
import { valuesByName } from "../../model/record.ts";
import { projectSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { OdataClient } from "./client.ts";
import { countOf } from "./count.ts";
import type { ServiceModel } from "./metadata-model.ts";
import type { Notebook } from "./notebook.ts";
import { readPages } from "./pages.ts";
import type { Session } from "./session.ts";
import type { OdataSettings } from "./settings.ts";
import {
  type ReadableLookups,
  requireFields,
  requireStream,
  type StreamModel,
  streamsOf,
} from "./streams.ts";

/** What the list of lookup values is read with. */
export interface LookupReading {
  readonly settings: OdataSettings;
  readonly client: OdataClient;
  readonly clock: Clock;
  readonly notebook: Notebook;
}

const FIELDS = { name: "LookupName", value: "LookupValue", legacy: "LegacyODataValue" } as const;

/**
 * The service's streams, their lookups as readable as the configured list of values makes them.
 * Throws STREAM_UNKNOWN and FIELD_UNKNOWN for a set that is none or holds no lookup values.
 */
export async function readableStreams(
  reading: LookupReading,
  service: ServiceModel,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, StreamModel>> {
  const { settings } = reading;
  const streams = streamsOf(service, settings);
  if (settings.lookupSet === undefined) return streams;
  const session: Session = { ...reading, streams: async () => streams };
  const model = requireStream(streams, settings.lookupSet);
  return streamsOf(service, settings, await readLookups(session, model, signal));
}

/** All values by the name of their lookup. Throws CONNECTOR_BAD_RESPONSE unless all came. */
async function readLookups(
  session: Session,
  model: StreamModel,
  signal: AbortSignal,
): Promise<ReadableLookups> {
  const { schema } = model;
  const { name: set } = schema;
  requireFields(schema, Object.values(FIELDS), "`lookupSet`");
  const query = { schema: projectSchema(schema, Object.values(FIELDS)) };
  const count = await countOf(session, { set, purpose: { what: `"${set}"` } }, undefined, signal);
  const keys = new Set<string>();
  let unreadable = 0;
  const lookups = new Map<string, LookupMember[]>();
  const request = { kind: "walk", query, after: null, projection: "record" } as const;
  for await (const { records, bad } of readPages(session, model, request, signal)) {
    unreadable += bad.length;
    for (const { key, values } of records) {
      const row = valuesByName(query.schema, values);
      const { [FIELDS.name]: name, [FIELDS.value]: display, [FIELDS.legacy]: legacy } = row;
      const isNew = !keys.has(key);
      keys.add(key);
      if (!isNew || typeof name !== "string" || typeof display !== "string") continue;
      const members = lookups.get(name) ?? [];
      members.push({ name: typeof legacy === "string" ? legacy : display, display });
      lookups.set(name, members);
    }
  }
  if (count !== undefined && keys.size + unreadable < count) {
    throw incomplete(set, keys.size, count);
  }
  return lookups;
}

function incomplete(set: string, found: number, count: number): SyncError {
  return new SyncError(
    "CONNECTOR_BAD_RESPONSE",
    `"${set}" gave ${found} lookup values and counts ${count}, so some would stay unreadable.`,
  );
}
