import type { OdataClient } from "../connectors/odata/client.ts";
import type {
  EntitySet,
  Navigation,
  Property,
  ServiceModel,
} from "../connectors/odata/metadata-model.ts";
import { fetchServiceModel } from "../connectors/odata/service-model.ts";
import type { OdataSettings } from "../connectors/odata/settings.ts";
import { requireStream, type StreamModel, streamsOf } from "../connectors/odata/streams.ts";

/** One entity set with all that its requests and records need to know. */
export interface SetModel {
  readonly name: string;
  readonly stream: StreamModel;
  readonly properties: ReadonlyMap<string, Property>;
  readonly navigations: ReadonlyMap<string, Navigation>;
}

/** The service's entity sets. */
export interface SetModels {
  readonly streams: ReadonlyMap<string, StreamModel>;
  /** Throws STREAM_UNKNOWN with what is near. */
  set(name: string): SetModel;
  /** The set that a navigation of a set leads to, where the service has one. */
  target(model: SetModel, navigation: string): SetModel | undefined;
}

/** `$metadata`, fetched once when it is first needed; a fetch that failed is made again. */
export interface Service {
  models(signal: AbortSignal): Promise<SetModels>;
  /** Without asking for them. */
  known(): Promise<SetModels> | undefined;
}

/** `ending` aborts when the client is closed. */
export function createService(
  settings: OdataSettings,
  client: OdataClient,
  ending: AbortSignal,
): Service {
  let known: Promise<SetModels> | undefined;
  const fetch = async (): Promise<SetModels> =>
    setModels(await fetchServiceModel(settings, client, ending), settings);
  return {
    known: () => known,
    models(signal) {
      known ??= fetch().catch((error: unknown) => {
        known = undefined;
        throw error;
      });
      // One caller's abort is no other's: the fetch itself goes on.
      return unlessAborted(known, signal);
    },
  };
}

export function setModels(service: ServiceModel, settings: OdataSettings): SetModels {
  const streams = streamsOf(service, settings);
  const models = new Map(service.sets.map((set) => [set.name, setModel(set, streams)]));
  return {
    streams,
    set(name) {
      return models.get(requireStream(streams, name).schema.name) as SetModel;
    },
    target(model, navigation) {
      return models.get(model.stream.related.get(navigation) ?? navigation);
    },
  };
}

function setModel({ name, type }: EntitySet, streams: ReadonlyMap<string, StreamModel>): SetModel {
  return {
    name,
    stream: requireStream(streams, name),
    properties: new Map(type.properties.map((property) => [property.name, property])),
    navigations: new Map(type.navigations.map((navigation) => [navigation.name, navigation])),
  };
}

/** The promise's outcome, or the signal's reason as soon as it aborts. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
