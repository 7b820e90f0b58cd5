import assert from "node:assert/strict";
import { createUndiciTransport } from "../connectors/http/undici-transport.ts";
import { restConfigSchema } from "../connectors/rest/config.ts";
import type { RestConfig } from "../connectors/rest/config-types.ts";
import { createRestConnector } from "../connectors/rest/connector.ts";
import { resolveRestSettings } from "../connectors/rest/resolve-settings.ts";
import { createSystemClock } from "../drivers/system-runtime.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { Connector, Page } from "../ports/connector.ts";
import {
  type SampleInventory,
  type SampleInventoryOptions,
  startSampleInventory,
} from "./sample-inventory/index.ts";

const { signal } = new AbortController();

const FIELDS = {
  id: "integer",
  sku: "text",
  name: "text",
  price: "decimal",
  stock: "integer",
  note: "text",
  updated_at: "timestamp",
};
/** The description of its one stream. */
export const INVENTORY_ITEMS = {
  list: "/items",
  get: "/items/{id}",
  create: "POST /items",
  update: "PATCH /items/{id}",
  delete: "DELETE /items/{id}",
  records: "data.items",
  key: "id",
  assigned: true,
  fields: FIELDS,
  modifiedAt: "updated_at",
  changes: "updated_since",
  etag: true,
  paging: { style: "page", parameter: "page", sizeParameter: "limit", size: 4 },
};

/** The sample inventory and a `rest` connector on it. */
export interface InventoryScene {
  readonly inventory: SampleInventory;
  readonly connector: Connector;
  schema(): Promise<StreamSchema>;
  close(): Promise<void>;
}

/** `stream` and `system` change the description; what is undefined there is left out. */
export async function openInventoryScene(
  options: SampleInventoryOptions = {},
  stream: object = {},
  system: object = {},
): Promise<InventoryScene> {
  const inventory = await startSampleInventory({ pageSize: 4, items: 13, ...options });
  const own = Object.entries({ ...INVENTORY_ITEMS, ...stream }).filter(
    ([, value]) => value !== undefined,
  );
  const items = Object.fromEntries(own);
  const url = inventory.url;
  const config = restConfigSchema.parse({ url, ...system, streams: { items } });
  const notes = new Map<string, string>();
  const connector = createRestConnector(resolveRestSettings(config as unknown as RestConfig), {
    http: createUndiciTransport(),
    clock: createSystemClock(),
    memory: {
      recall: async (name) => notes.get(name),
      remember: async (name, text) => {
        notes.set(name, text);
      },
    },
  });
  const schema = async (): Promise<StreamSchema> =>
    (await connector.discover(signal))[0] ?? assert.fail("no stream");
  return {
    inventory,
    connector,
    schema,
    close: async () => {
      await connector.close();
      await inventory.close();
    },
  };
}

/** The keys that a walk gives; `between` is called after each page. */
export async function walkInventory(
  { connector, schema }: InventoryScene,
  between: (page: number) => void = () => undefined,
): Promise<readonly string[]> {
  const query = { schema: await schema() };
  const pages: Page[] = [];
  const walk = { kind: "walk", query, after: null, projection: "record" } as const;
  for await (const page of connector.read(walk, signal)) {
    pages.push(page);
    between(pages.length);
  }
  return pages.flatMap(({ records }) => records.map(({ key }) => key));
}
