import type { RecordKey } from "../../model/record.ts";
import { isSyncError } from "../../model/sync-error.ts";
import type { EventPlace, EventSql, NotedChange } from "../sql/events.ts";
import { decodedKey } from "../sql/rows.ts";
import type { Capture } from "./captures.ts";
import type { Table } from "./catalog.ts";
import type { Column } from "./column.ts";
import { type MysqlDatabase, type MysqlTransaction, textLiteral } from "./database.ts";
import type { View } from "./read.ts";

interface Place extends EventPlace {
  readonly sequence: number;
}

/**
 * Numbers are given before rows are stored and committed in any order, and nothing tells which
 * transactions still run. So what is told ends before the first row that is stored and not
 * committed (uncommitted reads see it), and before the first missing number that is young: a
 * statement may have taken it and not stored its row yet.
 */
const YOUNG_SECONDS = 10;
const YOUNG_AT_MOST = 10_000;

export function createEventSql(database: MysqlDatabase): EventSql<Column, Table, Place> {
  return {
    async newest({ id, outbox }) {
      const top = await topOf(database, outbox);
      const [settled, open] = [
        await settledUpTo(database, outbox, top),
        await beforeInFlight(database, outbox, top),
      ];
      return { kind: "events", capture: id, sequence: Math.min(settled, open) };
    },
    placeIn: ({ capture, sequence }) =>
      typeof capture === "string" && Number.isSafeInteger(sequence)
        ? { kind: "events", capture, sequence: Number(sequence) }
        : undefined,
    isAfter: (one, other) => one.sequence > other.sequence,
    async lostSince({ schema }, { registry, outbox }, { sequence }) {
      const [[trimmed] = []] = await database.all(
        `SELECT trimmed FROM ${registry} WHERE relation = ${textLiteral(schema.name)}`,
      );
      if (Number(trimmed ?? 0) > sequence) return "changes after it are no longer kept";
      const isAhead = sequence > (await topOf(database, outbox));
      return isAhead ? "the database was put back to an earlier state" : undefined;
    },
    async changesAfter(view, capture, { place, overlapMs, size }) {
      const from =
        overlapMs === 0 ? place.sequence : await earlier(database, view, capture, place, overlapMs);
      return changesBetween(database, view, capture, { from, place, size });
    },
    trim: (view, capture, place) => trim(database, view, capture, place),
  };
}

async function topOf(database: MysqlDatabase, outbox: string): Promise<number> {
  const [[top] = []] = await database.uncommitted(`SELECT max(sequence) FROM ${outbox}`);
  return Number(top ?? 0);
}

/** The number up to which none is missing that might still come. */
async function settledUpTo(database: MysqlDatabase, outbox: string, top: number): Promise<number> {
  const rows = await database.uncommitted(
    `SELECT sequence, at >= UTC_TIMESTAMP(6) - INTERVAL ${YOUNG_SECONDS} SECOND,
       @@GLOBAL.auto_increment_increment
     FROM ${outbox} WHERE sequence <= ${top} ORDER BY sequence DESC LIMIT ${YOUNG_AT_MOST}`,
  );
  let settled = top;
  for (const [at, [sequence, isYoung, step]] of rows.entries()) {
    if (isYoung !== "1") return settled;
    const before = rows[at + 1];
    // Before the first row of all, and before the last that is looked at, nothing is known.
    if (before === undefined) {
      return rows.length < YOUNG_AT_MOST ? settled : Number(sequence) - 1;
    }
    if (Number(sequence) - Number(before[0]) > Number(step ?? 1)) settled = Number(before[0]);
  }
  return settled;
}

/** The number before the first row that is stored and not committed; `top` where there is none. */
async function beforeInFlight(
  database: MysqlDatabase,
  outbox: string,
  top: number,
): Promise<number> {
  const isWhole = async (upTo: number): Promise<boolean> => {
    const count = `SELECT count(*) FROM ${outbox} WHERE sequence <= ${upTo}`;
    const [[stored] = []] = await database.uncommitted(count);
    const [[committed] = []] = await database.all(count);
    return Number(committed) >= Number(stored);
  };
  if (await isWhole(top)) return top;
  let [whole, broken] = [0, top];
  while (broken - whole > 1) {
    const middle = Math.floor((whole + broken) / 2);
    if (await isWhole(middle)) whole = middle;
    else broken = middle;
  }
  return whole;
}

async function changesBetween(
  database: MysqlDatabase,
  view: View,
  { outbox }: Capture,
  { from, place, size }: { readonly from: number; readonly place: Place; readonly size: number },
): Promise<readonly NotedChange<Place>[]> {
  const top = await topOf(database, outbox);
  const of = `FROM ${outbox} WHERE relation = ${textLiteral(view.schema.name)}
    AND sequence > ${from} AND sequence <= ${top} ORDER BY sequence LIMIT ${size}`;
  const stored = await database.uncommitted(`SELECT sequence ${of}`);
  const rows = await database.all(`SELECT sequence, \`key\`, at, origin ${of}`);
  if (rows.length === 0) return [];
  const settled = await settledUpTo(database, outbox, top);
  const committed = new Set(rows.map(([sequence]) => sequence));
  const inFlight = stored.find(([sequence]) => !committed.has(sequence ?? null));
  const end = inFlight === undefined ? settled : Math.min(settled, Number(inFlight[0]) - 1);
  return rows
    .filter(([sequence]) => Number(sequence) <= end)
    .map(([sequence, key, at, origin]) => ({
      place: { ...place, sequence: Number(sequence) },
      at: `${String(at).replace(" ", "T")}Z`,
      key: origin !== null && origin === view.origin ? undefined : notedKey(view, String(key)),
    }));
}

/** The key as the columns read it; one that they cannot read belongs to no record. */
function notedKey({ table }: View, text: string): RecordKey | undefined {
  const parts = JSON.parse(text) as readonly (string | null)[];
  return parts.length === table.key.length ? decodedKey(table.key, parts) : undefined;
}

/** The number before everything that was noted within the overlap. */
async function earlier(
  database: MysqlDatabase,
  { schema }: View,
  { outbox }: Capture,
  { sequence }: Place,
  overlapMs: number,
): Promise<number> {
  const passed = `relation = ${textLiteral(schema.name)} AND sequence <= ${sequence}`;
  const [[found] = []] = await database.all(
    `SELECT max(sequence) FROM ${outbox} WHERE ${passed} AND at <
       (SELECT max(o.at) FROM ${outbox} AS o WHERE ${passed}) - INTERVAL ${Math.trunc(overlapMs) * 1000} MICROSECOND`,
  );
  return Number(found ?? 0);
}

/** What the present transaction notes, as its triggers write it down. */
export interface Signing {
  readonly token: string;
  /** Every number that it gets is greater. */
  readonly after: number;
}

export async function beginSigning(
  transaction: MysqlTransaction,
  { outbox }: Capture,
  token: string,
): Promise<Signing> {
  const [[after] = []] = await transaction.all(`SELECT max(sequence) FROM ${outbox}`);
  await transaction.run([`SET @lockstep_origin = ${textLiteral(token)}`]);
  return { token, after: Number(after ?? 0) };
}

/**
 * Marks what the transaction noted of these records as written by the view's origin, so that it
 * does not come back to it. What triggers did to other records is not marked.
 */
export async function signWrites(
  transaction: MysqlTransaction,
  view: View,
  { token, after }: Signing,
  keys: ReadonlySet<RecordKey>,
): Promise<void> {
  const { capture } = view.table;
  const { origin } = view;
  if (capture === undefined || origin === undefined) return;
  const ours = `sequence > ${after} AND origin = ${textLiteral(token)}`;
  const rows = await transaction.all(
    `SELECT sequence, \`key\` FROM ${capture.outbox}
     WHERE ${ours} AND relation = ${textLiteral(view.schema.name)}`,
  );
  const own = rows.flatMap(([sequence, text]) => {
    const key = notedKey(view, String(text));
    return key !== undefined && keys.has(key) ? [String(sequence)] : [];
  });
  await transaction.run([
    ...(own.length === 0
      ? []
      : [
          `UPDATE ${capture.outbox} SET origin = ${textLiteral(origin)}
           WHERE ${ours} AND sequence IN (${own.join(", ")})`,
        ]),
    `UPDATE ${capture.outbox} SET origin = NULL WHERE ${ours}`,
  ]);
}

/** Removes what this reader has passed for good and what is older than is to be kept. */
async function trim(
  database: MysqlDatabase,
  { schema }: View,
  { outbox, registry, keepDays, maySign }: Capture,
  { sequence }: Place,
): Promise<void> {
  if (!maySign) return;
  const relation = `relation = ${textLiteral(schema.name)}`;
  // The newest number of all stays, so that it is not given once more.
  const old = `${relation} AND sequence <= ${sequence}
    AND at < UTC_TIMESTAMP(6) - INTERVAL ${keepDays} DAY
    AND sequence < (SELECT newest FROM (SELECT max(sequence) AS newest FROM ${outbox}) AS o)`;
  const [[last] = []] = await database.all(`SELECT max(sequence) FROM ${outbox} WHERE ${old}`);
  if (last === null || last === undefined) return;
  try {
    await database.transaction((transaction) =>
      transaction.run([
        `DELETE FROM ${outbox} WHERE ${old}`,
        `UPDATE ${registry} SET trimmed = greatest(trimmed, ${last}) WHERE ${relation}`,
      ]),
    );
  } catch (error) {
    // Who may not remove anything leaves that to those who may.
    if (!isSyncError(error) || error.code !== "SYSTEM_READ_ONLY") throw error;
  }
}
