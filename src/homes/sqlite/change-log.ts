import type { SqliteDatabase, SqlParameter, SqlRow } from "../../drivers/sqlite/database.ts";
import {
  type ChangeFilter,
  type ChangeKind,
  type FieldChange,
  foldStatus,
  isTransition,
  type LoggedChange,
} from "../../model/change.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Value } from "../../model/value.ts";
import type { ChangeLog } from "../../ports/home.ts";
import { FOLDED_LENGTH, lastChangeId } from "./change-writer.ts";

/** Candidates looked at between two looks at the clock of other tasks. */
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
export function createChangeLog(database: SqliteDatabase): ChangeLog {
  async function* changes(filter: ChangeFilter): AsyncIterable<LoggedChange> {
    const source = candidateSource(database, filter);
    if (source === undefined) return;
    let range = bounds(database, filter);
    let left = filter.limit ?? Number.POSITIVE_INFINITY;
    while (left > 0 && range.low <= range.high) {
      const ids = candidates(database, source(range));
      const last = ids.at(-1);
      if (last === undefined) return;
      range = filter.oldestFirst ? { ...range, low: last + 1 } : { ...range, high: last - 1 };
      for (const change of loadChanges(database, ids, filter)) {
        if (left <= 0) return;
        left -= 1;
        yield change;
      }
    }
  }
  return { changes };
}

/** The ids that may hold: entries added after the reading began are not among them. */
function bounds(database: SqliteDatabase, filter: ChangeFilter): Range {
  // The plus keeps SQLite from walking all commits in the order of their ids.
  const timed = "FROM _lockstep_commits INDEXED BY _lockstep_commits_by_time WHERE at";
  let low = (filter.afterId ?? 0) + 1;
  let high = lastChangeId(database);
  if (filter.since !== undefined) {
    const sql = `SELECT min(+first_id) ${timed} >= ?`;
    const [first] = database.prepare(sql).get([filter.since]) ?? [];
    low = first === null ? Number.POSITIVE_INFINITY : Math.max(low, Number(first));
  }
  if (filter.until !== undefined) {
    const sql = `SELECT max(+last_id) ${timed} < ?`;
    const [last] = database.prepare(sql).get([filter.until]) ?? [];
    high = Math.min(high, Number(last ?? 0));
  }
  return { low, high };
}

/** Undefined when nothing can match, such as a field that never changed. */
function candidateSource(
  database: SqliteDatabase,
  filter: ChangeFilter,
): ((range: Range) => Sql) | undefined {
  const direction = filter.oldestFirst ? "ASC" : "DESC";
  if (filter.key !== undefined) {
    const key = filter.key;
    return ({ low, high }) => ({
      text: `SELECT id FROM _lockstep_changes WHERE key = ? AND id BETWEEN ? AND ?
        ORDER BY id ${direction} LIMIT ${BATCH}`,
      parameters: [key, low, high],
    });
  }
  const names = filter.transition ? [filter.transition.field] : filter.fields;
  if (names !== undefined) return fieldSource(database, filter, names, direction);
  return (range) => commitSource(filter, range, direction);
}

function fieldSource(
  database: SqliteDatabase,
  filter: ChangeFilter,
  names: readonly string[],
  direction: string,
): ((range: Range) => Sql) | undefined {
  const fields = database
    .prepare(
      `SELECT id FROM _lockstep_fields WHERE name IN (SELECT value FROM json_each(?1))
         AND (?2 IS NULL OR sync = ?2) AND (?3 IS NULL OR stream = ?3)`,
    )
    .all([JSON.stringify(names), filter.sync ?? null, filter.stream ?? null])
    .map(([id]) => Number(id));
  if (fields.length === 0) return undefined;
  const folded = (["before", "after"] as const).flatMap((side) => {
    const wanted = filter.transition?.[side];
    return wanted === undefined
      ? []
      : [{ side, value: foldStatus(wanted)?.slice(0, FOLDED_LENGTH) ?? "" }];
  });
  const conditions = folded.map(({ side }) => ` AND ${side} = ?`).join("");
  // Each field's own index gives its nearest ids; together they hold the nearest of all.
  const one = `SELECT * FROM (SELECT change_id FROM _lockstep_change_fields
    WHERE field = ? AND change_id BETWEEN ? AND ?${conditions}
    ORDER BY change_id ${direction} LIMIT ${BATCH})`;
  const text = `${fields.map(() => one).join(" UNION ")}
    ORDER BY change_id ${direction} LIMIT ${BATCH}`;
  const values = folded.map(({ value }) => value);
  return ({ low, high }) => ({
    text,
    parameters: fields.flatMap((field) => [field, low, high, ...values]),
  });
}

function commitSource(filter: ChangeFilter, { low, high }: Range, direction: string): Sql {
  const conditions: string[] = [];
  const parameters: SqlParameter[] = [low, high];
  const given = { "c.sync": filter.sync, "c.stream": filter.stream, "c.run_id": filter.runId };
  for (const [column, value] of Object.entries(given)) {
    if (value === undefined) continue;
    conditions.push(` AND ${column} = ?`);
    parameters.push(value);
  }
  if (filter.kinds !== undefined) {
    conditions.push(" AND x.kind IN (SELECT value FROM json_each(?))");
    parameters.push(JSON.stringify(filter.kinds));
  }
  // The commit that holds `low` begins at or before it.
  const text = `SELECT x.id FROM _lockstep_commits AS c
    CROSS JOIN _lockstep_changes AS x ON x.id BETWEEN max(c.first_id, ?1) AND min(c.last_id, ?2)
    WHERE c.first_id <= ?2 AND c.first_id >= coalesce(
      (SELECT max(first_id) FROM _lockstep_commits WHERE first_id <= ?1), 0)
    ${conditions.join("")}
    ORDER BY c.first_id ${direction}, x.id ${direction} LIMIT ${BATCH}`;
  return { text, parameters };
}

function candidates(database: SqliteDatabase, { text, parameters }: Sql): readonly number[] {
  return database
    .prepare(text)
    .all(parameters)
    .map(([id]) => Number(id));
}

function loadChanges(
  database: SqliteDatabase,
  ids: readonly number[],
  filter: ChangeFilter,
): readonly LoggedChange[] {
  const rows = database
    .prepare(
      `SELECT x.id, c.sync, c.stream, c.run_id, c.at, x.key, x.kind, x.source_time, x.fields,
         i.image, f.names
       FROM json_each(?) AS j
       CROSS JOIN _lockstep_changes AS x ON x.id = j.value
       CROSS JOIN _lockstep_commits AS c
         ON c.first_id = (SELECT max(first_id) FROM _lockstep_commits WHERE first_id <= x.id)
       CROSS JOIN _lockstep_field_lists AS f ON f.id = c.field_list
       LEFT JOIN _lockstep_change_images AS i ON i.id = x.id`,
    )
    .all([JSON.stringify(ids)]);
  const namesByText = new Map<string, readonly string[]>();
  const direction = filter.oldestFirst ? 1 : -1;
  return rows
    .map((row) => readChange(row, namesByText))
    .filter((change) => holds(change, filter))
    .sort((a, b) => direction * (a.id - b.id));
}

/** Every condition that an index may have been passed over for. */
function holds(change: LoggedChange, filter: ChangeFilter): boolean {
  const { sync, stream, runId, kinds, fields, transition, since, until } = filter;
  return (
    (sync === undefined || change.sync === sync) &&
    (stream === undefined || change.stream === stream) &&
    (runId === undefined || change.runId === runId) &&
    (kinds === undefined || kinds.includes(change.kind)) &&
    (since === undefined || change.at >= since) &&
    (until === undefined || change.at < until) &&
    (fields === undefined || change.fields.some(({ field }) => fields.includes(field))) &&
    (transition === undefined || isTransition(change, transition))
  );
}

function readChange(row: SqlRow, namesByText: Map<string, readonly string[]>): LoggedChange {
  const [id, sync, stream, runId, at, key, kind, sourceTime, fields, image, listText] = row;
  const list = String(listText);
  const names = namesByText.get(list) ?? (JSON.parse(list) as readonly string[]);
  namesByText.set(list, names);
  const named = image === null ? undefined : nameImage(names, String(image));
  return {
    id: Number(id),
    sync: String(sync),
    stream: String(stream),
    runId: String(runId),
    at: Number(at),
    key: String(key) as RecordKey,
    kind: String(kind) as ChangeKind,
    fields: fields === null ? [] : readFields(String(fields)),
    ...(named !== undefined && kind === "create" ? { after: named } : {}),
    ...(named !== undefined && kind === "delete" ? { before: named } : {}),
    ...(sourceTime === null ? {} : { sourceTime: String(sourceTime) }),
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
