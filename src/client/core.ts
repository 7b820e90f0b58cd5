import { createOdataClient, type OdataClient } from "../connectors/odata/client.ts";
import { createNotebook, type Notebook } from "../connectors/odata/notebook.ts";
import type { Session } from "../connectors/odata/session.ts";
import type { OdataSettings } from "../connectors/odata/settings.ts";
import { SyncError } from "../model/sync-error.ts";
import { toResoError } from "./errors.ts";
import { type ResoClientOptions, resolveOptions } from "./options.ts";
import type { ResoProblem } from "./records.ts";
import { createService, type SetModels } from "./service.ts";
import { createMemory, createWire, retryingClient } from "./transport.ts";

/** What all sets of one client share. */
export interface ClientCore {
  readonly settings: OdataSettings;
  readonly onProblem: (problem: ResoProblem) => void;
  models(signal: AbortSignal): Promise<SetModels>;
  /** A session whose requests ask for pages of that size, by default of the configured one. */
  session(pageSize?: number): Session;
  /** Aborts with the caller's signal, and when the client is closed. */
  signalOf(signal: AbortSignal | undefined): AbortSignal;
  /** The error as the caller gets it, with near field names of the set where it complains of one. */
  errorOf(error: unknown, set: string): Promise<unknown>;
  close(): Promise<void>;
}

export function createClientCore(options: ResoClientOptions): ClientCore {
  const { settings, budget } = resolveOptions(options);
  const { http, clock, retry } = createWire(options, budget);
  const ending = new AbortController();
  const notebook: Notebook = createNotebook(createMemory());
  // Each keeps a token of its own where tokens are granted, so there is one for each page size.
  const clients = new Map<number | undefined, OdataClient>();
  const clientFor = (own: OdataSettings): OdataClient => {
    const client =
      clients.get(own.pageSize) ?? retryingClient(createOdataClient(own, http, clock), retry);
    clients.set(own.pageSize, client);
    return client;
  };
  const service = createService(settings, clientFor(settings), ending.signal);
  let closed: Promise<void> | undefined;
  return {
    settings,
    onProblem: options.onProblem ?? (() => {}),
    models: service.models,
    session(pageSize) {
      const own = pageSize === undefined ? settings : { ...settings, pageSize };
      return {
        settings: own,
        client: clientFor(own),
        clock,
        notebook,
        streams: async (signal) => (await service.models(signal)).streams,
      };
    },
    signalOf: (signal) =>
      signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]),
    async errorOf(error, set) {
      const fields = await service.known()?.then(
        (models) => models.streams.get(set)?.schema.fields.map((field) => field.name),
        () => undefined,
      );
      return toResoError(error, fields);
    },
    close() {
      ending.abort(
        new SyncError("CONNECTOR_CLOSED", "The RESO client was used after it was closed."),
      );
      closed ??= http.close();
      return closed;
    },
  };
}
