import type { RecordKey } from "../../model/record.ts";
import type { Connector } from "../../ports/connector.ts";
import type { ConnectorSubject, SubjectPeople } from "../../testing/connector-kit/subject.ts";
import { connectorKit } from "../../testing/connector-kit.ts";
import { createTestMemory, testClock } from "../../testing/connector-ports.ts";
import {
  type SampleBehavior,
  type SampleGrant,
  type SampleMls,
  type SampleVendor,
  startSampleMls,
} from "../../testing/sample-mls/index.ts";
import { createUndiciTransport } from "../http/undici-transport.ts";
import type { ResoConfig } from "./config.ts";
import { createResoConnector } from "./connector.ts";

/** Children before their listings, with which they are deleted. */
const STREAMS = ["PropertyUnitTypes", "OpenHouse", "Media", "Property"] as const;
/** Those in which the sample lets people make new records. */
const GROWING = ["OpenHouse", "Media", "Property"] as const;
const PAGE_SIZE = 8;

/** How a server may be limited; the connector must find its way with each. */
const VARIANTS: readonly {
  readonly name: string;
  readonly plays?: SampleVendor;
  readonly grants?: readonly SampleGrant[];
  readonly behavior: Partial<SampleBehavior>;
  readonly config?: Partial<ResoConfig>;
  readonly streams: readonly string[];
}[] = [
  { name: "a server that supports the pair keyset", behavior: {}, streams: STREAMS },
  {
    name: "a server that orders by one field, whose `ge` leaves equality out, without `in`",
    behavior: {
      compositeOrderBy: false,
      inclusiveGe: false,
      inOperator: false,
      missing: "empty",
      lookups: "member",
      nextLinkForm: "relative",
    },
    streams: GROWING,
  },
  {
    name: "a server that is not probed and refuses `or` across fields",
    behavior: { orAcrossFields: false, emptyLastPage: true, nextLinkFirst: true },
    config: { probe: "never" },
    streams: GROWING,
  },
  {
    name: "Trestle",
    plays: "trestle",
    behavior: {},
    config: { profile: "trestle" },
    streams: GROWING,
  },
  {
    name: "a server with EntityEvent",
    grants: ["EntityEvent"],
    behavior: {},
    config: { profile: "generic", keysPerRead: 3 },
    streams: GROWING,
  },
];

async function createSubject(variant: (typeof VARIANTS)[number]): Promise<ConnectorSubject> {
  const { behavior, config, streams, plays, grants = [] } = variant;
  const mls = await startSampleMls({
    listings: streams === STREAMS ? 140 : 50,
    tieSize: 20,
    photosMax: 1,
    deletedHistory: 0,
    pageSize: PAGE_SIZE,
    grants,
    ...behavior,
    ...(plays === undefined ? {} : { plays }),
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
    streams,
    pageSize: PAGE_SIZE,
    keys: async (stream) => keysOf(mls, stream),
    people: streams === GROWING ? { ...editorsOf(mls), ...authorsOf(mls) } : editorsOf(mls),
    reopen: async () => opened(mls.token),
    withWrongCredentials: async () => ({
      connector: opened("wrong-token-4711"),
      secret: "wrong-token-4711",
    }),
    filter: {
      stream: "Property",
      text: "ListingKeyNumeric lt 1000010 or ListingKeyNumeric gt 1000200",
      keys: async () =>
        keysOf(mls, "Property").filter((key) => Number(key) < 1_000_010 || Number(key) > 1_000_200),
    },
    belonging: {
      parent: "Property",
      child: "Media",
      relation: "Media",
      field: "ResourceRecordKey",
      parentField: "ListingKey",
    },
    retimed: {
      stream: "Property",
      field: "PhotosChangeTimestamp",
      touch: async (keys) => {
        for (const key of keys) {
          mls.control.changePhotos({ listing: Number(key), action: "add", touch: false });
        }
      },
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

const SPOILED: Readonly<Record<string, string>> = {
  Property: "ListPrice",
  OpenHouse: "OpenHouseDate",
  Media: "Order",
  PropertyUnitTypes: "UnitTypeUnitsTotal",
};

function editorsOf(mls: SampleMls): SubjectPeople {
  const named = (set: string, key: RecordKey): { set: string; key: string | number } => ({
    set,
    key: set === "Property" || set === "OpenHouse" ? Number(key) : key,
  });
  return {
    async update(set, keys) {
      mls.control.editMany({ set, keys: keys.map((key) => named(set, key).key) });
    },
    async remove(set, key) {
      mls.control.delete(named(set, key));
    },
    async spoil(set, key) {
      mls.control.corrupt({ ...named(set, key), field: SPOILED[set] ?? "", raw: '"TBD"' });
      mls.control.edit(named(set, key));
    },
  };
}

function authorsOf(mls: SampleMls): SubjectPeople {
  return {
    async create(set) {
      const before = new Set(keysOf(mls, set));
      const [listing = "0"] = keysOf(mls, "Property");
      if (set === "Property") mls.control.add();
      else if (set === "OpenHouse") mls.control.addOpenHouse({ listing: Number(listing) });
      else mls.control.changePhotos({ listing: Number(listing), action: "add" });
      const made = keysOf(mls, set).find((key) => !before.has(key));
      if (made === undefined) throw new Error(`The sample made no record of ${set}.`);
      return made;
    },
  };
}

for (const variant of VARIANTS) {
  connectorKit(`reso, ${variant.name}`, { create: () => createSubject(variant) });
}
