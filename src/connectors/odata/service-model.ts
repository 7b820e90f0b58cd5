import { SyncError } from "../../model/sync-error.ts";
import { isHtml } from "../http/vendor-errors.ts";
import type { OdataClient } from "./client.ts";
import { parseMetadata } from "./metadata.ts";
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

/**
 * Throws CONNECTOR_NOT_ODATA when the address answers with something else than metadata, besides
 * what `parseMetadata` and `streamsOf` throw.
 */
export function createServiceModel(
  settings: OdataSettings,
  client: OdataClient,
): ServiceModelSource {
  const url = queryUrl(settings.url, "$metadata");
  let last: Streams | undefined;
  const fetch = async (signal: AbortSignal): Promise<Streams> => {
    const purpose = { what: "`$metadata`" };
    const response = await client.text(url, "application/xml", purpose, signal);
    if (isHtml(response)) throw notOdata(settings, "answers with a web page");
    if (/^\s*[{[]/.test(response.body)) throw notOdata(settings, "answers with JSON, not XML");
    last = streamsOf(parseMetadata(response.body), settings);
    return last;
  };
  return { fetch, known: async (signal) => last ?? fetch(signal) };
}

function notOdata(settings: OdataSettings, why: string): SyncError {
  const { origin, pathname } = new URL(settings.url);
  return new SyncError(
    "CONNECTOR_NOT_ODATA",
    `"${origin}${pathname}/$metadata" ${why}, so "${origin}${pathname}" is no OData service.`,
  );
}
