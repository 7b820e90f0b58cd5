import type { RecordKey } from "../../model/record.ts";
import type { Connector } from "../../ports/connector.ts";
import type { ConnectorSubject, SubjectPeople } from "../../testing/connector-kit/subject.ts";
import { connectorKit } from "../../testing/connector-kit.ts";
import {
  type SampleBehavior,
  type SampleMls,
  startSampleMls,
} from "../../testing/sample-mls/index.ts";
import { createUndiciTransport } from "../http/undici-transport.ts";
import { createTestMemory, testClock } from "../odata/test-ports.ts";
import type { ResoConfig } from "./config.ts";
import { createResoConnector } from "./connector.ts";

const STREAMS = ["Property", "OpenHouse", "Media", "PropertyUnitTypes"] as const;
const PAGE_SIZE = 8;

/** How a server may be limited; the connector must find its way with each. */
const VARIANTS: readonly {
  readonly name: string;
  readonly behavior: Partial<SampleBehavior>;
  readonly config?: Partial<ResoConfig>;
}[] = [
  { name: "a server that supports the pair keyset", behavior: {} },
  { name: "a server that orders by one field only", behavior: { compositeOrderBy: false } },
  { name: "a server without `or` across fields", behavior: { orAcrossFields: false } },
  { name: "a server whose `ge` leaves equality out", behavior: { inclusiveGe: false } },
  {
    name: "a server without `in`, counts by path or answers for missing keys",
    behavior: { inOperator: false, missing: "empty", lookups: "member", nextLinkForm: "relative" },
  },
  {
    name: "a server that is not probed and orders by one field only",
    behavior: { compositeOrderBy: false, emptyLastPage: true, nextLinkFirst: true },
    config: { probe: "never" },
  },
];

async function createSubject({
  behavior,
  config,
}: (typeof VARIANTS)[number]): Promise<ConnectorSubject> {
  const mls = await startSampleMls({
    listings: 60,
    tieSize: 20,
    deletedHistory: 0,
    pageSize: PAGE_SIZE,
    ...behavior,
  });
  const memory = createTestMemory();
  const connect = (token: string): Connector =>
    createResoConnector(
      { profile: "wfrmls", pageSize: 1000, url: mls.url, token, ...config },
      { http: createUndiciTransport(), clock: testClock, memory },
    );
  const connectors: Connector[] = [];
  const opened = (token: string): Connector => {
    const connector = connect(token);
    connectors.push(connector);
    return connector;
  };
  return {
    connector: opened(mls.token),
    streams: STREAMS,
    pageSize: PAGE_SIZE,
    keys: async (stream) => keysOf(mls, stream),
    people: peopleOf(mls),
    reopen: async () => opened(mls.token),
    withWrongCredentials: async () => ({
      connector: opened("wrong-token-4711"),
      secret: "wrong-token-4711",
    }),
    filter: {
      stream: "Property",
      text: "ListingKeyNumeric lt 1000010 or ListingKeyNumeric gt 1000030",
      keys: async () =>
        keysOf(mls, "Property").filter((key) => Number(key) < 1_000_010 || Number(key) > 1_000_030),
    },
    close: async () => {
      for (const connector of connectors) await connector.close();
      await mls.close();
    },
  };
}

function keysOf(mls: SampleMls, stream: string): readonly RecordKey[] {
  return [...mls.truth(stream)].map(({ key }) => String(key) as RecordKey);
}

/** Only what the sample lets people do to every one of the streams. */
function peopleOf(mls: SampleMls): SubjectPeople {
  const numeric = (stream: string, key: RecordKey): string | number =>
    stream === "Property" || stream === "OpenHouse" ? Number(key) : key;
  return {
    async update(stream, keys) {
      mls.control.editMany({ set: stream, keys: keys.map((key) => numeric(stream, key)) });
    },
    async remove(stream, key) {
      mls.control.delete({ set: stream, key: numeric(stream, key) });
    },
  };
}

for (const variant of VARIANTS) {
  connectorKit(`reso, ${variant.name}`, { create: () => createSubject(variant) });
}
