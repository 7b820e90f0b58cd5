import { counted } from "../../model/counted.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Connector, Page, ReadRequest, StreamQuery } from "../../ports/connector.ts";
import type { HttpTransport } from "../../ports/http.ts";
import type { Clock, Memory } from "../../ports/runtime.ts";
import { createRestClient } from "./client.ts";
import { changePages, headOf, type Reading, unsupported, walkPages } from "./read.ts";
import { keyPages } from "./read-keyed.ts";
import type { RestSettings, RestStream } from "./settings.ts";
import { schemaOf } from "./streams.ts";
import { writeOperations } from "./write.ts";

export interface RestPorts {
  /** Closed with the connector. */
  readonly http: HttpTransport;
  readonly clock: Clock;
  readonly memory: Memory;
}

/** A connector for an API of JSON over HTTP, as its settings describe it. */
export function createRestConnector(settings: RestSettings, ports: RestPorts): Connector {
  const client = createRestClient(settings, ports.http, ports.clock);
  let isClosed = false;

  const enter = (signal: AbortSignal): void => {
    if (isClosed) {
      throw new SyncError("CONNECTOR_CLOSED", "The REST connector was used after it was closed.");
    }
    signal.throwIfAborted();
  };
  const reading = (query: StreamQuery, signal: AbortSignal): Reading => {
    enter(signal);
    const { schema } = query;
    const stream = settings.streams.get(schema.name);
    if (stream === undefined) throw unknownStream(settings, schema.name);
    if (query.filter !== undefined) throw unsupported(stream, "filters; put them into `list`");
    if (query.changedBy !== undefined && query.changedBy !== schema.modifiedAt) {
      throw unsupported(stream, `changes by "${query.changedBy}"`);
    }
    return { client, stream, schema, clock: ports.clock };
  };
  const discovered = (stream: RestStream, signal: AbortSignal): Promise<StreamSchema> =>
    schemaOf({ client, memory: ports.memory }, stream, signal);
  async function* entered(pages: AsyncGenerator<Page>, signal: AbortSignal): AsyncGenerator<Page> {
    enter(signal);
    for await (const page of pages) {
      enter(signal);
      yield page;
      enter(signal);
    }
  }
  const pagesOf = (request: ReadRequest, signal: AbortSignal): AsyncGenerator<Page> => {
    const one = reading(request.query, signal);
    switch (request.kind) {
      case "walk":
        if (request.range !== undefined) throw unsupported(one.stream, "parts of a walk");
        return walkPages(one, request, signal);
      case "changes":
        return changePages(one, request, signal);
      case "keys":
        checkKeys(settings, request.keys.length);
        return keyPages(one, request, signal);
      case "deletions":
        throw unsupported(one.stream, "deletions");
    }
  };

  return {
    capabilities: Object.freeze({
      keysPerRead: settings.keysPerRead,
      concurrency: settings.concurrency,
    }),
    async check(signal) {
      enter(signal);
      const facts: string[] = [];
      for (const stream of settings.streams.values()) {
        const schema = await discovered(stream, signal);
        const { count } = await headOf({ client, stream, schema, clock: ports.clock }, signal);
        for await (const page of walkPages(
          { client, stream, schema, clock: ports.clock },
          { kind: "walk", query: { schema }, after: null, projection: "record" },
          signal,
        )) {
          facts.push(factOf(stream, schema, page, count));
          break;
        }
      }
      return {
        summary: `${new URL(settings.url).host}: ${counted(settings.streams.size, "stream")}`,
        facts,
      };
    },
    async discover(signal) {
      enter(signal);
      const schemas: StreamSchema[] = [];
      for (const stream of settings.streams.values()) {
        schemas.push(await discovered(stream, signal));
      }
      return schemas;
    },
    head: async (query, signal) => headOf(reading(query, signal), signal),
    read: (request, signal) => entered(pagesOf(request, signal), signal),
    write: async (query, operations, signal) =>
      writeOperations(reading(query, signal), operations, signal),
    async close() {
      if (isClosed) return;
      isClosed = true;
      await ports.http.close();
    },
  };
}

function factOf(
  { name }: RestStream,
  { fields }: StreamSchema,
  { records, bad }: Page,
  count: number | undefined,
): string {
  const first = bad[0]?.problems[0]?.message;
  const trouble = first === undefined ? "" : `, of which ${bad.length} cannot be used: ${first}`;
  const all = count === undefined ? "" : `, ${count} in all`;
  const page = records.length + bad.length;
  return `${name}: ${fields.length} fields; the first page has ${page} records${trouble}${all}`;
}

function checkKeys({ keysPerRead }: RestSettings, count: number): void {
  if (count <= keysPerRead) return;
  throw new SyncError(
    "CONNECTOR_BAD_REQUEST",
    `${count} keys were asked for at once; at most ${keysPerRead} can be.`,
  );
}

function unknownStream({ streams }: RestSettings, asked: string): SyncError {
  return new SyncError(
    "STREAM_UNKNOWN",
    `The API has no stream "${asked}"; configured are ${[...streams.keys()].join(", ")}.`,
  );
}
