import type { SqliteDatabase, SqlParameter } from "../../drivers/sqlite/database.ts";
import { foldStatus } from "../../model/change.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Commit, LogEntry } from "../../ports/home.ts";

/** A folded value is kept up to here for the index; a reader compares the whole one again. */
export const FOLDED_LENGTH = 120;

/** Writes change logs inside the caller's transaction. */
export interface ChangeWriter {
  write(commit: Commit): void;
  /** To be called when a transaction was rolled back: ids it gave out do not exist. */
  forget(): void;
}

export function createChangeWriter(database: SqliteDatabase): ChangeWriter {
  /** Ids of field names by sync, stream and name; looked up once, never changed. */
  const fieldIds = new Map<string, number>();

  const fieldId = (sync: string, stream: string, name: string): number => {
    const known = fieldIds.get(`${sync}\0${stream}\0${name}`);
    if (known !== undefined) return known;
    const id = intern(database, "_lockstep_fields", { sync, stream, name });
    fieldIds.set(`${sync}\0${stream}\0${name}`, id);
    return id;
  };

  const write = (commit: Commit): void => {
    const { log, lease, stream, runId, at } = commit;
    if (log === undefined || log.entries.length === 0) return;
    const first = lastChangeId(database) + 1;
    const last = first + log.entries.length - 1;
    const names = JSON.stringify(log.fieldNames);
    const fieldList = intern(database, "_lockstep_field_lists", { names });
    database
      .prepare(
        `INSERT INTO _lockstep_commits (first_id, last_id, sync, stream, run_id, at, field_list)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run([first, last, lease.sync, stream, runId, at, fieldList]);
    writeEntries(database, first, log.entries);
    const changedField = database.prepare(
      `INSERT INTO _lockstep_change_fields (field, change_id, before, after) VALUES (?, ?, ?, ?)`,
    );
    for (const [index, entry] of log.entries.entries()) {
      if (entry.kind !== "update") continue;
      for (const { field, before, after } of entry.fields) {
        const id = fieldId(lease.sync, stream, field);
        changedField.run([id, first + index, fold(before), fold(after)]);
      }
    }
  };

  return { write, forget: () => fieldIds.clear() };
}

const fold = (value: Parameters<typeof foldStatus>[0]): string | null =>
  foldStatus(value)?.slice(0, FOLDED_LENGTH) ?? null;

function writeEntries(database: SqliteDatabase, first: number, entries: readonly LogEntry[]): void {
  const change = database.prepare(
    "INSERT INTO _lockstep_changes (id, key, kind, source_time, fields) VALUES (?, ?, ?, ?, ?)",
  );
  const image = database.prepare("INSERT INTO _lockstep_change_images (id, image) VALUES (?, ?)");
  for (const [index, entry] of entries.entries()) {
    const id = first + index;
    const fields =
      entry.kind === "update"
        ? JSON.stringify(entry.fields.map(({ field, before, after }) => [field, before, after]))
        : null;
    change.run([id, entry.key, entry.kind, entry.sourceTime ?? null, fields]);
    if (entry.image !== undefined) image.run([id, entry.image]);
  }
}

/** Commits are never taken out, so an id is never given twice. */
export function lastChangeId(database: SqliteDatabase): number {
  const row = database
    .prepare("SELECT last_id FROM _lockstep_commits ORDER BY first_id DESC LIMIT 1")
    .get();
  return Number(row?.[0] ?? 0);
}

/** The id of a row of words that are kept once. */
function intern(
  database: SqliteDatabase,
  table: string,
  words: Readonly<Record<string, string>>,
): number {
  const columns = Object.keys(words);
  const parameters: SqlParameter[] = Object.values(words);
  const select = database.prepare(
    `SELECT id FROM ${table} WHERE ${columns.map((name) => `${name} = ?`).join(" AND ")}`,
  );
  const found = select.get(parameters);
  if (found !== undefined) return Number(found[0]);
  database
    .prepare(
      `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
    )
    .run(parameters);
  const [id] = select.get(parameters) ?? [];
  if (typeof id === "number") return id;
  throw new SyncError("INTERNAL", `"${database.path}" did not keep a row of ${table}.`);
}
