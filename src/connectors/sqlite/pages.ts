import type { SqliteDatabase, SqlParameter } from "../../drivers/sqlite/database.ts";
import type { Cursor } from "../../model/cursor.ts";
import type { BadRecord, StreamRecord } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import { addMs } from "../../model/timestamp.ts";
import type { KeyMark, Page, ReadRequest, StreamHead } from "../../ports/connector.ts";
import type { Column } from "./catalog.ts";
import type { RawValue } from "./codec.ts";
import { bound, type Place, readCursor, writeCursor } from "./cursor.ts";
import {
  keyFinder,
  keyOf,
  queryRows,
  type RawRow,
  rawKey,
  rawTime,
  recordOf,
  selectList,
  type View,
} from "./read.ts";

type Read<K extends ReadRequest["kind"]> = Extract<ReadRequest, { readonly kind: K }>;

/** Times further ahead are a mistake: a cursor that followed one would pass over all that is real. */
const AHEAD = "+1 day";

export function headOf(database: SqliteDatabase, view: View): StreamHead {
  const { table, filter, modified } = view;
  const [[count] = []] = queryRows(
    database,
    `SELECT count(*) FROM ${table.sql} WHERE ${present(view)} AND ${filter}`,
    [],
  );
  const counted = { count: Number(count ?? 0) };
  if (modified === undefined) return counted;
  const [row] = queryRows(
    database,
    `SELECT ${selectList(view)} FROM ${table.sql}
     WHERE ${modified.sql} <= ? AND ${present(view)} AND ${filter}
     ORDER BY ${[modified, ...table.key].map(({ sql }) => `${sql} DESC`).join(", ")} LIMIT 1`,
    [latest(database, modified)],
  );
  const place = row === undefined ? { key: null } : placeOf(view, row, true);
  return { ...counted, changes: writeCursor("changes", place) };
}

/** The pages of a walk; `next` is called before each and gives its size. */
export function* walkPages(
  database: SqliteDatabase,
  whole: View,
  { after, projection }: Read<"walk">,
  next: () => number,
): Generator<Page> {
  const view = projection === "key" ? { ...whole, columns: [] } : whole;
  const { table, filter } = view;
  let place: Place = after === null ? { key: null } : readCursor(after, "walk", table.key.length);
  if (place.key === null) yield* keylessPage(database, view, next);
  const order = table.key.map(({ sql }) => sql).join(", ");
  for (;;) {
    const size = next();
    const { sql, parameters } = afterKey(view, place);
    const rows = queryRows(
      database,
      `SELECT ${selectList(view)} FROM ${table.sql}
       WHERE ${sql} AND ${present(view)} AND ${filter} ORDER BY ${order} LIMIT ?`,
      [...parameters, size],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    place = placeOf(view, last, false);
    const cursor = writeCursor("walk", place);
    yield projection === "key" ? marksPage(view, rows, cursor) : recordsPage(view, rows, cursor);
    if (rows.length < size) return;
  }
}

/** Rows whose key is null have no place in the order; the first of them are told as bad. */
function* keylessPage(database: SqliteDatabase, view: View, next: () => number): Generator<Page> {
  const { table, filter } = view;
  if (!table.mayLackKeys) return;
  const rows = queryRows(
    database,
    `SELECT ${selectList(view)} FROM ${table.sql}
     WHERE NOT (${present(view)}) AND ${filter} LIMIT ?`,
    [next()],
  );
  if (rows.length > 0) yield recordsPage(view, rows, writeCursor("walk", { key: null }));
}

export function* changesPages(
  database: SqliteDatabase,
  view: View,
  { since, overlapMs }: Read<"changes">,
  next: () => number,
): Generator<Page> {
  const { table, filter, modified } = view;
  if (modified === undefined) throw unsupported(view, "changes");
  const start = readCursor(since, "changes", table.key.length);
  let condition = overlapMs === 0 ? afterTime(view, start) : notBefore(modified, start, overlapMs);
  const order = [modified, ...table.key].map(({ sql }) => sql).join(", ");
  for (;;) {
    const size = next();
    const rows = queryRows(
      database,
      `SELECT ${selectList(view)} FROM ${table.sql}
       WHERE ${condition.sql} AND ${modified.sql} <= ? AND ${present(view)} AND ${filter}
       ORDER BY ${order} LIMIT ?`,
      [...condition.parameters, latest(database, modified), size],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    const place = placeOf(view, last, true);
    condition = afterTime(view, place);
    yield recordsPage(view, rows, writeCursor("changes", place));
    if (rows.length < size) return;
  }
}

export function* keysPages(
  database: SqliteDatabase,
  view: View,
  { keys }: Read<"keys">,
  next: () => number,
): Generator<Page> {
  const finder = keyFinder(database, view);
  const asked = [...new Set(keys)];
  for (let done = 0; done < asked.length; ) {
    const size = next();
    const rows = asked.slice(done, done + size).flatMap((key) => {
      const row = finder.find(key);
      return row === undefined ? [] : [row];
    });
    done += size;
    yield recordsPage(view, rows, writeCursor("keys", { key: null }));
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

const ALWAYS: Condition = { sql: "1", parameters: [] };

/** A key with a part that is null is none. */
const present = ({ table }: View): string =>
  table.key.map(({ sql }) => `${sql} IS NOT NULL`).join(" AND ");

function afterKey({ table }: View, { key }: Place): Condition {
  return key === null ? ALWAYS : after(table.key, key);
}

function afterTime({ table, modified }: View, { time, key }: Place): Condition {
  if (time === undefined || key === null || modified === undefined) return ALWAYS;
  return after([modified, ...table.key], [time, ...key]);
}

function after(columns: readonly Column[], raw: readonly RawValue[]): Condition {
  const parts = raw.map(bound);
  return {
    sql: `(${columns.map(({ sql }) => sql).join(", ")}) > (${parts.map(([sql]) => sql).join(", ")})`,
    parameters: parts.map(([, parameter]) => parameter),
  };
}

function notBefore(modified: Column, { time }: Place, overlapMs: number): Condition {
  const instant = time === undefined || time === null ? undefined : modified.codec.decode(time);
  if (typeof instant !== "string") return ALWAYS;
  const parameters = [boundary(modified, addMs(instant, -overlapMs), time)];
  return { sql: `${modified.sql} >= ?`, parameters };
}

/** The latest time that is believed, as the column would keep it. */
function latest(database: SqliteDatabase, modified: Column): SqlParameter {
  const [[now] = []] = queryRows(
    database,
    `SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '${AHEAD}')`,
    [],
  );
  return boundary(modified, String(now), undefined);
}

/**
 * A time to compare stored ones with. Where they are texts it is as short as can be, so that it is
 * no later than any text of its second, and written as the example is.
 */
function boundary(modified: Column, instant: string, example: RawValue | undefined): SqlParameter {
  const encoded = modified.codec.encode(instant);
  if (typeof encoded !== "string") return typeof encoded === "bigint" ? encoded : null;
  const separator = typeof example === "string" && example.length > 10 ? example[10] : undefined;
  return encoded.slice(0, 10) + (separator ?? encoded[10] ?? " ") + encoded.slice(11, 19);
}

function placeOf(view: View, row: RawRow, withTime: boolean): Place {
  const key = rawKey(view, row);
  return withTime ? { time: rawTime(view, row), key } : { key };
}

function recordsPage(view: View, rows: readonly RawRow[], cursor: Cursor): Page {
  const records: StreamRecord[] = [];
  const bad: BadRecord[] = [];
  for (const row of rows) {
    const read = recordOf(view, row);
    if ("record" in read) records.push(read.record);
    else bad.push(read.bad);
  }
  return { records, bad, marks: [], tombstones: [], cursor };
}

function marksPage(view: View, rows: readonly RawRow[], cursor: Cursor): Page {
  const marks: KeyMark[] = [];
  const bad: BadRecord[] = [];
  for (const row of rows) {
    const key = keyOf(view, row);
    const raw = rawTime(view, row);
    const time = raw === null ? undefined : view.modified?.codec.decode(raw);
    if (key !== undefined) {
      marks.push({ key, ...(typeof time === "string" ? { modifiedAt: time } : {}) });
      continue;
    }
    const read = recordOf(view, row);
    if ("bad" in read) bad.push(read.bad);
  }
  return { records: [], bad, marks, tombstones: [], cursor };
}
