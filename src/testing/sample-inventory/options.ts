/** How the inventory's API is made: every choice that real ones make differently. */
export interface SampleInventoryOptions {
  readonly paging?: InventoryPaging;
  /** Greatest number of items on a page; more cannot be asked for. Default 100. */
  readonly pageSize?: number;
  /** `id`: the API makes the keys. `sku`: callers do. Default `id`. */
  readonly key?: "id" | "sku";
  /** Answers have ETags, and a write without If-Match is refused (428). Default true. */
  readonly etags?: boolean;
  /** What a create answers with. Default `record`. */
  readonly created?: "record" | "id" | "location";
  /** Updates by PATCH (some fields) or PUT (the whole record). Default `PATCH`. */
  readonly updates?: "PATCH" | "PUT";
  /** A create whose `Idempotency-Key` came before is not done again. Default true. */
  readonly idempotency?: boolean;
  /** No two items may have one sku. Default true; callers' own keys are unique in any case. */
  readonly uniqueSkus?: boolean;
  /** Who may ask. Default: anyone. */
  readonly auth?: InventoryAuth;
  /** Items in the beginning. Default 0. */
  readonly items?: number;
}

export type InventoryPaging =
  | "none"
  | "page"
  | "offset"
  | "cursor"
  | "cursor-header"
  | "link"
  | "next";

export type InventoryAuth =
  | { readonly kind: "bearer"; readonly token: string }
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "header"; readonly name: string; readonly key: string }
  | { readonly kind: "parameter"; readonly name: string; readonly key: string }
  | { readonly kind: "oauth"; readonly clientId: string; readonly clientSecret: string };

/** An item as the API shows it. */
export interface InventoryItem {
  readonly id: number;
  readonly sku: string;
  readonly name: string;
  /** A decimal of any length, as the digits of a JSON number. */
  readonly price: string | null;
  readonly stock: number | string;
  readonly active: boolean | null;
  readonly note: string | null;
  readonly tags: readonly string[] | null;
  readonly counted_on: string | null;
  readonly seen_at: string | null;
  readonly extra: unknown;
  /** Not known to those who describe the API without it; a PUT that leaves it out deletes it. */
  readonly supplier: { readonly code: string } | null;
  readonly updated_at: string;
}

/** What goes wrong with the next requests that match. */
export interface InventoryFault {
  /** `lost`: it is done, and the connection ends before the answer. `cut`: the answer ends early. */
  readonly kind: "429" | "500" | "503" | "401" | "cut" | "lost" | "hang-up";
  readonly method?: string;
  /** How many of them; default 1. */
  readonly times?: number;
  /** Requests of that kind that come before, untouched. */
  readonly after?: number;
}
