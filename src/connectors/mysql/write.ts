import { randomUUID } from "node:crypto";
import { type RecordKey, recordKey } from "../../model/record.ts";
import type { WriteOperation, WriteOutcome } from "../../ports/connector.ts";
import { keyOf, shown } from "../sql/rows.ts";
import { ALWAYS } from "../sql/table.ts";
import { keyTexts } from "../sql/text-cells.ts";
import { lost, writeTraits } from "../sql/writes.ts";
import type { Done, MysqlDatabase, MysqlTransaction } from "./database.ts";
import { isRowRefusal } from "./errors.ts";
import { beginSigning, signWrites } from "./events.ts";
import { rowsOfKeys, selectList, type View } from "./read.ts";
import { isTaken, problemOf } from "./refusal.ts";
import { inOrder, type Prepared, prepare } from "./write-plan.ts";

interface Writing {
  readonly transaction: MysqlTransaction;
  /** Without the query's filter: what stands in the way does so whether it is shown or not. */
  readonly view: View;
  readonly outcomes: (WriteOutcome | undefined)[];
  /** Keys of what was written, by the operation's place. */
  readonly written: Map<number, RecordKey>;
}

/** Statements of one trip: at most so many, and about so many characters. */
const TRIP = 100;
const TRIP_CHARACTERS = 1_000_000;

/**
 * Performs the operations in one transaction, a statement each, many of them in one trip. What is
 * expected stands in the statement's own condition, so that nobody comes between. Where the server
 * refuses one the trip is undone and halved, down to the record that is refused.
 */
export async function writeOperations(
  database: MysqlDatabase,
  shownView: View,
  operations: readonly WriteOperation[],
  signal: AbortSignal,
): Promise<readonly WriteOutcome[]> {
  const view = { ...shownView, filter: ALWAYS };
  const { schema, readOnlyBecause = "" } = view.table;
  writeTraits(schema, operations.length, readOnlyBecause);
  if (operations.length === 0) return [];
  const outcomes: (WriteOutcome | undefined)[] = operations.map(() => undefined);
  const prepared: Prepared[] = [];
  for (const [at, operation] of operations.entries()) {
    const made = prepare(view, operation, at);
    if ("code" in made) outcomes[at] = { kind: "rejected", problem: made };
    else prepared.push(made);
  }
  await database.transaction(async (transaction) => {
    const { capture } = view.table;
    const signing =
      capture?.maySign === true && view.origin !== undefined
        ? await beginSigning(transaction, capture, randomUUID())
        : undefined;
    const writing: Writing = { transaction, view, outcomes, written: new Map() };
    for (const trip of tripsOf(inOrder(prepared))) {
      signal.throwIfAborted();
      await writeTrip(writing, trip);
    }
    await readBack(writing, prepared);
    if (signing !== undefined) {
      await signWrites(transaction, view, signing, keysOf(operations, outcomes));
    }
    signal.throwIfAborted();
  });
  return outcomes.map((outcome) => outcome ?? lost());
}

/** Of the records that the operations are about, as they were and as they are. */
function keysOf(
  operations: readonly WriteOperation[],
  outcomes: readonly (WriteOutcome | undefined)[],
): ReadonlySet<RecordKey> {
  const named = operations.flatMap(({ key }) => key ?? []);
  const stored = outcomes.flatMap((outcome) =>
    outcome?.kind === "written" && outcome.stored !== null ? [outcome.stored.key] : [],
  );
  return new Set([...named, ...stored]);
}

function tripsOf(prepared: readonly Prepared[]): readonly (readonly Prepared[])[] {
  const trips: Prepared[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const each of prepared) {
    if (each.statement === undefined) continue;
    const trip = trips.at(-1);
    characters += each.statement.length;
    if (trip === undefined || trip.length >= TRIP || characters > TRIP_CHARACTERS) {
      trips.push([each]);
      characters = each.statement.length;
    } else {
      trip.push(each);
    }
  }
  return trips;
}

/** Leaves an operation without a written key where its statement did nothing for it. */
async function writeTrip(writing: Writing, trip: readonly Prepared[]): Promise<void> {
  const { transaction, view, outcomes } = writing;
  try {
    const [, ...done] = await transaction.run([
      "SAVEPOINT lockstep_trip",
      ...trip.map(({ statement = "" }) => statement),
    ]);
    for (const [nth, each] of trip.entries()) tell(writing, each, done[nth]);
    return;
  } catch (error) {
    if (!isRowRefusal(error)) throw error;
    await transaction.run(["ROLLBACK TO SAVEPOINT lockstep_trip"]);
    const [only] = trip;
    if (trip.length === 1 && only !== undefined) {
      // Whether the key itself is taken is told by what stands there.
      if (only.operation.kind === "create" && isTaken(error) && only.key !== undefined) {
        const there = await rowsOfKeys(transaction, view, [only.key]);
        if (there.size > 0) return;
      }
      outcomes[only.at] = { kind: "rejected", problem: problemOf(view, only.operation, error) };
      return;
    }
  }
  const middle = Math.ceil(trip.length / 2);
  for (const half of [trip.slice(0, middle), trip.slice(middle)]) await writeTrip(writing, half);
}

function tell({ written, outcomes }: Writing, { at, operation, key }: Prepared, done?: Done): void {
  if (done === undefined || done.rows === 0) return;
  if (operation.kind === "delete") outcomes[at] = { kind: "written", stored: null };
  else written.set(at, key ?? recordKey([done.insertId]));
}

/**
 * What stands there now: of what was written, since triggers and types may have changed it, and
 * of what was not, since that tells why.
 */
async function readBack(
  { transaction, view, outcomes, written }: Writing,
  prepared: readonly Prepared[],
): Promise<void> {
  const open = prepared.filter(({ at }) => outcomes[at] === undefined);
  const keyOfEach = ({ at, operation }: Prepared): RecordKey | undefined =>
    written.get(at) ?? ("key" in operation ? operation.key : undefined);
  const keys = open.flatMap((each) => keyOfEach(each) ?? each.key ?? []);
  const rows = await rowsOfKeys(transaction, view, keys);
  for (const each of open) {
    const key = keyOfEach(each) ?? each.key;
    const row = key === undefined ? undefined : rows.get(key);
    const record = row === undefined ? null : shown(view, row);
    if (written.has(each.at)) {
      const stored = record ?? (await spelledOtherwise(transaction, view, key));
      outcomes[each.at] = { kind: "written", stored };
    } else if (record === null && each.operation.kind === "delete") {
      outcomes[each.at] = { kind: "written", stored: null };
    } else {
      outcomes[each.at] = { kind: "conflict", current: record };
    }
  }
}

/** A key that the column writes in its own way, such as a UUID in capitals. */
async function spelledOtherwise(
  transaction: MysqlTransaction,
  view: View,
  key: RecordKey | undefined,
): Promise<ReturnType<typeof shown> | null> {
  const literals = key === undefined ? undefined : keyTexts(view.table, key);
  if (literals === undefined) return null;
  const found = view.table.key.map(({ sql }, at) => `t.${sql} = ${literals[at]}`).join(" AND ");
  const [row] = await transaction.all(
    `SELECT ${selectList(view)} FROM ${view.table.sql} AS t WHERE ${found} LIMIT 1`,
  );
  return row === undefined || keyOf(view, row) === undefined ? null : shown(view, row);
}
