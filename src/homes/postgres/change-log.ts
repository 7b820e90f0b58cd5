import type { PostgresQueries, SqlParameter, SqlRow } from "../../drivers/postgres/database.ts";
import {
  type ChangeFilter,
  type ChangeKind,
  type FieldChange,
  foldStatus,
  type LoggedChange,
  matchesFilter,
} from "../../model/change.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import type { ChangeLog } from "../../ports/home.ts";
import { indexedFold } from "./change-writer.ts";
import { readText, storeText } from "./stored-text.ts";
import { type HomeTables, tableOf } from "./tables.ts";

/** Candidates looked at with one question. */
const BATCH = 500;

/** A piece of SQL with what is bound to it. */
interface Sql {
  readonly text: string;
  readonly parameters: readonly SqlParameter[];
}

/** Ids from `low` to `high`, both inclusive. */
interface Range {
  readonly low: number;
  readonly high: number;
}

/**
 * Reads the log in batches of ids. The narrowest index (key, changed fields, else the commits'
 * stream, run and time) gives the candidates; each is then held against the whole filter.
 */
export function createChangeLog(tables: HomeTables): ChangeLog {
  async function* changes(filter: ChangeFilter): AsyncIterable<LoggedChange> {
    let left = filter.limit ?? Number.POSITIVE_INFINITY;
    if (left <= 0) return;
    for await (const batch of batches(tables, filter)) {
      for (const change of batch) {
        if (!matchesFilter(change, filter)) continue;
        yield change;
        left -= 1;
        if (left <= 0) return;
      }
    }
  }
  return { changes };
}

async function* batches(
  tables: HomeTables,
  filter: ChangeFilter,
): AsyncIterable<readonly LoggedChange[]> {
  const source = await candidateSource(tables, filter);
  if (source === undefined) return;
  const namesById = new Map<string, readonly string[]>();
  let range = await bounds(tables, filter);
  while (range.low <= range.high) {
    const ids = await candidates(tables.database, source(range));
    const last = ids.at(-1);
    if (last === undefined) return;
    range = filter.oldestFirst ? { ...range, low: last + 1 } : { ...range, high: last - 1 };
    yield await loadChanges(tables, ids, namesById);
  }
}

/** The ids that may hold: entries added after the reading began are not among them. */
async function bounds(tables: HomeTables, { since, until, afterId }: ChangeFilter): Promise<Range> {
  const { database } = tables;
  const commits = tableOf(tables, "commits");
  let low = (afterId ?? 0) + 1;
  const counters = tableOf(tables, "counters");
  const newest = await database.get(`SELECT value FROM ${counters} WHERE name = 'change'`);
  let high = Number(newest?.[0] ?? 0);
  // Adding nothing keeps PostgreSQL from walking all commits in the order of their ids.
  if (since !== undefined) {
    const sql = `SELECT min(first_id + 0) FROM ${commits} WHERE at >= $1`;
    const [first = null] = (await database.get(sql, [since])) ?? [];
    low = first === null ? Number.POSITIVE_INFINITY : Math.max(low, Number(first));
  }
  if (until !== undefined) {
    const sql = `SELECT max(last_id + 0) FROM ${commits} WHERE at < $1`;
    const [last] = (await database.get(sql, [until])) ?? [];
    high = Math.min(high, Number(last ?? 0));
  }
  return { low, high };
}

/** Undefined when nothing can match, such as a field that never changed. */
async function candidateSource(
  tables: HomeTables,
  filter: ChangeFilter,
): Promise<((range: Range) => Sql) | undefined> {
  const direction = filter.oldestFirst ? "ASC" : "DESC";
  if (filter.key !== undefined) {
    const key = storeText(filter.key);
    return ({ low, high }) => ({
      text: `SELECT id FROM ${tableOf(tables, "changes")}
        WHERE key = $1 AND id BETWEEN $2 AND $3 ORDER BY id ${direction} LIMIT ${BATCH}`,
      parameters: [key, low, high],
    });
  }
  const names = filter.transition ? [filter.transition.field] : filter.fields;
  if (names !== undefined) return fieldSource(tables, filter, names, direction);
  return (range) => commitSource(tables, filter, range, direction);
}

async function fieldSource(
  tables: HomeTables,
  filter: ChangeFilter,
  names: readonly string[],
  direction: string,
): Promise<((range: Range) => Sql) | undefined> {
  const rows = await tables.database.all(
    `SELECT id FROM ${tableOf(tables, "fields")}
     WHERE name IN (SELECT json_array_elements_text($1::json))
       AND ($2::text IS NULL OR sync = $2) AND ($3::text IS NULL OR stream = $3)`,
    [JSON.stringify(names.map(storeText)), filter.sync ?? null, filter.stream ?? null],
  );
  if (rows.length === 0) return undefined;
  const folded = (["before", "after"] as const).flatMap((side) => {
    const wanted = filter.transition?.[side];
    return wanted === undefined ? [] : [{ side, value: indexedFold(foldStatus(wanted) ?? "") }];
  });
  const conditions = folded.map(({ side }, index) => ` AND ${side} = $${index + 3}`).join("");
  // Each field's own index gives its nearest ids; together they hold the nearest of all.
  const one = (field: number): string => `(SELECT change_id FROM ${tableOf(tables, "change_fields")}
    WHERE field = ${field} AND change_id BETWEEN $1 AND $2${conditions}
    ORDER BY change_id ${direction} LIMIT ${BATCH})`;
  const text = `SELECT change_id FROM (${rows.map(([id]) => one(Number(id))).join(" UNION ")}) AS f
    ORDER BY change_id ${direction} LIMIT ${BATCH}`;
  const values = folded.map(({ value }) => value);
  return ({ low, high }) => ({ text, parameters: [low, high, ...values] });
}

/** Walks the commits of the range along their index and takes the changes of each. */
function commitSource(
  tables: HomeTables,
  filter: ChangeFilter,
  { low, high }: Range,
  direction: string,
): Sql {
  const parameters: SqlParameter[] = [low, high];
  const given = { sync: filter.sync, stream: filter.stream, run_id: filter.runId };
  const conditions = Object.entries(given).flatMap(([column, value]) =>
    value === undefined ? [] : [` AND ${column} = $${parameters.push(value)}`],
  );
  const kinds =
    filter.kinds === undefined
      ? ""
      : ` AND kind = ANY($${parameters.push(`{${filter.kinds.join(",")}}`)}::text[])`;
  const text = `SELECT x.id
    FROM (SELECT first_id, last_id FROM ${tableOf(tables, "commits")}
      WHERE first_id <= $2 AND last_id >= $1${conditions.join("")}) AS c
    CROSS JOIN LATERAL (SELECT id FROM ${tableOf(tables, "changes")}
      WHERE id BETWEEN greatest(c.first_id, $1) AND least(c.last_id, $2)${kinds}
      ORDER BY id ${direction}) AS x
    ORDER BY c.first_id ${direction}, x.id ${direction} LIMIT ${BATCH}`;
  return { text, parameters };
}

async function candidates(
  queries: PostgresQueries,
  { text, parameters }: Sql,
): Promise<readonly number[]> {
  return (await queries.all(text, parameters)).map(([id]) => Number(id));
}

/** The changes of the ids, in their order. */
async function loadChanges(
  tables: HomeTables,
  ids: readonly number[],
  namesById: Map<string, readonly string[]>,
): Promise<readonly LoggedChange[]> {
  const rows = await tables.database.all(
    `SELECT x.id, c.sync, c.stream, c.run_id, c.at, x.key, x.kind, x.source_time, x.fields,
       i.image, c.field_list
     FROM ${tableOf(tables, "changes")} AS x
     JOIN ${tableOf(tables, "commits")} AS c ON c.first_id = x.commit_id
     LEFT JOIN ${tableOf(tables, "change_images")} AS i ON i.id = x.id
     WHERE x.id = ANY($1::bigint[])`,
    [`{${ids.join(",")}}`],
  );
  for (const list of new Set(rows.map((row) => String(row[10])))) {
    if (!namesById.has(list)) namesById.set(list, await loadNames(tables, list));
  }
  const byId = new Map(rows.map((row) => [Number(row[0]), row]));
  return ids.flatMap((id) => {
    const row = byId.get(id);
    return row === undefined ? [] : [readChange(row, namesById)];
  });
}

async function loadNames(tables: HomeTables, list: string): Promise<readonly string[]> {
  const sql = `SELECT names FROM ${tableOf(tables, "field_lists")} WHERE id = $1`;
  const row = await tables.database.get(sql, [list]);
  return JSON.parse(String(row?.[0] ?? "[]")) as readonly string[];
}

function readChange(row: SqlRow, namesById: ReadonlyMap<string, readonly string[]>): LoggedChange {
  const [id, sync, stream, runId, at, key, kind, sourceTime = null, fields = null] = row;
  const [image = null, list] = row.slice(9);
  const names = namesById.get(String(list)) ?? [];
  const named = image === null ? undefined : nameImage(names, readText(image));
  return {
    id: Number(id),
    sync: String(sync),
    stream: String(stream),
    runId: String(runId),
    at: Number(at),
    key: readText(String(key)) as RecordKey,
    kind: String(kind) as ChangeKind,
    fields: fields === null ? [] : readFields(fields),
    ...(named !== undefined && kind === "create" ? { after: named } : {}),
    ...(named !== undefined && kind === "delete" ? { before: named } : {}),
    ...(sourceTime === null ? {} : { sourceTime }),
  };
}

function readFields(text: string): readonly FieldChange[] {
  const entries = JSON.parse(text) as readonly (readonly [string, Value, Value])[];
  return entries.map(([field, before, after]) => ({ field, before, after }));
}

function nameImage(names: readonly string[], image: string): Readonly<Record<string, Value>> {
  const values = JSON.parse(image) as readonly Value[];
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? null]));
}
