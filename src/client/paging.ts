import { createLinkGuard, fetchFilledPage, type RawPage } from "../connectors/odata/page.ts";
import { type Query, queryUrl } from "../connectors/odata/query.ts";
import { createRowReader } from "../connectors/odata/records.ts";
import { servedSet } from "../connectors/odata/served-set.ts";
import { fetchQuery, type Session, type Source } from "../connectors/odata/session.ts";
import { readWalk } from "../connectors/odata/walk.ts";
import { projectSchema } from "../model/schema.ts";
import { SyncError } from "../model/sync-error.ts";
import type { SetModel } from "./service.ts";

export type Row = Readonly<Record<string, unknown>>;

/** A list request, judged and written out. */
export interface ListRequest {
  readonly filter: string | undefined;
  readonly select: readonly string[] | undefined;
  readonly expand: readonly string[];
  readonly orderBy: readonly string[];
  readonly top: number | undefined;
}

/**
 * The rows of a list, page by page. Without an order they are read strictly after the last key, so
 * that nothing that changes meanwhile moves a record past the reader; with one, by the server's
 * next links, which are followed as they are.
 */
export async function* readRows(
  session: Session,
  model: SetModel,
  request: ListRequest,
  signal: AbortSignal,
): AsyncGenerator<readonly Row[]> {
  if (request.top === 0) return;
  const pages =
    request.orderBy.length === 0
      ? rowsByKey(session, model, request, signal)
      : rowsByLink(session, model, request, signal);
  let left = request.top ?? Number.POSITIVE_INFINITY;
  for await (const page of pages) {
    const rows = page.slice(0, left).map((row) => rowOf(row, model));
    left -= rows.length;
    if (rows.length > 0) yield rows;
    if (left <= 0) return;
  }
}

async function* rowsByKey(
  session: Session,
  model: SetModel,
  { filter, select, expand }: ListRequest,
  signal: AbortSignal,
): AsyncGenerator<readonly unknown[]> {
  const { schema, keys, hasNumericKey, time } = model.stream;
  const served = servedSet(session.settings.served, model.name);
  const wanted = select && [...new Set([...schema.key, ...select])];
  const walked = {
    ...sourceOf(model),
    keys,
    hasNumericKey,
    select: shortEnough(session, model, { select: wanted, filter, expand }),
    expand,
    place: createRowReader(model.stream, projectSchema(schema, [])).place,
    ...(filter === undefined ? {} : { filter }),
    ...(time === undefined ? {} : { time }),
    ...(served === undefined || (served.order === "time" && !time) ? {} : { served }),
  };
  for await (const { rows } of readWalk(session, walked, null, signal)) yield rows;
}

async function* rowsByLink(
  session: Session,
  model: SetModel,
  request: ListRequest,
  signal: AbortSignal,
): AsyncGenerator<readonly unknown[]> {
  const { filter, expand, orderBy, top } = request;
  const source = sourceOf(model);
  const query = { filter, orderBy, expand, select: shortEnough(session, model, request) };
  const guard = createLinkGuard(source.purpose);
  let page = await firstPage(session, source, query, { top, signal });
  for (;;) {
    yield page.rows;
    if (page.nextUrl === undefined) return;
    const url = guard.follow(page.nextUrl);
    page = await fetchFilledPage(session.client, url, source.purpose, guard, signal);
  }
}

/**
 * The first page of an ordered list. Few records are asked for as few. A server takes `$top` for
 * all that is wanted, so that one that cuts it to its page size gives no next link: where fewer
 * come than were asked for, the same is asked without it, and the links are trusted.
 */
async function firstPage(
  session: Session,
  source: Source,
  query: Query,
  { top, signal }: { readonly top: number | undefined; readonly signal: AbortSignal },
): Promise<RawPage> {
  const { pageSize } = session.settings;
  if (top !== undefined && pageSize !== undefined && top <= pageSize) {
    const page = await fetchQuery(session, source, { ...query, top }, signal);
    const isWhole = page.rows.length >= top || page.rows.length === 0;
    if (isWhole || page.nextUrl !== undefined) return page;
  }
  return fetchQuery(session, source, query, signal, { isSized: false });
}

export function sourceOf({ name }: SetModel): Source {
  return { set: name, purpose: { what: `stream "${name}"`, stream: name } };
}

/** No `$select` where it would make the URL too long: the rest is passed over when it comes. */
function shortEnough(
  { settings }: Session,
  { name }: SetModel,
  query: Pick<Query, "select" | "filter" | "expand">,
): readonly string[] | undefined {
  const isLong = queryUrl(settings.url, name, query).length > settings.urlLengthMax;
  return isLong ? undefined : query.select;
}

export function rowOf(row: unknown, { name }: SetModel): Row {
  if (typeof row === "object" && row !== null && !Array.isArray(row)) return row as Row;
  throw new SyncError("CONNECTOR_BAD_RESPONSE", `An entry of stream "${name}" is no JSON object.`, {
    context: { stream: name },
  });
}
