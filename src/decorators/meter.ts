import { AsyncLocalStorage } from "node:async_hooks";
import type { Traffic } from "../model/run.ts";
import type { Connector, Page, ReadRequest } from "../ports/connector.ts";
import type { HttpTransport } from "../ports/http.ts";

/** Counts what a connector's transport does, by the stream it is done for. */
export interface Meter {
  /** Tells the meter which stream the connector works for. */
  connector(inner: Connector): Connector;
  /** Counts requests and bytes. */
  transport(inner: HttpTransport): HttpTransport;
  /** Books a wait; a retry is a wait after a failed attempt. */
  waited(ms: number, isRetry: boolean): void;
  /** Acts for that stream, as a call of a metered connector does. */
  as<T>(stream: string | undefined, act: () => T): T;
  /** The stream that the calling code works for, inside a metered connector's call. */
  currentStream(): string | undefined;
  /** Since the meter was made. */
  traffic(stream: string): Traffic;
}

const NOTHING: Traffic = { requests: 0, bytes: 0, retries: 0, waitedMs: 0 };

export function createMeter(): Meter {
  const current = new AsyncLocalStorage<string>();
  const byStream = new Map<string, Traffic>();

  function add(part: Partial<Traffic>): void {
    const stream = current.getStore() ?? "";
    const held = byStream.get(stream) ?? NOTHING;
    byStream.set(stream, {
      requests: held.requests + (part.requests ?? 0),
      bytes: held.bytes + (part.bytes ?? 0),
      retries: held.retries + (part.retries ?? 0),
      waitedMs: held.waitedMs + (part.waitedMs ?? 0),
    });
  }

  /** Every step of the iteration runs as its stream's, not only its beginning. */
  async function* readAs(
    inner: Connector,
    request: ReadRequest,
    signal: AbortSignal,
  ): AsyncGenerator<Page> {
    const stream = request.query.schema.name;
    const pages = current.run(stream, () => inner.read(request, signal)[Symbol.asyncIterator]());
    try {
      for (;;) {
        const step = await current.run(stream, () => pages.next());
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      await current.run(stream, async () => pages.return?.());
    }
  }

  function countAs(inner: Connector): Pick<Connector, "countSince"> {
    const countSince = inner.countSince?.bind(inner);
    if (countSince === undefined) return {};
    return {
      countSince: (request, signal) =>
        current.run(request.query.schema.name, () => countSince(request, signal)),
    };
  }

  function writeAs(inner: Connector): Pick<Connector, "write"> {
    const write = inner.write?.bind(inner);
    if (write === undefined) return {};
    return {
      write: (query, operations, signal) =>
        current.run(query.schema.name, () => write(query, operations, signal)),
    };
  }

  function childrenAs(inner: Connector): Pick<Connector, "children"> {
    const children = inner.children?.bind(inner);
    if (children === undefined) return {};
    return {
      children: (request, signal) =>
        current.run(request.query.schema.name, () => children(request, signal)),
    };
  }

  return {
    connector: (inner) => ({
      ...inner,
      head: (query, signal) => current.run(query.schema.name, () => inner.head(query, signal)),
      read: (request, signal) => readAs(inner, request, signal),
      ...wholeAs(current, inner),
      ...countAs(inner),
      ...childrenAs(inner),
      ...writeAs(inner),
    }),
    transport: (inner) => ({
      async send(request, signal) {
        add({ requests: 1 });
        const response = await inner.send(request, signal);
        add({ bytes: response.bytes });
        return response;
      },
      close: () => inner.close(),
    }),
    waited: (ms, isRetry) => add({ waitedMs: ms, retries: isRetry ? 1 : 0 }),
    as: (stream, act) => (stream === undefined ? act() : current.run(stream, act)),
    currentStream: () => current.getStore(),
    traffic: (stream) => byStream.get(stream) ?? NOTHING,
  };
}

/** The calls that are about a stream as a whole. */
function wholeAs(
  current: AsyncLocalStorage<string>,
  inner: Connector,
): Pick<Connector, "partition" | "sumDigests"> {
  const partition = inner.partition?.bind(inner);
  const sumDigests = inner.sumDigests?.bind(inner);
  return {
    ...(partition && {
      partition: (query, count, signal) =>
        current.run(query.schema.name, () => partition(query, count, signal)),
    }),
    ...(sumDigests && {
      sumDigests: (query, bits, signal) =>
        current.run(query.schema.name, () => sumDigests(query, bits, signal)),
    }),
  };
}
