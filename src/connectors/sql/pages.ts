import type { DigestBuckets } from "../../model/digest.ts";
import type { RecordKey } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Page, ReadRequest, StreamHead } from "../../ports/connector.ts";
import { bucketOf, type DigestSql } from "./digests.ts";
import { type Keeping, type Place, readCursor, writeCursor } from "./position.ts";
import { marksPage, recordsPage } from "./rows.ts";
import {
  ALWAYS,
  type Row,
  type SqlColumn,
  type SqlTable,
  type SqlView,
  type Stored,
} from "./table.ts";

export type Read<K extends ReadRequest["kind"]> = Extract<ReadRequest, { readonly kind: K }>;

export type Parameter = string | number | bigint | null;

export interface Condition {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
}

export const EVERYTHING: Condition = { sql: ALWAYS, parameters: [] };

/** What each database says in its own way, so that walks and reads of changes are written once. */
export interface PageSql<
  S extends Stored = Stored,
  C extends SqlColumn<S> = SqlColumn<S>,
  T extends SqlTable<C> = SqlTable<C>,
> extends Keeping<S> {
  /** For people. */
  readonly name: string;
  all(
    sql: string,
    parameters: readonly Parameter[],
  ): readonly Row<S>[] | Promise<readonly Row<S>[]>;
  /** The table as FROM names it. */
  from(table: T): string;
  /** The column as it is named where rows of `from` are selected. */
  column(column: C): string;
  /** What is selected for a row; see `rows.ts`. */
  selectList(view: SqlView<C, T>): string;
  /** What to order by, so that what is compared in `after` is in order and an index serves. */
  order(view: SqlView<C, T>, columns: readonly C[]): readonly string[];
  /** The rows strictly after those places in that order. */
  after(view: SqlView<C, T>, columns: readonly C[], places: readonly S[]): Condition;
  /** The rows that were changed no earlier than so long before the time. */
  notBefore(modified: C, time: S, overlapMs: number): Condition;
  /**
   * The rows whose time of change is no more than a day ahead. Times further ahead are a mistake:
   * a cursor that followed one would pass over all that is real.
   */
  believed(modified: C): Condition | Promise<Condition>;
  placeOf(view: SqlView<C, T>, row: Row<S>): Place<S>;
  /** Absent where the database cannot tell digests. */
  readonly digests?: DigestSql<C>;
  /** The rows of these keys that the view shows. */
  rowsOfKeys(
    view: SqlView<C, T>,
    keys: readonly RecordKey[],
  ): ReadonlyMap<RecordKey, Row<S>> | Promise<ReadonlyMap<RecordKey, Row<S>>>;
}

export async function headOf<S extends Stored, C extends SqlColumn<S>, T extends SqlTable<C>>(
  sql: PageSql<S, C, T>,
  view: SqlView<C, T>,
): Promise<StreamHead> {
  const { table, filter, modified } = view;
  const [[counted] = []] = await sql.all(
    `SELECT count(*) FROM ${sql.from(table)} WHERE ${present(sql, view)} AND ${filter}`,
    [],
  );
  const count = Number(counted ?? 0);
  if (modified === undefined) return { count };
  const order = sql.order(view, [modified, ...table.key]).map((each) => `${each} DESC`);
  const [row] = await rowsWhere(sql, view, await sql.believed(modified), order, 1);
  const place = row === undefined ? { key: null } : sql.placeOf(view, row);
  return { count, changes: writeCursor(sql, "changes", place) };
}

/** The pages of a walk; `next` is called before each and gives its size. */
export async function* walkPages<S extends Stored, C extends SqlColumn<S>, T extends SqlTable<C>>(
  sql: PageSql<S, C, T>,
  whole: SqlView<C, T>,
  { after, projection, buckets }: Read<"walk">,
  next: () => number,
): AsyncGenerator<Page> {
  const view = projection === "key" ? inBuckets(sql, { ...whole, columns: [] }, buckets) : whole;
  const { key: columns } = view.table;
  let { key } = after === null ? { key: null } : readCursor(sql, view, after, "walk");
  if (key === null) yield* keylessPage(sql, view, next);
  const order = sql.order(view, columns);
  for (;;) {
    const size = next();
    const condition = key === null ? EVERYTHING : sql.after(view, columns, key);
    const rows = await rowsWhere(sql, view, condition, order, size);
    const last = rows.at(-1);
    if (last === undefined) return;
    ({ key } = sql.placeOf(view, last));
    const cursor = writeCursor(sql, "walk", { key });
    yield projection === "key" ? marksPage(view, rows, cursor) : recordsPage(view, rows, cursor);
    if (rows.length < size) return;
  }
}

/** Rows whose key is null have no place in the order; the first of them are told as bad. */
async function* keylessPage<S extends Stored, C extends SqlColumn<S>, T extends SqlTable<C>>(
  sql: PageSql<S, C, T>,
  view: SqlView<C, T>,
  next: () => number,
): AsyncGenerator<Page> {
  if (!view.table.mayLackKeys) return;
  const rows = await sql.all(
    `SELECT ${sql.selectList(view)} FROM ${sql.from(view.table)}
     WHERE NOT (${present(sql, view)}) AND ${view.filter} LIMIT ${next()}`,
    [],
  );
  const cursor = writeCursor(sql, "walk", { key: null });
  if (rows.length > 0) yield recordsPage(view, rows, cursor);
}

export async function* changesPages<
  S extends Stored,
  C extends SqlColumn<S>,
  T extends SqlTable<C>,
>(
  sql: PageSql<S, C, T>,
  view: SqlView<C, T>,
  { since, overlapMs }: Read<"changes">,
  next: () => number,
): AsyncGenerator<Page> {
  const { modified } = view;
  if (modified === undefined) throw untimed(view);
  const columns = [modified, ...view.table.key];
  const afterTime = ({ time = null, key }: Place<S>): Condition =>
    time === null || key === null ? EVERYTHING : sql.after(view, columns, [time, ...key]);
  const start = readCursor(sql, view, since, "changes");
  const { time = null } = start;
  let condition =
    overlapMs === 0 || time === null ? afterTime(start) : sql.notBefore(modified, time, overlapMs);
  const order = sql.order(view, columns);
  for (;;) {
    const size = next();
    const believed = await sql.believed(modified);
    const rows = await rowsWhere(sql, view, both(condition, believed), order, size);
    const last = rows.at(-1);
    if (last === undefined) return;
    const place = sql.placeOf(view, last);
    condition = afterTime(place);
    yield recordsPage(view, rows, writeCursor(sql, "changes", place));
    if (rows.length < size) return;
  }
}

export async function* keysPages<S extends Stored, C extends SqlColumn<S>, T extends SqlTable<C>>(
  sql: PageSql<S, C, T>,
  view: SqlView<C, T>,
  { keys }: Read<"keys">,
  next: () => number,
): AsyncGenerator<Page> {
  const asked = [...new Set(keys)];
  for (let done = 0; done < asked.length; ) {
    const some = asked.slice(done, done + next());
    done += some.length;
    const found = await sql.rowsOfKeys(view, some);
    const rows = some.flatMap((key) => {
      const row = found.get(key);
      return row === undefined ? [] : [row];
    });
    yield recordsPage(view, rows, writeCursor(sql, "keys", { key: null }));
  }
}

/** The first rows that the view shows, that have a key and fulfil the condition. */
function rowsWhere<S extends Stored, C extends SqlColumn<S>, T extends SqlTable<C>>(
  sql: PageSql<S, C, T>,
  view: SqlView<C, T>,
  condition: Condition,
  order: readonly string[],
  size: number,
): readonly Row<S>[] | Promise<readonly Row<S>[]> {
  return sql.all(
    `SELECT ${sql.selectList(view)} FROM ${sql.from(view.table)}
     WHERE ${condition.sql} AND ${present(sql, view)} AND ${view.filter}
     ORDER BY ${order.join(", ")} LIMIT ${size}`,
    condition.parameters,
  );
}

/** The rows whose digests are in the buckets; all of them where none are named. */
function inBuckets<S extends Stored, C extends SqlColumn<S>, T extends SqlTable<C>>(
  { digests }: PageSql<S, C, T>,
  view: SqlView<C, T>,
  buckets: DigestBuckets | undefined,
): SqlView<C, T> {
  if (buckets === undefined || digests === undefined || view.digest === undefined) return view;
  const condition = digests.isIn(bucketOf(view.digest, buckets.bits), buckets);
  return { ...view, filter: `${view.filter} AND ${condition}` };
}

/** A key with a part that is null is none. */
export function present<S extends Stored, C extends SqlColumn<S>, T extends SqlTable<C>>(
  sql: PageSql<S, C, T>,
  { table }: SqlView<C, T>,
): string {
  return table.key.map((column) => `${sql.column(column)} IS NOT NULL`).join(" AND ");
}

const both = (one: Condition, other: Condition): Condition => ({
  sql: `${one.sql} AND ${other.sql}`,
  parameters: [...one.parameters, ...other.parameters],
});

const untimed = ({ schema }: SqlView): SyncError =>
  new SyncError("CONNECTOR_UNSUPPORTED", `Table "${schema.name}" has no reads of kind "changes".`, {
    context: { stream: schema.name },
    hint: `Name the column with the time of last change under tables.${schema.name}.modifiedAt.`,
  });
