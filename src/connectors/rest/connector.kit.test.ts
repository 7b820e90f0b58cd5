import { createSystemClock } from "../../drivers/system-runtime.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Connector } from "../../ports/connector.ts";
import { type ConnectorSubject, REFUSED } from "../../testing/connector-kit/subject.ts";
import { connectorKit } from "../../testing/connector-kit.ts";
import {
  type InventoryItem,
  type InventoryPaging,
  type ItemValues,
  type SampleInventoryOptions,
  startSampleInventory,
} from "../../testing/sample-inventory/index.ts";
import { createUndiciTransport } from "../http/undici-transport.ts";
import { restConfigSchema } from "./config.ts";
import type { RestConfig } from "./config-types.ts";
import { createRestConnector } from "./connector.ts";
import { resolveRestSettings } from "./resolve-settings.ts";

const PAGE_SIZE = 4;

const FIELDS = {
  id: { type: "integer", readOnly: true, required: true },
  sku: { type: "text", required: true },
  name: { type: "text", required: true },
  price: "decimal",
  stock: { type: "integer", required: true },
  active: "boolean",
  note: "text",
  tags: "list",
  counted_on: "date",
  seen_at: "timestamp",
  extra: "json",
  supplier: { type: "text", path: "supplier.code", readOnly: true },
  updated_at: "timestamp",
} as const;

/** How each style is described to the connector. */
const PAGING: Readonly<Record<InventoryPaging, object>> = {
  none: { style: "none", size: PAGE_SIZE },
  page: { style: "page", parameter: "page", sizeParameter: "limit", size: PAGE_SIZE },
  offset: { style: "offset", parameter: "offset", sizeParameter: "limit", size: PAGE_SIZE },
  cursor: { style: "cursor", parameter: "cursor", from: "meta.next_cursor" },
  "cursor-header": { style: "cursor", parameter: "cursor", from: "header:X-Next-Cursor" },
  link: { style: "link", sizeParameter: "limit", size: PAGE_SIZE },
  next: { style: "next", from: "links.next" },
};

/** Each style with another of the other choices that APIs make. */
const APIS: readonly SampleInventoryOptions[] = [
  { paging: "none", etags: false },
  { paging: "page", updates: "PUT" },
  { paging: "offset", key: "sku" },
  { paging: "cursor", created: "location" },
  { paging: "cursor-header", created: "id", etags: false, key: "sku" },
  { paging: "link", auth: { kind: "parameter", name: "api_key", key: "the-secret-key" } },
  { paging: "next", auth: { kind: "bearer", token: "the-secret-token" }, updates: "PUT" },
];

for (const api of APIS) {
  const words = [api.paging, api.key ?? "id", api.etags === false ? "no ETags" : "ETags"];
  connectorKit(`rest, ${words.join(", ")}`, { create: () => createSubject(api) });
}

function configOf(url: string, options: SampleInventoryOptions, secret?: string): RestConfig {
  const { paging = "page", key = "id", etags = true, updates = "PATCH", auth } = options;
  const given =
    auth?.kind === "parameter"
      ? { apiKey: secret ?? auth.key, apiKeyParameter: auth.name }
      : auth?.kind === "bearer"
        ? { token: secret ?? auth.token }
        : {};
  const isWrapped = paging !== "none";
  const items = {
    list: "/items",
    get: `/items/{${key}}`,
    create: "POST /items",
    update: `${updates} /items/{${key}}`,
    delete: `DELETE /items/{${key}}`,
    key,
    assigned: key === "id",
    keys: `${key}s`,
    fields: FIELDS,
    modifiedAt: "updated_at",
    changes: "updated_since",
    etag: etags,
    paging: PAGING[paging],
    ...(isWrapped ? { records: "data.items", record: "data", total: "data.total" } : {}),
    ...(key === "id" ? { idempotency: "Idempotency-Key" } : {}),
  };
  return restConfigSchema.parse({ url, ...given, streams: { items } }) as unknown as RestConfig;
}

async function createSubject(options: SampleInventoryOptions): Promise<ConnectorSubject> {
  const { key = "id", auth } = options;
  const inventory = await startSampleInventory({ ...options, pageSize: PAGE_SIZE, items: 13 });
  const memory = { recall: async () => undefined, remember: async () => undefined };
  const open = (secret?: string): Connector =>
    createRestConnector(resolveRestSettings(configOf(inventory.url, options, secret)), {
      http: createUndiciTransport(),
      clock: createSystemClock(),
      memory,
    });
  const connector = open();
  const keyOf = (item: InventoryItem): RecordKey => String(item[key]) as RecordKey;
  const idsOf = (keys: readonly RecordKey[]): readonly number[] =>
    inventory.items().flatMap((item) => (keys.includes(keyOf(item)) ? [item.id] : []));
  let numbers = 100;
  const nth = (): number => {
    numbers += 1;
    return numbers;
  };
  const secret = auth?.kind === "bearer" || auth?.kind === "parameter" ? "a wrong key" : undefined;
  return {
    connector,
    streams: ["items"],
    pageSize: PAGE_SIZE,
    keys: async () => inventory.items().map(keyOf),
    people: {
      create: async () => keyOf(inventory.create({ sku: `people ${nth()}`, name: "made" })),
      update: async (_stream, keys) => {
        inventory.update(idsOf(keys), ({ stock }) => ({ stock: Number(stock) + 1 }));
      },
      remove: async (_stream, gone) => {
        for (const id of idsOf([gone])) inventory.remove(id);
      },
      spoil: async (_stream, spoilt) => inventory.update(idsOf([spoilt]), { stock: "much" }),
    },
    writes: {
      fresh: () => ({ sku: `made ${nth()}`, name: "n", price: "0.1", stock: "5", note: "=1+1" }),
      change: () => ({ name: `name ${nth()}`, price: `${nth()}.5` }),
      refused: () => ({ values: { stock: "-1" } satisfies ItemValues, field: "stock" }),
      promise: (_stream, field, value) => {
        if (typeof value !== "string" && value !== null) return undefined;
        // The inventory's own rules.
        if (field === "stock" && !(Number(value) >= 0 && Number.isSafeInteger(Number(value)))) {
          return REFUSED;
        }
        if (field === "sku" && (value === "" || value?.includes("\u0000"))) return REFUSED;
        // So long a key fits into no address.
        if (field === "sku" && key === "sku" && (value?.length ?? 0) > 1_000) return REFUSED;
        if (field === "extra" && value === "null") return REFUSED;
        return value?.isWellFormed() === false ? REFUSED : undefined;
      },
    },
    reopen: async () => open(),
    ...(secret === undefined
      ? {}
      : { withWrongCredentials: async () => ({ connector: open(secret), secret }) }),
    close: async () => {
      await connector.close();
      await inventory.close();
    },
  };
}
