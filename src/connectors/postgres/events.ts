import type { PostgresDatabase, PostgresQueries, SqlRow } from "../../drivers/postgres/database.ts";
import { packColumns, unpack } from "../../drivers/postgres/packed.ts";
import type { RecordKey } from "../../model/record.ts";
import { literal } from "../sql/captures.ts";
import { type EventPlace, type EventSql, expired, type NotedChange } from "../sql/events.ts";
import { decodedKey } from "../sql/rows.ts";
import { textsOfKeys } from "../sql/text-cells.ts";
import type { Capture } from "./captures.ts";
import type { Table } from "./catalog.ts";
import type { Column } from "./column.ts";
import type { View } from "./read.ts";

/** A row of a transaction. */
interface Place extends EventPlace {
  readonly xact: string;
  readonly sequence: string;
}

const DIGITS = /^\d{1,20}$/;

export function createEventSql(database: PostgresDatabase): EventSql<Column, Table, Place> {
  return {
    /**
     * After all of transactions that have ended. What a transaction that still runs has noted is
     * not seen by a walk that begins now, and comes after this.
     */
    async newest({ id }) {
      const [xact = "0"] =
        (await database.get("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")) ?? [];
      return { kind: "events", capture: id, xact: String(xact), sequence: "0" };
    },
    placeIn({ capture, xact, sequence }) {
      const isWhole = DIGITS.test(String(xact)) && DIGITS.test(String(sequence));
      if (typeof capture !== "string" || !isWhole) return undefined;
      return { kind: "events", capture, xact: String(xact), sequence: String(sequence) };
    },
    isAfter(one, other) {
      const [mine, its] = [BigInt(one.xact), BigInt(other.xact)];
      return mine > its || (mine === its && BigInt(one.sequence) > BigInt(other.sequence));
    },
    async lostSince({ schema }, { registry }, { xact, sequence }) {
      const [isKept, isPast] =
        (await database.get(
          `SELECT (c.trimmed_xact, c.trimmed_sequence) <= ($2::text::xid8, $3::text::bigint),
             $2::text::xid8 < pg_snapshot_xmax(pg_current_snapshot())
           FROM ${registry} AS c WHERE c.relation = $1`,
          [schema.name, xact, sequence],
        )) ?? [];
      if (isKept !== "t") return "changes after it are no longer kept";
      // The head of a server on which nothing is being written is one further than what was.
      const isAhead = isPast !== "t" && sequence !== "0";
      return isAhead ? "the database was put back to an earlier state" : undefined;
    },
    changesAfter(view, capture, { place, overlapMs, size }) {
      const from = overlapMs === 0 ? after(place) : notBefore(view, capture, place, overlapMs);
      return changesWhere(database, view, capture, { from, place, size });
    },
    trim: (view, capture, place) => trim(database, view, capture, place),
  };
}

const after = ({ xact, sequence }: Place): string =>
  `(o.xact, o.sequence) > (${literal(xact)}::xid8, ${literal(sequence)}::bigint)`;

function notBefore(view: View, { outbox }: Capture, place: Place, overlapMs: number): string {
  const passed = `(o.xact, o.sequence) <= (${literal(place.xact)}::xid8, ${literal(place.sequence)}::bigint)`;
  return `(${after(place)} OR o.at >= (SELECT max(o.at) FROM ${outbox} AS o
    WHERE o.relation = ${literal(view.schema.name)} AND ${passed})
    - interval '${Math.trunc(overlapMs)} milliseconds')`;
}

/**
 * Up to `size` noted changes in the order of (transaction, sequence), only of transactions older
 * than any that still runs: a later one can then only be noted after them.
 */
async function changesWhere(
  queries: PostgresQueries,
  view: View,
  { outbox }: Capture,
  { from, place, size }: { readonly from: string; readonly place: Place; readonly size: number },
): Promise<readonly NotedChange<Place>[]> {
  const { table, origin } = view;
  const key = table.key.map(({ sql, again }, at) => `${again(`(o.key->>${at})`)} AS ${sql}`);
  const own = origin === undefined ? "false" : `coalesce(o.origin = ${literal(origin)}, false)`;
  const rows = await queries.all(
    `SELECT o.xact::text, o.sequence, o.key IS NULL, ${own},
       to_char(o.at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), ${table.key.map(({ read }) => read).join(", ")}
     FROM (SELECT * FROM ${outbox} AS o
       WHERE o.relation = ${literal(view.schema.name)} AND ${from}
         AND o.xact < pg_snapshot_xmin(pg_current_snapshot())
       ORDER BY o.xact, o.sequence LIMIT ${size}) AS o
     CROSS JOIN LATERAL (SELECT ${key.join(", ")}) AS t
     ORDER BY o.xact, o.sequence`,
  );
  return rows.map((row) => noted(view, place, row));
}

function noted(
  view: View,
  place: Place,
  [xact, sequence, isTruncate, own, at, ...parts]: SqlRow,
): NotedChange<Place> {
  if (isTruncate === "t") {
    throw expired(view, "the table was truncated since, which names no keys");
  }
  const key = own === "t" ? undefined : decodedKey(view.table.key, parts);
  if (key === undefined && own !== "t") {
    throw expired(view, "a noted change has a key that cannot be read");
  }
  const there = { ...place, xact: String(xact), sequence: String(sequence) };
  return { place: there, at: String(at), key };
}

/**
 * Marks what the present transaction noted of these records as written by the view's origin, so
 * that it does not come back to it. What triggers and cascades did to other records is not marked,
 * nor what they made of these after they were written, unless they are read again then.
 */
export async function signWrites(
  transaction: PostgresQueries,
  { table, schema, origin }: View,
  keys: readonly RecordKey[],
): Promise<void> {
  const { capture } = table;
  if (capture?.maySign !== true || origin === undefined) return;
  const texts = textsOfKeys(table, keys);
  const first = `AND o.sequence IN (SELECT min(e.sequence) FROM ${capture.outbox} AS e
    WHERE e.relation = ${literal(schema.name)} AND e.xact = pg_current_xact_id() GROUP BY e.key)`;
  const columns = table.key.map((_key, at) => texts.map((each) => each[at] ?? ""));
  const { parameters } = packColumns(columns);
  const match = table.key.map(
    ({ from, again }, at) => `${again(`(o.key->>${at})`)} = ${from(`r.k${at}`)}`,
  );
  await transaction.run(
    `UPDATE ${capture.outbox} AS o SET origin = ${literal(origin)}
     FROM unnest(${table.key.map((_key, at) => unpack(at, "text")).join(", ")})
       AS r (${table.key.map((_key, at) => `k${at}`).join(", ")})
     WHERE o.relation = ${literal(schema.name)} AND o.xact = pg_current_xact_id()
       AND r.k0 IS NOT NULL AND ${match.join(" AND ")} ${table.isReadBack ? "" : first}`,
    parameters,
  );
}

/** Removes what this reader has passed for good and what is older than is to be kept. */
async function trim(
  database: PostgresDatabase,
  { schema }: View,
  { outbox, registry, keepDays, mayTrim }: Capture,
  { xact, sequence }: Place,
): Promise<void> {
  if (!mayTrim) return;
  const relation = literal(schema.name);
  await database.run(
    `WITH gone AS (DELETE FROM ${outbox} WHERE relation = ${relation}
       AND at < now() - interval '${keepDays} days'
       AND (xact, sequence) <= (${literal(xact)}::xid8, ${literal(sequence)}::bigint)
       RETURNING xact, sequence)
     UPDATE ${registry} AS c SET trimmed_xact = g.xact, trimmed_sequence = g.sequence
     FROM (SELECT xact, sequence FROM gone ORDER BY xact DESC, sequence DESC LIMIT 1) AS g
     WHERE c.relation = ${relation} AND (c.trimmed_xact, c.trimmed_sequence) < (g.xact, g.sequence)`,
  );
}
