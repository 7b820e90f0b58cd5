import { SyncError } from "../../model/sync-error.ts";
import type { HttpResponse } from "../../ports/http.ts";
import type { Clock } from "../../ports/runtime.ts";
import { isHtml } from "../http/vendor-errors.ts";
import type { OdataClient } from "./client.ts";
import { withEvents } from "./event-streams.ts";
import { parseMetadata } from "./metadata.ts";
import type { ServiceModel } from "./metadata-model.ts";
import type { Notebook } from "./notebook.ts";
import { queryUrl } from "./query.ts";
import { readableStreams } from "./readable-lookups.ts";
import type { OdataSettings } from "./settings.ts";
import type { StreamModel } from "./streams.ts";

type Streams = ReadonlyMap<string, StreamModel>;

/** The service's streams, from its `$metadata`. */
export interface ServiceModelSource {
  /** Fetches them anew. */
  fetch(signal: AbortSignal): Promise<Streams>;
  /** As last fetched, or fetched now. */
  known(signal: AbortSignal): Promise<Streams>;
}

/** The service's streams; throws what `fetchServiceModel` and `streamsOf` throw. */
export function createServiceModel(
  settings: OdataSettings,
  client: OdataClient,
  notebook: Notebook,
  clock: Clock,
): ServiceModelSource {
  const untold = new Map<string, number>();
  let last: Streams | undefined;
  const fetch = async (signal: AbortSignal): Promise<Streams> => {
    const service = await fetchServiceModel(settings, client, signal);
    const streams = await readableStreams({ settings, client, clock, notebook }, service, signal);
    last = await withEvents(
      { settings, client, notebook, clock, untold },
      service,
      streams,
      signal,
    );
    return last;
  };
  return { fetch, known: async (signal) => last ?? fetch(signal) };
}

/**
 * What the service says of itself. Throws CONNECTOR_NOT_ODATA when the address answers with
 * something else than metadata, besides what `parseMetadata` throws.
 */
export async function fetchServiceModel(
  settings: OdataSettings,
  client: OdataClient,
  signal: AbortSignal,
): Promise<ServiceModel> {
  const url = queryUrl(settings.url, "$metadata");
  // The address itself, since it is what is wrong most often.
  const purpose = { what: `"${url}"` };
  const response = await client.text(url, "application/xml", purpose, signal);
  const why = notMetadata(response);
  if (why !== undefined) throw notOdata(settings, why);
  return withCarried(parseMetadata(response.body), settings);
}

/** The service with the carried sets that the configuration names and the document does not. */
function withCarried(service: ServiceModel, settings: OdataSettings): ServiceModel {
  const known = new Set(service.sets.map(({ name }) => name));
  const added = settings.carried.filter(
    ({ name }) => !known.has(name) && settings.requiredStreams.includes(name),
  );
  return added.length === 0 ? service : { ...service, sets: [...service.sets, ...added] };
}

/** What the address answers with instead of metadata; nothing when it may be metadata. */
function notMetadata(response: HttpResponse): string | undefined {
  const { body } = response;
  if (isHtml(response)) return "answers with a web page";
  if (/^\s*[{[]/.test(body)) return "answers with JSON, not XML";
  if (!/^\s*</.test(body)) return "answers with something that is no XML";
  return /<(?:[\w.-]+:)?Edmx[\s>]/.test(body)
    ? undefined
    : "answers with XML that is no OData metadata";
}

function notOdata(settings: OdataSettings, why: string): SyncError {
  const { origin, pathname } = new URL(settings.url);
  return new SyncError(
    "CONNECTOR_NOT_ODATA",
    `"${origin}${pathname}/$metadata" ${why}, so "${origin}${pathname}" is no OData service.`,
  );
}
