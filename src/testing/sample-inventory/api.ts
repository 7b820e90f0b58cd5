import { ApiError, itemJson, valuesOf, writable } from "./item-json.ts";
import { listItems } from "./list-items.ts";
import type { InventoryItem, SampleInventoryOptions } from "./options.ts";
import type { Store } from "./store.ts";

export interface ApiRequest {
  readonly method: string;
  /** Below the API's root. */
  readonly path: string;
  readonly parameters: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export type Api = (request: ApiRequest, root: string) => ApiAnswer;

/** What the API does with a request that was let in. Throws ApiError. */
export function createApi(store: Store, options: SampleInventoryOptions): Api {
  const { paging = "page", pageSize = 100, key = "id", etags = true } = options;
  const { created = "record", updates = "PATCH", idempotency = true } = options;
  const isUnique = key === "sku" || (options.uniqueSkus ?? true);
  /** Answers to creates by their idempotency key. */
  const made = new Map<string, { readonly body: string; readonly answer: ApiAnswer }>();

  const find = (text: string): InventoryItem => {
    const item = key === "id" ? store.byId(Number(text)) : store.bySku(text);
    if (item === undefined) throw new ApiError(404, "NOT_FOUND", "There is no such item.");
    return item;
  };
  const etagOf = (item: InventoryItem): Readonly<Record<string, string>> =>
    etags ? { etag: store.version(item) } : {};
  const shown = (item: InventoryItem, status = 200): ApiAnswer => ({
    status,
    headers: etagOf(item),
    body: { data: itemJson(item) },
  });
  const requireMatch = (item: InventoryItem, { headers }: ApiRequest): void => {
    if (!etags) return;
    const expected = headers["if-match"];
    if (expected === undefined) throw new ApiError(428, "NO_IF_MATCH", "If-Match is wanted.");
    if (expected !== store.version(item)) {
      throw new ApiError(412, "CHANGED", "The item has been changed.");
    }
  };

  const create = (request: ApiRequest, root: string): ApiAnswer => {
    const name = idempotency ? request.headers["idempotency-key"] : undefined;
    const before = typeof name === "string" ? made.get(name) : undefined;
    if (before !== undefined) {
      if (before.body === request.body) return before.answer;
      throw new ApiError(422, "KEY_REUSED", "The idempotency key was used for something else.");
    }
    const values = writable(valuesOf(request.body));
    if (typeof values.sku !== "string") throw new ApiError(422, "INVALID", "An item needs a sku.");
    if (isUnique && store.bySku(values.sku) !== undefined) {
      throw new ApiError(409, "SKU_TAKEN", "An item of that sku exists.");
    }
    const item = store.create(values);
    const place = `${root}/items/${encodeURIComponent(key === "id" ? item.id : item.sku)}`;
    const headers = created === "location" ? { location: place } : etagOf(item);
    const body = created === "record" ? { data: itemJson(item) } : { [key]: item[key] };
    const answer = { status: 201, headers, body: created === "location" ? undefined : body };
    if (typeof name === "string") made.set(name, { body: request.body, answer });
    return answer;
  };
  const update = (item: InventoryItem, request: ApiRequest): ApiAnswer => {
    requireMatch(item, request);
    const values = writable(valuesOf(request.body));
    if (values.sku !== undefined && values.sku !== item.sku) {
      const other = store.bySku(values.sku);
      if (key === "sku" || (isUnique && other !== undefined)) {
        throw new ApiError(422, "SKU_TAKEN", "The sku cannot be that.");
      }
    }
    if (request.method === "PUT") {
      for (const name of Object.keys(writable(item)) as (keyof typeof values)[]) {
        if (!(name in values)) throw new ApiError(422, "INCOMPLETE", `A PUT needs the ${name}.`);
      }
    }
    store.update([item.id], values);
    return shown(find(String(item[key])));
  };

  return (request, root) => {
    const { method, path, parameters } = request;
    if (path === "/items") {
      if (method === "POST") return create(request, root);
      if (method !== "GET") throw new ApiError(405, "METHOD", "Only GET and POST.");
      return { status: 200, ...listItems(store, { paging, pageSize, root }, parameters) };
    }
    const place = /^\/items\/([^/]+)$/.exec(path)?.[1];
    if (place === undefined) throw new ApiError(404, "NOT_FOUND", "There is no such place.");
    const item = find(decodeURIComponent(place));
    if (method === "GET") return shown(item);
    if (method === updates) return update(item, request);
    if (method !== "DELETE") throw new ApiError(405, "METHOD", `Only GET, ${updates} and DELETE.`);
    requireMatch(item, request);
    store.remove(item.id);
    return { status: 204, headers: {}, body: undefined };
  };
}
