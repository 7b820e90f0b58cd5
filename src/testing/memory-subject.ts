import { createMemoryConnector } from "../connectors/memory/connector.ts";
import {
  createMemorySystem,
  type MemorySystem,
  type NamedValues,
} from "../connectors/memory/system.ts";
import { canonicalDecimal } from "../model/decimal.ts";
import type { RecordKey } from "../model/record.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { Value } from "../model/value.ts";
import type { Connector } from "../ports/connector.ts";
import type { ConnectorSubject } from "./connector-kit/subject.ts";

const TOKEN = "token-of-the-memory-system";
const PAGE_SIZE = 3;

const DIGESTS = "memory 1";
const ALL_TRAITS = { changes: true, deletions: true, sweep: true, count: true };

/** Streams of every shape: kinds of keys, with and without each trait. */
const MEMORY_STREAMS: readonly StreamSchema[] = [
  {
    name: "Listing",
    key: ["Id"],
    modifiedAt: "ModifiedAt",
    traits: {
      ...ALL_TRAITS,
      digests: DIGESTS,
      write: {
        batch: 50,
        expects: "atomic",
        assignsKeys: true,
        fields: ["Status", "Price", "Features"],
      },
    },
    fields: [
      { name: "Id", type: { kind: "integer", bits: 64 }, nullable: false },
      { name: "Status", type: { kind: "text" }, nullable: false },
      { name: "Price", type: { kind: "decimal", precision: 14, scale: 2 }, nullable: true },
      {
        name: "Features",
        type: { kind: "list", of: { kind: "text" }, ordered: false },
        nullable: true,
      },
      { name: "ModifiedAt", type: { kind: "timestamp" }, nullable: false },
    ],
  },
  {
    name: "Member",
    key: ["Code"],
    modifiedAt: "ModifiedAt",
    traits: {
      changes: true,
      deletions: false,
      sweep: true,
      count: false,
      digests: DIGESTS,
      write: { batch: 20, expects: "checked", assignsKeys: false, idempotent: true },
    },
    fields: [
      { name: "Code", type: { kind: "text" }, nullable: false },
      { name: "ModifiedAt", type: { kind: "timestamp" }, nullable: false },
      { name: "Status", type: { kind: "text" }, nullable: false },
      { name: "Active", type: { kind: "boolean" }, nullable: true },
      { name: "Hired", type: { kind: "date" }, nullable: true },
      { name: "Seen", type: { kind: "timestamp", precision: 3 }, nullable: true },
      { name: "Fee", type: { kind: "double" }, nullable: true },
      { name: "Notes", type: { kind: "json" }, nullable: true },
      { name: "Remark", type: { kind: "text" }, nullable: true },
    ],
  },
  {
    name: "Room",
    key: ["Id"],
    traits: { changes: true, events: true, deletions: false, sweep: true, count: true },
    fields: [
      { name: "Id", type: { kind: "integer", bits: 32 }, nullable: false },
      { name: "Status", type: { kind: "text" }, nullable: false },
    ],
  },
  {
    name: "Unit",
    key: ["Id", "Name"],
    traits: { changes: false, deletions: true, sweep: false, count: true },
    fields: [
      { name: "Id", type: { kind: "integer", bits: 32 }, nullable: false },
      { name: "Name", type: { kind: "text" }, nullable: false },
      { name: "Status", type: { kind: "text" }, nullable: false },
      { name: "Area", type: { kind: "double" }, nullable: true },
    ],
  },
];

const TEXT_KEYS = ["Ä ö", "a", "B", "b'b", "zz", "10", "9", "家"];

/** The system trims statuses, keeps two digits of prices and three of seconds. */
function lossyStorage(stream: string, field: string, value: Value): Value {
  if (typeof value !== "string") return value;
  if (field === "Status" && stream === "Listing") return value.trim();
  if (field === "Price") return canonicalDecimal(value.replace(/(\.\d\d)\d+$/, "$1")) ?? value;
  return field === "Seen" ? value.replace(/(\.\d{3})\d+Z$/, "$1Z") : value;
}

function sample(schema: StreamSchema, index: number): NamedValues {
  const id = index * 7 - 3;
  const ids: Readonly<Record<string, NamedValues>> = {
    Listing: { Id: String(9_007_199_254_740_990n + BigInt(id)), Price: index % 2 ? "100.5" : null },
    Member: { Code: TEXT_KEYS[index] ?? `code ${index}`, Active: index % 3 === 0 },
    Room: { Id: index },
    Unit: { Id: index % 4, Name: `unit ${index}`, Area: index / 2 },
  };
  const features = index % 3 === 0 ? {} : { Features: ["Pool", "View"] };
  return { ...ids[schema.name], Status: index % 2 ? "Active" : "Closed", ...features };
}

/**
 * The memory connector as a subject of the connector kit, with some records out of sight.
 * `wrap` puts a decorator around every connector of it.
 */
export async function createMemorySubject(
  wrap: (connector: Connector) => Connector = (connector) => connector,
): Promise<ConnectorSubject> {
  let second = Date.UTC(2026, 0, 1) / 1000;
  const system = createMemorySystem({
    streams: MEMORY_STREAMS,
    now: () => second * 1000,
    token: TOKEN,
    versions: true,
    storage: lossyStorage,
  });
  let created = 0;
  const create = (schema: StreamSchema): RecordKey =>
    system.put(schema.name, sample(schema, created++));
  for (const schema of MEMORY_STREAMS) {
    created = 0;
    for (let count = 0; count < 11; count += 1) {
      const key = create(schema);
      if (count % 4 === 1) system.hide(schema.name, key);
      if (count % 3 === 0) second += 1;
    }
  }
  let written = 0;
  const open = (token: string): Connector =>
    wrap(
      createMemoryConnector(system, {
        pageSize: () => PAGE_SIZE,
        keysPerRead: 10,
        token,
        relations: {
          Listing: { Members: { stream: "Member", field: "Status", parentField: "Status" } },
        },
      }),
    );
  const connector = open(TOKEN);

  return {
    connector,
    streams: MEMORY_STREAMS.map((schema) => schema.name),
    pageSize: PAGE_SIZE,
    keys: async (stream) => shownKeys(system, stream),
    people: {
      async create(stream) {
        return create(system.schema(stream));
      },
      async update(stream, keys) {
        created += 1;
        if (created % 3 === 0) second += 1;
        for (const key of keys) system.edit(stream, key, { Status: `Status ${created}` });
      },
      async remove(stream, key) {
        system.remove(stream, key);
      },
      async spoil(stream, key) {
        system.edit(stream, key, { Status: 5 });
      },
    },
    writes: {
      fresh: (stream) => {
        written += 1;
        if (stream === "Listing") return { Status: `new ${written}`, Price: `${written}.5` };
        return { Code: `new ${written}`, Status: "Active", Active: written % 2 === 0 };
      },
      change: () => {
        written += 1;
        return { Status: `changed ${written}` };
      },
      refused: (stream) =>
        stream === "Listing"
          ? { values: { Price: "a lot" }, field: "Price" }
          : { values: { Active: "perhaps" }, field: "Active" },
      promise: lossyStorage,
    },
    reopen: async () => open(TOKEN),
    withWrongCredentials: async () => ({
      connector: open("a-wrong-token"),
      secret: "a-wrong-token",
    }),
    filter: {
      stream: "Listing",
      text: JSON.stringify({ Status: "Active" }),
      keys: async () => shownKeys(system, "Listing", ({ Status }) => Status === "Active"),
    },
    belonging: {
      parent: "Listing",
      child: "Member",
      relation: "Members",
      field: "Status",
      parentField: "Status",
    },
    retimed: {
      stream: "Member",
      field: "Seen",
      touch: async (keys) => {
        second += 1;
        const at = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
        for (const key of keys) {
          system.edit("Member", key, { Seen: at }, { silent: true });
        }
      },
    },
    close: () => connector.close(),
  };
}

function shownKeys(
  system: MemorySystem,
  stream: string,
  holds: (values: NamedValues) => boolean = () => true,
): readonly RecordKey[] {
  return system.rows(stream).flatMap((row) => (row.hidden || !holds(row.values) ? [] : [row.id]));
}
