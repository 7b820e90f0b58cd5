import type { SqliteDatabase } from "../../drivers/sqlite/database.ts";
import type { RecordKey } from "../../model/record.ts";
import { OUTBOX, REGISTRY } from "../sql/captures.ts";
import type { EventPlace, EventSql } from "../sql/events.ts";
import { decodedKey } from "../sql/rows.ts";
import type { Column, Table } from "./catalog.ts";
import { KEPT } from "./cursor.ts";
import { queryRows, type View } from "./read.ts";

interface Place extends EventPlace {
  readonly sequence: number;
}

/** One writer at a time: numbers appear in their order. */
export function createEventSql(database: SqliteDatabase): EventSql<Column, Table, Place> {
  return {
    newest: ({ id }) => ({ kind: "events", capture: id, sequence: newest(database) }),
    placeIn: ({ capture, sequence }) =>
      typeof capture === "string" && Number.isSafeInteger(sequence)
        ? { kind: "events", capture, sequence: Number(sequence) }
        : undefined,
    isAfter: (one, other) => one.sequence > other.sequence,
    lostSince({ schema }, _capture, { sequence }) {
      const [[trimmed] = []] = queryRows(
        database,
        `SELECT trimmed FROM ${REGISTRY} WHERE relation = ?`,
        [schema.name],
      );
      if (Number(trimmed ?? 0) > sequence) return "changes after it are no longer kept";
      return sequence > newest(database) ? "the file was put back to an earlier state" : undefined;
    },
    changesAfter(view, _capture, { place, overlapMs, size }) {
      const from = overlapMs === 0 ? place.sequence : earlier(database, view, place, overlapMs);
      const rows = queryRows(
        database,
        `SELECT sequence, key, at, origin FROM ${OUTBOX} WHERE relation = ? AND sequence > ?
         ORDER BY sequence LIMIT ?`,
        [view.schema.name, from, size],
      );
      return rows.map(([sequence, key, at, origin]) => ({
        place: { ...place, sequence: Number(sequence) },
        at: String(at),
        key: origin != null && origin === view.origin ? undefined : notedKey(view, String(key)),
      }));
    },
    trim: ({ schema }, { keepDays }, { sequence }) =>
      trim(database, [schema.name, sequence, keepDays]),
  };
}

/** The key as the columns read it; one that they cannot read belongs to no record. */
function notedKey({ table }: View, noted: string): RecordKey | undefined {
  const parts = (JSON.parse(noted) as unknown[]).map((part) => KEPT.give(part) ?? null);
  return parts.length === table.key.length ? decodedKey(table.key, parts) : undefined;
}

/** The number before everything that was noted within the overlap. */
function earlier(
  database: SqliteDatabase,
  { schema }: View,
  { sequence }: Place,
  overlapMs: number,
): number {
  const [[found] = []] = queryRows(
    database,
    `SELECT max(sequence) FROM ${OUTBOX} WHERE relation = ?1 AND sequence <= ?2
     AND julianday(at) < (SELECT julianday(max(at)) FROM ${OUTBOX}
       WHERE relation = ?1 AND sequence <= ?2) - ?3 / 86400000.0`,
    [schema.name, sequence, Math.trunc(overlapMs)],
  );
  return Number(found ?? 0);
}

/** Marks what a write noted of these records as its own; within its transaction. */
export function signWrites(
  write: {
    readonly database: SqliteDatabase;
    readonly view: View;
    readonly origin: string;
    /** The newest number before it. */
    readonly after: number;
  },
  keys: ReadonlySet<RecordKey>,
): void {
  const { database, view, origin, after } = write;
  const rows = queryRows(
    database,
    `SELECT sequence, key FROM ${OUTBOX} WHERE relation = ? AND sequence > ?`,
    [view.schema.name, after],
  );
  const sign = database.prepare(`UPDATE ${OUTBOX} SET origin = ? WHERE sequence = ?`);
  for (const [sequence, noted] of rows) {
    const key = notedKey(view, String(noted));
    if (key !== undefined && keys.has(key)) sign.run([origin, Number(sequence)]);
  }
}

export function newest(database: SqliteDatabase): number {
  const [[sequence] = []] = queryRows(database, `SELECT max(sequence) FROM ${OUTBOX}`, []);
  return Number(sequence ?? 0);
}

/** The newest number of all stays, so that it is not given once more. */
function trim(
  database: SqliteDatabase,
  parameters: readonly [relation: string, sequence: number, keepDays: number],
): void {
  const old = `relation = ? AND sequence <= ? AND sequence < (SELECT max(sequence) FROM ${OUTBOX})
    AND julianday(at) < julianday('now') - ?`;
  const [[last] = []] = queryRows(
    database,
    `SELECT max(sequence) FROM ${OUTBOX} WHERE ${old}`,
    parameters,
  );
  if (last === null || last === undefined || database.readOnly) return;
  database.transaction(() => {
    database.prepare(`DELETE FROM ${OUTBOX} WHERE ${old}`).run(parameters);
    database
      .prepare(`UPDATE ${REGISTRY} SET trimmed = max(trimmed, ?) WHERE relation = ?`)
      .run([Number(last), parameters[0]]);
  });
}
