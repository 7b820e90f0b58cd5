import { SyncError } from "../../model/sync-error.ts";
import type { HttpResponse } from "../../ports/http.ts";
import { isHtml } from "../http/vendor-errors.ts";
import type { OdataClient } from "./client.ts";
import { parseMetadata } from "./metadata.ts";
import type { ServiceModel } from "./metadata-model.ts";
import { queryUrl } from "./query.ts";
import type { OdataSettings } from "./settings.ts";
import { type StreamModel, streamsOf } from "./streams.ts";

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
): ServiceModelSource {
  let last: Streams | undefined;
  const fetch = async (signal: AbortSignal): Promise<Streams> => {
    last = streamsOf(await fetchServiceModel(settings, client, signal), settings);
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
  return parseMetadata(response.body);
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
