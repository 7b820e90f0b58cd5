import type { PostgresQueries, SqlParameter, SqlRow } from "../../drivers/postgres/database.ts";
import type { Cursor } from "../../model/cursor.ts";
import type { BadRecord, StreamRecord } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { KeyMark, Page, ReadRequest, StreamHead } from "../../ports/connector.ts";
import type { Column } from "./column.ts";
import {
  keyOf,
  rawKey,
  rawTime,
  recordOf,
  rowsOfKeys,
  selectList,
  timeOf,
  type View,
} from "./read.ts";

type Read<K extends ReadRequest["kind"]> = Extract<ReadRequest, { readonly kind: K }>;

/** A place in the order of keys, or of (time, key), in the server's own text; null: before all. */
interface Place {
  readonly time?: string | null;
  readonly key: readonly string[] | null;
}

interface Position extends Place {
  readonly kind: "walk" | "changes" | "keys";
}

/** Times further ahead are a mistake: a cursor that followed one would pass over all that is real. */
const AHEAD = "interval '1 day'";

export async function headOf(queries: PostgresQueries, view: View): Promise<StreamHead> {
  const { table, filter, modified } = view;
  const counted = await queries.get(
    `SELECT count(*) FROM ${table.sql} AS t WHERE ${present(view)} AND ${filter}`,
  );
  const count = Number(counted?.[0] ?? 0);
  if (modified === undefined) return { count };
  const order = [modified, ...table.key].map(({ sql }) => `t.${sql} DESC`);
  const row = await queries.get(
    `SELECT ${selectList(view)} FROM ${table.sql} AS t
     WHERE ${believed(modified)} AND ${present(view)} AND ${filter}
     ORDER BY ${order.join(", ")} LIMIT 1`,
  );
  const place = row === undefined ? { key: null } : timePlace(view, row);
  return { count, changes: writeCursor({ kind: "changes", ...place }) };
}

/** The pages of a walk; `next` is called before each and gives its size. */
export async function* walkPages(
  queries: PostgresQueries,
  whole: View,
  { after, projection }: Read<"walk">,
  next: () => number,
): AsyncGenerator<Page> {
  const view = projection === "key" ? { ...whole, columns: [] } : whole;
  const { table, filter } = view;
  let place: Place = after === null ? { key: null } : readCursor(view, after, "walk");
  if (place.key === null) yield* keylessPage(queries, view, next);
  const order = table.key.map(({ sql }) => `t.${sql}`).join(", ");
  for (;;) {
    const size = next();
    const { sql, parameters } = place.key === null ? ALWAYS : later(table.key, place.key);
    const rows = await queries.all(
      `SELECT ${selectList(view)} FROM ${table.sql} AS t
       WHERE ${sql} AND ${present(view)} AND ${filter} ORDER BY ${order} LIMIT ${size}`,
      parameters,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    place = { key: rawKey(view, last) };
    const cursor = writeCursor({ kind: "walk", ...place });
    yield projection === "key" ? marksPage(view, rows, cursor) : recordsPage(view, rows, cursor);
    if (rows.length < size) return;
  }
}

/** Rows of views whose key is null have no place in the order; the first of them are told as bad. */
async function* keylessPage(
  queries: PostgresQueries,
  view: View,
  next: () => number,
): AsyncGenerator<Page> {
  const { table, filter } = view;
  if (table.key.every(({ declared }) => declared.notNull)) return;
  const rows = await queries.all(
    `SELECT ${selectList(view)} FROM ${table.sql} AS t
     WHERE NOT (${present(view)}) AND ${filter} LIMIT ${next()}`,
  );
  const cursor = writeCursor({ kind: "walk", key: null });
  if (rows.length > 0) yield recordsPage(view, rows, cursor);
}

export async function* changesPages(
  queries: PostgresQueries,
  view: View,
  { since, overlapMs }: Read<"changes">,
  next: () => number,
): AsyncGenerator<Page> {
  const { table, filter, modified } = view;
  if (modified === undefined) throw unsupported(view, "changes");
  const start = readCursor(view, since, "changes");
  let condition =
    overlapMs === 0 ? laterTime(view, modified, start) : notBefore(modified, start, overlapMs);
  const order = [modified, ...table.key].map(({ sql }) => `t.${sql}`).join(", ");
  for (;;) {
    const size = next();
    const rows = await queries.all(
      `SELECT ${selectList(view)} FROM ${table.sql} AS t
       WHERE ${condition.sql} AND ${believed(modified)} AND ${present(view)} AND ${filter}
       ORDER BY ${order} LIMIT ${size}`,
      condition.parameters,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    const place = timePlace(view, last);
    condition = laterTime(view, modified, place);
    yield recordsPage(view, rows, writeCursor({ kind: "changes", ...place }));
    if (rows.length < size) return;
  }
}

export async function* keysPages(
  queries: PostgresQueries,
  view: View,
  { keys }: Read<"keys">,
  next: () => number,
): AsyncGenerator<Page> {
  const asked = [...new Set(keys)];
  for (let done = 0; done < asked.length; ) {
    const some = asked.slice(done, done + next());
    done += some.length;
    const found = await rowsOfKeys(queries, view, some);
    const rows = some.flatMap((key) => {
      const row = found.get(key);
      return row === undefined ? [] : [row];
    });
    yield recordsPage(view, rows, writeCursor({ kind: "keys", key: null }));
  }
}

const unsupported = ({ schema }: View, what: string): SyncError =>
  new SyncError("CONNECTOR_UNSUPPORTED", `Table "${schema.name}" has no reads of kind "${what}".`, {
    context: { stream: schema.name },
    hint: `Name the column with the time of last change under tables.${schema.name}.modifiedAt.`,
  });

interface Condition {
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
}

const ALWAYS: Condition = { sql: "true", parameters: [] };

/** A key with a part that is null is none. */
const present = ({ table }: View): string =>
  table.key.map(({ sql }) => `t.${sql} IS NOT NULL`).join(" AND ");

function believed({ sql, from }: Column): string {
  return `isfinite(t.${sql}) AND t.${sql} <= ${from(`(now() + ${AHEAD})`)}`;
}

/** In the columns' own collation, so that their index serves. */
function later(columns: readonly Column[], texts: readonly string[]): Condition {
  const names = columns.map(({ sql }) => `t.${sql}`).join(", ");
  const places = columns.map(({ again }, at) => again(`$${at + 1}::text`)).join(", ");
  return { sql: `(${names}) > (${places})`, parameters: texts };
}

function laterTime({ table }: View, modified: Column, { time, key }: Place): Condition {
  if (time === undefined || time === null || key === null) return ALWAYS;
  return later([modified, ...table.key], [time, ...key]);
}

function notBefore(modified: Column, { time }: Place, overlapMs: number): Condition {
  if (time === undefined || time === null) return ALWAYS;
  const start = `${modified.again("$1::text")} - $2::text::interval`;
  return {
    sql: `t.${modified.sql} >= ${start}`,
    parameters: [time, `${Math.trunc(overlapMs)} milliseconds`],
  };
}

const timePlace = (view: View, row: SqlRow): Place => ({
  time: rawTime(view, row),
  key: rawKey(view, row),
});

function writeCursor(position: Position): Cursor {
  return JSON.stringify(position) as Cursor;
}

/** Throws CURSOR_INVALID for anything but a cursor of that kind. */
function readCursor({ table }: View, cursor: Cursor, kind: Position["kind"]): Place {
  const position = parse(cursor);
  const isText = (part: unknown): boolean => typeof part === "string";
  const { time = null, key = null } = position ?? {};
  const isWhole = key === null || (Array.isArray(key) && key.length === table.key.length);
  if (position?.kind === kind && isWhole && (time === null || isText(time))) {
    if (key === null || key.every(isText)) return { time, key };
  }
  if ((position?.kind as unknown) === "events") throw captureGone(table.schema.name);
  throw new SyncError(
    "CURSOR_INVALID",
    `The PostgreSQL connector cannot read the cursor "${cursor}": it is no position of kind "${kind}".`,
  );
}

const captureGone = (stream: string): SyncError =>
  new SyncError(
    "CURSOR_EXPIRED",
    `The cursor for changes of table "${stream}" is one of capture, which is not installed now.`,
    { context: { stream } },
  );

function parse(cursor: Cursor): Partial<Position> | null {
  try {
    return JSON.parse(cursor) as Partial<Position> | null;
  } catch {
    return null;
  }
}

function recordsPage(view: View, rows: readonly SqlRow[], cursor: Cursor): Page {
  const records: StreamRecord[] = [];
  const bad: BadRecord[] = [];
  for (const row of rows) {
    const read = recordOf(view, row);
    if ("record" in read) records.push(read.record);
    else bad.push(read.bad);
  }
  return { records, bad, marks: [], tombstones: [], cursor };
}

function marksPage(view: View, rows: readonly SqlRow[], cursor: Cursor): Page {
  const marks: KeyMark[] = [];
  const bad: BadRecord[] = [];
  for (const row of rows) {
    const key = keyOf(view, row);
    const modifiedAt = timeOf(view, row);
    if (key !== undefined) {
      marks.push({ key, ...(modifiedAt === undefined ? {} : { modifiedAt }) });
      continue;
    }
    const read = recordOf(view, row);
    if ("bad" in read) bad.push(read.bad);
  }
  return { records: [], bad, marks, tombstones: [], cursor };
}
