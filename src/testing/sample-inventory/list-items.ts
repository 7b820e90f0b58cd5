import { ApiError, itemJson } from "./item-json.ts";
import type { InventoryItem, InventoryPaging } from "./options.ts";
import type { Store } from "./store.ts";

export interface ListAnswer {
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

interface ListSettings {
  readonly paging: InventoryPaging;
  readonly pageSize: number;
  /** Where the API is. */
  readonly root: string;
}

const OWN = ["ids", "skus", "updated_since", "limit"];
const OF_PAGING: Readonly<Record<InventoryPaging, readonly string[]>> = {
  none: [],
  page: ["page"],
  offset: ["offset"],
  cursor: ["cursor"],
  "cursor-header": ["cursor"],
  link: ["after"],
  next: ["after"],
};

/** One page of the list. Strict: a parameter that it does not know is refused. */
export function listItems(
  store: Store,
  settings: ListSettings,
  asked: URLSearchParams,
): ListAnswer {
  const { paging } = settings;
  const known = [...OWN, ...OF_PAGING[paging]];
  for (const name of asked.keys()) {
    if (!known.includes(name))
      throw new ApiError(400, "UNKNOWN_PARAMETER", `No parameter ${name}.`);
  }
  const all = chosen(store, asked);
  const limit = paging === "none" ? all.length : limitOf(asked, settings.pageSize);
  const start = startOf(paging, asked, all, limit);
  const some = all.slice(start, start + limit);
  const last = some.at(-1);
  const hasMore = start + limit < all.length && last !== undefined;
  const token = hasMore ? Buffer.from(String(last.id)).toString("base64url") : undefined;
  return answerOf(settings, asked, { some, total: all.length, token });
}

function chosen(store: Store, asked: URLSearchParams): readonly InventoryItem[] {
  const ids = asked.get("ids")?.split(",");
  const skus = asked.get("skus")?.split(",");
  const since = asked.get("updated_since");
  if (since !== null && Number.isNaN(Date.parse(since))) {
    throw new ApiError(400, "BAD_TIME", "updated_since is no time.");
  }
  return store.all().filter(
    ({ id, sku, updated_at }) =>
      (ids === undefined || ids.includes(String(id))) &&
      (skus === undefined || skus.includes(sku)) &&
      // Strictly after, as many an API has it.
      (since === null || Date.parse(updated_at) > Date.parse(since)),
  );
}

function limitOf(asked: URLSearchParams, most: number): number {
  const limit = Number(asked.get("limit") ?? most);
  if (Number.isInteger(limit) && limit > 0) return Math.min(limit, most);
  throw new ApiError(400, "BAD_LIMIT", "limit is no number above 0.");
}

function startOf(
  paging: InventoryPaging,
  asked: URLSearchParams,
  all: readonly InventoryItem[],
  limit: number,
): number {
  const number = (name: string, first: number): number => {
    const value = Number(asked.get(name) ?? first);
    if (Number.isInteger(value) && value >= first) return value;
    throw new ApiError(400, "BAD_PAGE", `${name} is no number of ${first} or above.`);
  };
  switch (paging) {
    case "none":
      return 0;
    case "page":
      return (number("page", 1) - 1) * limit;
    case "offset":
      return number("offset", 0);
    default: {
      const token = asked.get(paging.startsWith("cursor") ? "cursor" : "after");
      if (token === null) return 0;
      const id = Number(Buffer.from(token, "base64url").toString());
      if (!Number.isInteger(id)) throw new ApiError(400, "BAD_CURSOR", "The cursor is none.");
      const at = all.findIndex((item) => item.id > id);
      return at < 0 ? all.length : at;
    }
  }
}

function answerOf(
  { paging, root }: ListSettings,
  asked: URLSearchParams,
  {
    some,
    total,
    token,
  }: { some: readonly InventoryItem[]; total: number; token: string | undefined },
): ListAnswer {
  const items = some.map(itemJson);
  const next = new URLSearchParams([...asked].filter(([name]) => name !== "after"));
  next.set("after", token ?? "");
  const address = `${root}/items?${next}`;
  switch (paging) {
    case "none":
      return { body: items, headers: {} };
    case "cursor":
      return {
        body: { data: { items, total }, meta: { next_cursor: token ?? null } },
        headers: {},
      };
    case "cursor-header":
      return { body: { data: { items, total } }, headers: token ? { "x-next-cursor": token } : {} };
    case "link":
      return {
        body: { data: { items, total } },
        headers: token ? { link: `<${root}/items>; rel="first", <${address}>; rel="next"` } : {},
      };
    case "next":
      return {
        body: { data: { items, total }, links: { next: token ? address : null } },
        headers: {},
      };
    default:
      return { body: { data: { items, total } }, headers: {} };
  }
}
