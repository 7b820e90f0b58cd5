import { numberText } from "../../model/exact-number.ts";
import { SyncError } from "../../model/sync-error.ts";
import { timestampFromEpochMs } from "../../model/timestamp.ts";
import type { HttpResponse } from "../../ports/http.ts";
import type { OdataClient, Purpose } from "./client.ts";

/** One page of a collection as the server sent it. */
export interface RawPage {
  readonly rows: readonly unknown[];
  /** Where the server says the collection goes on; absolute. */
  readonly nextUrl?: string;
  readonly count?: number;
  /** The server's own clock when it answered (canonical timestamp). */
  readonly serverTime?: string;
}

/**
 * Fetches one page. Throws CONNECTOR_BAD_RESPONSE when there is no `value` array. A link to another
 * origin is no error until it is followed: a keyset read has no use for it.
 */
export async function fetchPage(
  client: OdataClient,
  url: string,
  purpose: Purpose,
  signal: AbortSignal,
): Promise<RawPage> {
  const { body, response } = await client.json(url, purpose, signal);
  const rows = body["value"];
  if (!Array.isArray(rows)) throw client.wrong(response, url, purpose, "has no `value` list");
  const link = body["@odata.nextLink"] ?? body["@nextLink"] ?? linkHeader(response);
  if (link !== undefined && link !== null && typeof link !== "string") {
    throw client.wrong(response, url, purpose, "has a next link that is no text");
  }
  const count = Number(numberText(body["@odata.count"] ?? body["@count"]) ?? Number.NaN);
  const serverTime = serverTimeOf(response);
  return {
    rows,
    ...(link ? { nextUrl: resolveLink(link, url, purpose) } : {}),
    ...(Number.isSafeInteger(count) && count >= 0 ? { count } : {}),
    ...(serverTime === undefined ? {} : { serverTime }),
  };
}

/** `Date` of an answer as a canonical timestamp. */
function serverTimeOf(response: HttpResponse): string | undefined {
  const ms = Date.parse(response.headers["date"] ?? "");
  return Number.isNaN(ms) ? undefined : timestampFromEpochMs(ms);
}

/** Some servers tell the next page in `Link: <...>; rel="next"` only. */
function linkHeader(response: HttpResponse): string | undefined {
  return /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(response.headers["link"] ?? "")?.[1];
}

/** A next link is opaque: it is resolved against the request and nothing is added to it. */
function resolveLink(link: string, requestUrl: string, { what, stream }: Purpose): string {
  const context = stream === undefined ? {} : { stream };
  if (!URL.canParse(link, requestUrl)) {
    throw new SyncError("CONNECTOR_BAD_RESPONSE", `The next link of ${what} is no URL.`, {
      context,
    });
  }
  return new URL(link, requestUrl).href;
}

/** Empty pages in a row, each with a next link, that are followed before it counts as a loop. */
const EMPTY_PAGES_MAX = 20;

/** Remembers the links of one read and refuses what would go round for ever. */
export interface LinkGuard {
  /** Throws PAGING_LOOP for a link that was followed before. */
  follow(url: string): string;
  /** Throws PAGING_LOOP when too many pages in a row were empty. */
  sawRows(count: number): void;
}

export function createLinkGuard({ what, stream }: Purpose): LinkGuard {
  const context = stream === undefined ? {} : { stream };
  const followed = new Set<string>();
  let empty = 0;
  return {
    follow: (url) => {
      if (followed.has(url)) {
        const why = `The next link of ${what} leads back to a page already read.`;
        throw new SyncError("PAGING_LOOP", why, { context });
      }
      followed.add(url);
      return url;
    },
    sawRows: (count) => {
      empty = count === 0 ? empty + 1 : 0;
      if (empty <= EMPTY_PAGES_MAX) return;
      const why = `${EMPTY_PAGES_MAX + 1} pages of ${what} in a row were empty, each with a next link.`;
      throw new SyncError("PAGING_LOOP", why, { context });
    },
  };
}

/**
 * Fetches a page and, while it is empty and goes on, the pages that its links lead to. What it
 * gives has rows, or is the end.
 */
export async function fetchFilledPage(
  client: OdataClient,
  url: string,
  purpose: Purpose,
  guard: LinkGuard,
  signal: AbortSignal,
): Promise<RawPage> {
  let page = await fetchPage(client, url, purpose, signal);
  guard.sawRows(page.rows.length);
  while (page.rows.length === 0 && page.nextUrl !== undefined) {
    page = await fetchPage(client, guard.follow(page.nextUrl), purpose, signal);
    guard.sawRows(page.rows.length);
  }
  return page;
}
