import type { Cursor } from "../../model/cursor.ts";
import type { RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { Connector, Page, ReadRequest, StreamQuery } from "../../ports/connector.ts";
import { connectorKit } from "../connector-kit.ts";
import { createMemorySubject } from "../memory-subject.ts";
import type { Breach } from "./breach.ts";
import { WRITE_BREACHES } from "./broken-writers.ts";

const withPages = (connector: Connector, change: (page: Page, nth: number) => Page): Connector => ({
  ...connector,
  async *read(request, signal) {
    let nth = 0;
    for await (const page of connector.read(request, signal)) {
      yield change(page, nth);
      nth += 1;
    }
  },
});

const withRequest = (
  connector: Connector,
  change: (request: ReadRequest) => ReadRequest,
): Connector => ({
  ...connector,
  read: (request, signal) => connector.read(change(request), signal),
});

const never = new AbortController().signal;

/** The position in a cursor with some of its parts changed. */
function altered(cursor: Cursor, parts: Readonly<Record<string, unknown>>): Cursor {
  return JSON.stringify({ ...(JSON.parse(cursor) as object), ...parts }) as Cursor;
}

export const BREACHES: readonly Breach[] = [
  ...WRITE_BREACHES,
  {
    name: "drops the last record of a page",
    foundBy: "a walk gives every record once",
    breaks: (connector) =>
      withPages(connector, (page) => ({ ...page, records: page.records.slice(0, -1) })),
  },
  {
    name: "gives the cursor of the page before",
    foundBy: "a walk resumes at every page edge",
    breaks: (connector) => {
      let before: Cursor | undefined;
      return withPages(connector, (page, nth) => {
        const cursor = nth === 0 ? page.cursor : (before ?? page.cursor);
        before = page.cursor;
        return { ...page, cursor };
      });
    },
  },
  {
    name: "reads a part with the record before it",
    foundBy: "parts of a stream hold every record once",
    breaks: (connector) =>
      withRequest(connector, (request) =>
        request.kind === "walk" && request.range !== undefined
          ? { ...request, range: { ...request.range, after: null } }
          : request,
      ),
  },
  {
    name: "takes the last record that there was for the last that there will be",
    foundBy: "parts outlive the record at their edge and the connector",
    breaks: (connector) => ({
      ...connector,
      async partition(query, count, signal) {
        const ranges = (await connector.partition?.(query, count, signal)) ?? [];
        const pages = connector.read(
          { kind: "walk", query, after: null, projection: "record" },
          signal,
        );
        let last: RecordKey | null = null;
        for await (const { records } of pages) last = records.at(-1)?.key ?? last;
        return ranges.map((range) => ({ ...range, upTo: range.upTo ?? last }));
      },
    }),
  },
  {
    name: "resumes after the tie instead of within it",
    foundBy: "changes that tie over a page edge are all found",
    breaks: (connector) =>
      withPages(connector, (page) =>
        page.cursor.includes('"changes"')
          ? { ...page, cursor: altered(page.cursor, { key: "9".repeat(40) }) }
          : page,
      ),
  },
  {
    name: "takes its head from a clock that is ahead",
    foundBy: "a head taken before edits finds those edits",
    breaks: (connector) => ({
      ...connector,
      async head(query, signal) {
        const head = await connector.head(query, signal);
        if (head.changes === undefined) return head;
        return { ...head, changes: altered(head.changes, { time: "2030-01-01T00:00:00Z" }) };
      },
    }),
  },
  {
    name: "ignores the overlap",
    foundBy: "an overlap repeats and does not skip",
    breaks: (connector) =>
      withRequest(connector, (request) =>
        request.kind === "changes" ? { ...request, overlapMs: 0 } : request,
      ),
  },
  {
    name: "drops tombstones",
    foundBy: "a head taken before deletions finds their tombstones",
    breaks: (connector) => withPages(connector, (page) => ({ ...page, tombstones: [] })),
  },
  {
    name: "drops bad records",
    foundBy: "a record that breaks its schema is told, with its key",
    breaks: (connector) => withPages(connector, (page) => ({ ...page, bad: [] })),
  },
  {
    name: "gives numbers for big integers",
    foundBy: "records match their schema",
    breaks: (connector) =>
      withPages(connector, (page) => ({
        ...page,
        records: page.records.map((record) => ({
          ...record,
          values: record.values.map((value) =>
            typeof value === "string" && /^90\d+$/.test(value) ? Number(value) : value,
          ),
        })),
      })),
  },
  {
    name: "answers an unclaimed read with nothing",
    foundBy: "changes that are not claimed are refused",
    breaks: (connector) => ({
      ...connector,
      async *read(request, signal) {
        if (request.kind === "changes" && !request.query.schema.traits.changes) return;
        yield* connector.read(request, signal);
      },
    }),
  },
  {
    name: "answers too many keys with the first of them",
    foundBy: "more keys than the capability says are refused",
    breaks: (connector) =>
      withRequest(connector, (request) =>
        request.kind === "keys" ? { ...request, keys: request.keys.slice(0, 10) } : request,
      ),
  },
  {
    name: "ignores the signal",
    foundBy: "an aborted signal stops every call before it acts",
    breaks: (connector) => ({
      ...connector,
      read: (request) => connector.read(request, never),
    }),
  },
  {
    name: "stays open after close",
    foundBy: "every call after close is refused",
    breaks: (connector) => ({ ...connector, close: async () => undefined }),
  },
  {
    name: "tells its secret",
    foundBy: "wrong credentials halt without telling the secret",
    breaks: (connector) => ({
      ...connector,
      async check(signal) {
        try {
          return await connector.check(signal);
        } catch (error) {
          if (error instanceof Error) error.message += " The token was a-wrong-token.";
          throw error;
        }
      },
    }),
  },
  {
    name: "has capabilities that can be written to",
    foundBy: "capabilities are positive and do not change",
    breaks: (connector) => ({ ...connector, capabilities: { ...connector.capabilities } }),
  },
  {
    name: "discovers its streams in another order each time",
    foundBy: "discover gives the same streams each time",
    breaks: (connector) => {
      let nth = 0;
      return {
        ...connector,
        async discover(signal): Promise<readonly StreamSchema[]> {
          nth += 1;
          const streams = await connector.discover(signal);
          return nth % 2 === 0 ? streams.toReversed() : streams;
        },
      };
    },
  },
  {
    name: "leaves a field out of its digests",
    foundBy: "a digest changes with the record and with the seed",
    breaks: (connector) => {
      const blind = (query: StreamQuery): StreamQuery => {
        const { schema } = query;
        if (query.digestSeed === undefined) return query;
        const fields = schema.fields.filter(({ name }) => schema.key.includes(name));
        return { ...query, schema: { ...schema, fields } };
      };
      return {
        ...withRequest(connector, (request) => ({ ...request, query: blind(request.query) })),
        sumDigests: async (query, bits, signal) =>
          (await connector.sumDigests?.(blind(query), bits, signal)) ?? [],
      };
    },
  },
  {
    name: "adds up digests of another seed",
    foundBy: "sums are those of the digests, and buckets hold them",
    breaks: (connector) => ({
      ...connector,
      sumDigests: async (query, bits, signal) =>
        (await connector.sumDigests?.({ ...query, digestSeed: 1 }, bits, signal)) ?? [],
    }),
  },
  {
    name: "gives all marks whatever the buckets",
    foundBy: "sums are those of the digests, and buckets hold them",
    breaks: (connector) =>
      withRequest(connector, (request) => {
        if (request.kind !== "walk") return request;
        const { buckets: _, ...rest } = request;
        return rest;
      }),
  },
  {
    name: "counts one record too many",
    foundBy: "the head counts what the system shows, where it claims to",
    breaks: (connector) => ({
      ...connector,
      async head(query, signal) {
        const head = await connector.head(query, signal);
        return head.count === undefined ? head : { ...head, count: head.count + 1 };
      },
    }),
  },
];

if (import.meta.main) {
  for (const { name, breaks } of BREACHES) {
    connectorKit(name, { create: () => createMemorySubject(breaks) });
  }
}
