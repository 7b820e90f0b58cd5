import { SyncError } from "../../model/sync-error.ts";
import type { Connector, Page, ReadRequest, StreamQuery } from "../../ports/connector.ts";
import type { HttpTransport } from "../../ports/http.ts";
import type { Clock, Memory } from "../../ports/runtime.ts";
import { checkService } from "./check.ts";
import { readChildren } from "./children.ts";
import { createOdataClient } from "./client.ts";
import { countSince } from "./count-since.ts";
import { readHead } from "./head.ts";
import { createNotebook } from "./notebook.ts";
import { changesFeed, readPages } from "./pages.ts";
import { partitionStream } from "./partition.ts";
import { probeServer } from "./probe.ts";
import { readRelated } from "./related.ts";
import { retimed } from "./retimed.ts";
import { createServiceModel } from "./service-model.ts";
import type { Session } from "./session.ts";
import type { OdataSettings } from "./settings.ts";
import { requireFields, requireStream, type StreamModel } from "./streams.ts";

/** What an OData connector needs from its surroundings. */
export interface OdataPorts {
  /** Closed with the connector. */
  readonly http: HttpTransport;
  readonly clock: Clock;
  readonly memory: Memory;
}

/**
 * A connector for an OData 4 service. Streams are its entity sets, as `$metadata` describes them.
 * What its server supports is probed once and kept in `memory`; a way that is refused later is
 * replaced by the next safe one.
 */
export function createOdataConnector(settings: OdataSettings, ports: OdataPorts): Connector {
  const client = createOdataClient(settings, ports.http, ports.clock);
  const notebook = createNotebook(ports.memory);
  const service = createServiceModel(settings, client, notebook, ports.clock);
  const session: Session = {
    settings,
    client,
    clock: ports.clock,
    notebook,
    streams: service.known,
  };
  let closed = false;
  const ensureProbed = createProber(session);

  const enter = (signal: AbortSignal): void => {
    if (closed) {
      throw new SyncError("CONNECTOR_CLOSED", "The OData connector was used after it was closed.");
    }
    signal.throwIfAborted();
  };
  const modelOf = async ({ schema }: StreamQuery, signal: AbortSignal): Promise<StreamModel> => {
    const model = requireStream(await service.known(signal), schema.name);
    const names = schema.fields.map((field) => field.name);
    requireFields(model.schema, names, "the query");
    return model;
  };
  async function* read(request: ReadRequest, signal: AbortSignal): AsyncGenerator<Page> {
    enter(signal);
    const own = await modelOf(request.query, signal);
    const { changedBy } = request.query;
    const model = request.kind === "changes" ? retimed(own, changedBy, settings) : own;
    if (request.kind === "changes") await ensureProbed(model, signal);
    for await (const page of readPages(session, model, request, signal)) {
      enter(signal);
      yield page;
      enter(signal);
    }
  }

  return {
    capabilities: Object.freeze({
      keysPerRead: settings.keysPerRead,
      concurrency: settings.concurrency,
    }),
    read,
    async check(signal) {
      enter(signal);
      return checkService(session, await service.fetch(signal), probe, signal);
    },
    async discover(signal) {
      enter(signal);
      return [...(await service.fetch(signal)).values()].map((model) => model.schema);
    },
    async head(query, signal) {
      enter(signal);
      const model = retimed(await modelOf(query, signal), query.changedBy, settings);
      await ensureProbed(model, signal);
      const changes = model.time === undefined ? undefined : changesFeed(session, model, query);
      return readHead(session, model, query, changes, signal);
    },
    async partition(query, count, signal) {
      enter(signal);
      return partitionStream(session, await modelOf(query, signal), query, count, signal);
    },
    async countSince(request, signal) {
      enter(signal);
      const own = await modelOf(request.query, signal);
      const { changedBy } = request.query;
      const model = request.kind === "changes" ? retimed(own, changedBy, settings) : own;
      return countSince(session, model, request, signal);
    },
    async related(query, key, names, signal) {
      enter(signal);
      const model = await modelOf(query, signal);
      return readRelated(session, model, query, key, names, signal);
    },
    async children(request, signal) {
      enter(signal);
      const model = await modelOf(request.query, signal);
      return readChildren(session, model, request, signal);
    },
    async close() {
      if (closed) return;
      closed = true;
      await ports.http.close();
    },
  };
}

/** Probes the server once, however many streams begin together; not at all where that is not wanted. */
function createProber(
  session: Session,
): (model: StreamModel, signal: AbortSignal) => Promise<void> {
  const { settings, notebook } = session;
  let probing: Promise<void> | undefined;
  return async (model, signal) => {
    if (settings.probe === "never") return;
    if (settings.probe === "auto" && (await notebook.probe()) !== undefined) return;
    // Streams that start together wait for one probe; when it fails, the next one probes itself.
    while (probing !== undefined) {
      const isDone = await probing.then(
        () => true,
        () => false,
      );
      signal.throwIfAborted();
      if (isDone) return;
    }
    probing = probe(session, model, signal);
    await probing.catch((error: unknown) => {
      probing = undefined;
      throw error;
    });
  };
}

/** Probes the server by one of this stream's feeds and keeps what is found; nothing without a time. */
async function probe(session: Session, model: StreamModel, signal: AbortSignal): Promise<void> {
  if (model.time === undefined) return;
  const feed = changesFeed(session, model, { schema: model.schema });
  await session.notebook.noteProbe(await probeServer(session, feed, signal));
}
