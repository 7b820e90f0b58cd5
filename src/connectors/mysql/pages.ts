import type { Cursor } from "../../model/cursor.ts";
import type { BadRecord, StreamRecord } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import { addMs } from "../../model/timestamp.ts";
import type { KeyMark, Page, ReadRequest, StreamHead } from "../../ports/connector.ts";
import type { Column } from "./column.ts";
import type { MysqlQueries, SqlRow } from "./database.ts";
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

export async function headOf(queries: MysqlQueries, view: View): Promise<StreamHead> {
  const { table, filter, modified } = view;
  const [[counted] = []] = await queries.all(
    `SELECT count(*) FROM ${table.sql} AS t WHERE ${present(view)} AND ${filter}`,
  );
  const count = Number(counted ?? 0);
  if (modified === undefined) return { count };
  const order = ordered(view, [modified, ...table.key]).map((sql) => `${sql} DESC`);
  const [row] = await queries.all(
    `SELECT ${selectList(view)} FROM ${table.sql} AS t
     WHERE ${await believed(queries, modified)} AND ${present(view)} AND ${filter}
     ORDER BY ${order.join(", ")} LIMIT 1`,
  );
  const place = row === undefined ? { key: null } : timePlace(view, row);
  return { count, changes: writeCursor({ kind: "changes", ...place }) };
}

/** The pages of a walk; `next` is called before each and gives its size. */
export async function* walkPages(
  queries: MysqlQueries,
  whole: View,
  { after, projection }: Read<"walk">,
  next: () => number,
): AsyncGenerator<Page> {
  const view = projection === "key" ? { ...whole, columns: [] } : whole;
  const { table, filter } = view;
  let place: Place = after === null ? { key: null } : readCursor(view, after, "walk");
  if (place.key === null) yield* keylessPage(queries, view, next);
  const order = ordered(view, table.key).join(", ");
  for (;;) {
    const size = next();
    const rows = await queries.all(
      `SELECT ${selectList(view)} FROM ${table.sql} AS t
       WHERE ${later(view, table.key, place.key)} AND ${present(view)} AND ${filter}
       ORDER BY ${order} LIMIT ${size}`,
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
  queries: MysqlQueries,
  view: View,
  next: () => number,
): AsyncGenerator<Page> {
  const { table, filter } = view;
  if (table.key.every(({ declared }) => !declared.nullable)) return;
  const rows = await queries.all(
    `SELECT ${selectList(view)} FROM ${table.sql} AS t
     WHERE NOT (${present(view)}) AND ${filter} LIMIT ${next()}`,
  );
  const cursor = writeCursor({ kind: "walk", key: null });
  if (rows.length > 0) yield recordsPage(view, rows, cursor);
}

export async function* changesPages(
  queries: MysqlQueries,
  view: View,
  { since, overlapMs }: Read<"changes">,
  next: () => number,
): AsyncGenerator<Page> {
  const { table, filter, modified } = view;
  if (modified === undefined) throw unsupported(view, "changes");
  const columns = [modified, ...table.key];
  const afterTime = ({ time, key }: Place): string =>
    later(view, columns, time == null || key === null ? null : [time, ...key]);
  const start = readCursor(view, since, "changes");
  let condition = overlapMs === 0 ? afterTime(start) : notBefore(modified, start, overlapMs);
  const order = ordered(view, columns).join(", ");
  for (;;) {
    const size = next();
    const rows = await queries.all(
      `SELECT ${selectList(view)} FROM ${table.sql} AS t
       WHERE ${condition} AND ${await believed(queries, modified)} AND ${present(view)}
         AND ${filter} ORDER BY ${order} LIMIT ${size}`,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    const place = timePlace(view, last);
    condition = afterTime(place);
    yield recordsPage(view, rows, writeCursor({ kind: "changes", ...place }));
    if (rows.length < size) return;
  }
}

export async function* keysPages(
  queries: MysqlQueries,
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

/** A key with a part that is null is none. */
const present = ({ table }: View): string =>
  table.key.map(({ sql }) => `t.${sql} IS NOT NULL`).join(" AND ");

/** Times further ahead are a mistake: a cursor that followed one would pass over all that is real. */
async function believed(queries: MysqlQueries, modified: Column): Promise<string> {
  const [[now] = []] = await queries.all("SELECT UTC_TIMESTAMP(6) + INTERVAL 1 DAY");
  const latest = modified.encode(`${String(now).replace(" ", "T")}Z`);
  return typeof latest === "string" ? `${modified.order} <= ${latest}` : "TRUE";
}

/**
 * The SQL to order by. Where a unique index is on the key its own collations have no two keys
 * alike, and its index serves; elsewhere texts are ordered byte by byte.
 */
function ordered({ table }: View, columns: readonly Column[]): readonly string[] {
  return columns.map((column) => (table.isOrdered ? column.order : bytewise(column)));
}

const isCollated = ({ field, order, sql }: Column): boolean =>
  field.type.kind === "text" && order === `t.${sql}`;

const bytewise = (column: Column): string =>
  isCollated(column) ? `CAST(CONVERT(${column.order} USING utf8mb4) AS BINARY)` : column.order;

function placed({ table }: View, column: Column, stored: string): string {
  const literal = column.place(stored);
  const isBytes = column.order.startsWith("CAST(") || (!table.isOrdered && isCollated(column));
  return isBytes ? `CAST(${literal} AS BINARY)` : literal;
}

/**
 * Strictly after the place, spelled out, since indexes do not serve comparisons of tuples: at or
 * after by the first column, and after by it or, where it is alike, by the rest.
 */
function later(view: View, columns: readonly Column[], texts: readonly string[] | null): string {
  if (texts === null) return "TRUE";
  const names = ordered(view, columns);
  const places = columns.map((column, at) => placed(view, column, texts[at] ?? ""));
  const last = names.length - 1;
  const condition = names.reduceRight(
    (rest, name, at) =>
      at === last
        ? `${name} > ${places[at]}`
        : `(${name} > ${places[at]} OR (${name} = ${places[at]} AND ${rest}))`,
    "",
  );
  return last === 0 ? condition : `${names[0]} >= ${places[0]} AND ${condition}`;
}

function notBefore(modified: Column, { time }: Place, overlapMs: number): string {
  const instant = time == null ? undefined : modified.decode(time);
  if (typeof instant !== "string") return "TRUE";
  const start = modified.encode(addMs(instant, -Math.trunc(overlapMs)));
  return typeof start === "string" ? `${modified.order} >= ${start}` : "TRUE";
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
  throw new SyncError(
    "CURSOR_INVALID",
    `The MySQL connector cannot read the cursor "${cursor}": it is no position of kind "${kind}".`,
  );
}

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
