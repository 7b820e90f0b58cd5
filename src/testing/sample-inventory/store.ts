import type { InventoryItem } from "./options.ts";

/** What somebody may write of an item. */
export type ItemValues = Partial<Omit<InventoryItem, "id" | "updated_at">>;

export interface Store {
  all(): readonly InventoryItem[];
  byId(id: number): InventoryItem | undefined;
  bySku(sku: string): InventoryItem | undefined;
  /** The version of an item, that changes with it. */
  version(item: InventoryItem): string;
  create(values: ItemValues): InventoryItem;
  /** All of them at one and the same time. */
  update(ids: readonly number[], values: ItemValues | ((item: InventoryItem) => ItemValues)): void;
  remove(id: number): void;
}

const BLANK = {
  sku: "",
  name: "",
  price: null,
  stock: 0,
  active: null,
  note: null,
  tags: null,
  counted_on: null,
  seen_at: null,
  extra: null,
  supplier: null,
} as const;

export function createStore(nowMs: () => number): Store {
  const items = new Map<number, InventoryItem>();
  const versions = new Map<number, number>();
  let lastId = 0;
  let lastMs = 0;
  // Never back, whatever the clock does.
  const now = (): string => {
    lastMs = Math.max(lastMs, nowMs());
    return new Date(lastMs).toISOString();
  };
  const put = (item: InventoryItem): InventoryItem => {
    items.set(item.id, item);
    versions.set(item.id, (versions.get(item.id) ?? 0) + 1);
    return item;
  };
  return {
    all: () => [...items.values()],
    byId: (id) => items.get(id),
    bySku: (sku) => [...items.values()].find((item) => item.sku === sku),
    version: ({ id }) => `"${id}-${versions.get(id)}"`,
    create: (values) => {
      lastId += 1;
      return put({ ...BLANK, ...values, id: lastId, updated_at: now() });
    },
    update: (ids, values) => {
      const time = now();
      for (const id of ids) {
        const item = items.get(id);
        if (item === undefined) continue;
        const change = typeof values === "function" ? values(item) : values;
        put({ ...item, ...change, updated_at: time });
      }
    },
    remove: (id) => {
      items.delete(id);
    },
  };
}
