import { isSyncError, SyncError } from "../../model/sync-error.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { OdataClient, Purpose } from "./client.ts";
import type { Notebook } from "./notebook.ts";
import { fetchFilledPage, fetchPage, type LinkGuard, type RawPage } from "./page.ts";
import { allOf, literal, type Query, queryUrl } from "./query.ts";
import type { OdataSettings } from "./settings.ts";
import type { StreamModel } from "./streams.ts";

/** What every read of one connector shares. */
export interface Session {
  readonly settings: OdataSettings;
  readonly client: OdataClient;
  readonly clock: Clock;
  readonly notebook: Notebook;
  /** The streams as `$metadata` last told them; fetched once, and anew by `discover`. */
  streams(signal: AbortSignal): Promise<ReadonlyMap<string, StreamModel>>;
}

/** One set to query, and what for. */
export interface Source {
  readonly set: string;
  readonly purpose: Purpose;
  /** Records that may no longer be shown, instead of those that may. */
  readonly isHidden?: boolean;
}

export interface FetchOptions {
  /** Follows the links of empty pages; without it an empty page is given as it is. */
  readonly guard?: LinkGuard;
  /**
   * Asks for as many records as configured. To follow next links it must be false: a server takes
   * `$top` for all that is wanted and gives no link.
   */
  readonly isSized?: boolean;
  /** Instead of the configured size. */
  readonly size?: number | undefined;
}

/**
 * Fetches the first page of a query, by default of the configured size. A server that refuses so
 * large a `$top` instead of capping it is asked again without.
 */
export async function fetchQuery(
  session: Session,
  source: Source,
  query: Query,
  signal: AbortSignal,
  { guard, isSized = true, size: wanted }: FetchOptions = {},
): Promise<RawPage> {
  const { settings, client, notebook } = session;
  const filter = await scoped(session, source, query.filter, signal);
  const fetchWith = (top: number | undefined): Promise<RawPage> => {
    const url = queryUrl(settings.url, source.set, { ...query, filter, top });
    return guard === undefined
      ? fetchPage(client, url, source.purpose, signal)
      : fetchFilledPage(client, url, source.purpose, guard, signal);
  };
  const size = isSized && !notebook.isTopRefused() ? (wanted ?? settings.pageSize) : undefined;
  if (query.top !== undefined || size === undefined) return fetchWith(query.top);
  try {
    return await fetchWith(size);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const page = await fetchWith(undefined).catch((second: unknown) => {
      // Refused both ways: the query itself is at fault, as the first answer says.
      throw isRefusal(second) ? error : second;
    });
    notebook.noteTopRefused();
    return page;
  }
}

/**
 * The filter with what every request must say. Comparisons of the scope stand first and bare, since
 * a platform exists that reads them otherwise in parentheses.
 */
export async function scoped(
  session: Session,
  { purpose, isHidden = false }: Source,
  filter: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { scope } = session.settings;
  if (scope === undefined) return filter;
  const schema = (await session.streams(signal)).get(purpose.stream ?? "")?.schema;
  const has = (name: string | undefined): boolean =>
    schema?.fields.some((field) => field.name === name) === true;
  const { origin, visible } = scope;
  return allOf([
    origin !== undefined && has(origin.field)
      ? `${origin.field} eq ${literal({ kind: "string" }, origin.value)}`
      : undefined,
    has(visible?.field) ? `${visible?.field} eq ${String(!isHidden)}` : undefined,
    filter,
  ]);
}

/** True when the server will not do it this way and may do it in another. */
export function isRefusal(error: unknown): boolean {
  if (!isSyncError(error)) return false;
  return [400, 405, 501].includes(error.context.status ?? 0) || error.details["lost"] === true;
}

/** True when the address leads to nothing that this token may see. */
export function isAbsent(error: unknown): boolean {
  return isSyncError(error) && [403, 404].includes(error.context.status ?? 0);
}

/**
 * The error of an answer that shows that the server did not do what was asked of it, such as rows
 * out of order; going on would lose records, another way of asking may not.
 */
export function lost({ what, stream }: Purpose, why: string): SyncError {
  return new SyncError(
    "CONNECTOR_BAD_RESPONSE",
    `The pages of ${what} cannot be trusted: ${why}.`,
    {
      details: { lost: true },
      hint: "Set `paging` to the way that this server supports; `lockstep check` shows what it found.",
      ...(stream === undefined ? {} : { context: { stream } }),
    },
  );
}
