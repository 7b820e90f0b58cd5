import { createOdataClient } from "../connectors/odata/client.ts";
import type { ServiceModel } from "../connectors/odata/metadata-model.ts";
import { fetchServiceModel } from "../connectors/odata/service-model.ts";
import type { OdataSettings } from "../connectors/odata/settings.ts";
import type { RetryOptions } from "../decorators/retry-effort.ts";
import type { HttpTransport } from "../ports/http.ts";
import { setModels } from "./service.ts";
import { retryingClient } from "./transport.ts";
import { type TypesText, typesText } from "./types-text.ts";

/** The types of a service, from its `$metadata`; one request. */
export async function fetchTypes(
  settings: OdataSettings,
  http: HttpTransport,
  retry: RetryOptions,
  signal: AbortSignal,
): Promise<TypesText> {
  const client = retryingClient(createOdataClient(settings, http, retry.clock), retry);
  return serviceTypes(await fetchServiceModel(settings, client, signal), settings);
}

export function serviceTypes(service: ServiceModel, settings: OdataSettings): TypesText {
  const models = setModels(service, settings);
  const { origin, pathname } = new URL(settings.url);
  return typesText({
    models,
    sets: service.sets.map(({ name }) => models.set(name)),
    expandable: settings.expandable,
    url: origin + pathname,
  });
}
