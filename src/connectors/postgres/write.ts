import type { PostgresDatabase } from "../../drivers/postgres/database.ts";
import { isRowRefusal } from "../../drivers/postgres/errors.ts";
import type { RecordKey, StreamRecord } from "../../model/record.ts";
import type { WriteOperation, WriteOutcome } from "../../ports/connector.ts";
import { literal } from "../sql/captures.ts";
import { shown } from "../sql/rows.ts";
import { ALWAYS } from "../sql/table.ts";
import { holds, lost, writeTraits } from "../sql/writes.ts";
import { signWrites } from "./events.ts";
import { rowsOfKeys, type View } from "./read.ts";
import { isTaken, passedOver, problemOf } from "./refusal.ts";
import { type Group, groupsOf, type Prepared, prepare } from "./write-plan.ts";
import {
  deleteGroup,
  insertGroup,
  KeysMoved,
  updateGroup,
  type Writing,
} from "./write-statements.ts";

interface WriteOptions {
  readonly signal: AbortSignal;
  /** Kept in the setting `lockstep.origin` of the transaction, so that triggers can tell our writes. */
  readonly origin: string;
}

/**
 * Performs the operations in one transaction: operations of one shape in one statement, halved
 * where the server refuses it, down to the record that it refuses. What is expected stands in the
 * statement's own condition, so that nobody comes between.
 */
export async function writeOperations(
  database: PostgresDatabase,
  view: View,
  operations: readonly WriteOperation[],
  { signal, origin }: WriteOptions,
): Promise<readonly WriteOutcome[]> {
  const why = "it is a view, its key is not kept unique, or this login may not write it";
  writeTraits(view.table.schema, operations.length, why);
  if (operations.length === 0) return [];
  const outcomes: (WriteOutcome | undefined)[] = operations.map(() => undefined);
  const prepared: Prepared[] = [];
  for (const [at, operation] of operations.entries()) {
    const made = prepare(view, operation, at);
    if ("code" in made) outcomes[at] = { kind: "rejected", problem: made };
    else prepared.push(made);
  }
  await database.transaction(async (transaction) => {
    // A constraint that waits for the end of the transaction would take all of it down with it.
    await transaction.run(
      `SET CONSTRAINTS ALL IMMEDIATE; SELECT set_config('lockstep.origin', ${literal(origin)}, true)`,
    );
    const writing: Writing = { transaction, view, outcomes };
    for (const group of groupsOf(prepared)) {
      signal.throwIfAborted();
      await writeGroup(writing, group);
    }
    await settle(writing, prepared);
    if (view.table.isReadBack) await readBack(writing);
    await signWrites(transaction, view, keysOf(operations, outcomes));
    signal.throwIfAborted();
  });
  return outcomes.map((outcome) => outcome ?? lost());
}

/** Leaves an operation without outcome where its statement did nothing for it. */
async function writeGroup(writing: Writing, group: Group): Promise<void> {
  const { transaction, view, outcomes } = writing;
  await transaction.run("SAVEPOINT lockstep_group");
  try {
    await perform(writing, group);
    await transaction.run("RELEASE SAVEPOINT lockstep_group");
    return;
  } catch (error) {
    if (!isRowRefusal(error) && !(error instanceof KeysMoved)) throw error;
    await transaction.run("ROLLBACK TO SAVEPOINT lockstep_group");
    for (const { at } of group.operations) outcomes[at] = undefined;
    const [first] = group.operations;
    if (group.operations.length === 1 && first !== undefined) {
      // Whether the key itself is taken is told by what stands there.
      if (first.operation.kind === "create" && isTaken(error) && first.key !== undefined) {
        const there = await rowsOfKeys(transaction, view, [first.key]);
        if (there.size > 0) return;
      }
      outcomes[first.at] = { kind: "rejected", problem: problemOf(view, error) };
      return;
    }
  }
  const middle = Math.ceil(group.operations.length / 2);
  const halves = [group.operations.slice(0, middle), group.operations.slice(middle)];
  for (const operations of halves) await writeGroup(writing, { ...group, operations });
}

function perform(writing: Writing, group: Group): Promise<void> {
  switch (group.kind) {
    case "create":
      return insertGroup(writing, group);
    case "update":
      return updateGroup(writing, group);
    case "delete":
      return deleteGroup(writing, group);
  }
}

/** Tells, for operations that did nothing, what stands there instead. */
async function settle(
  { transaction, view, outcomes }: Writing,
  prepared: readonly Prepared[],
): Promise<void> {
  const open = prepared.filter(({ at }) => outcomes[at] === undefined);
  const keys = open.flatMap(({ key }) => key ?? []);
  // A filter leaves out records that stand in the way all the same.
  const rows = await rowsOfKeys(transaction, { ...view, filter: ALWAYS }, keys);
  for (const { at, key, operation } of open) {
    const row = key === undefined ? undefined : rows.get(key);
    const current = row === undefined ? null : shown(view, row);
    outcomes[at] = outcomeOf(view, operation, current);
  }
}

function outcomeOf(
  view: View,
  operation: WriteOperation,
  current: StreamRecord | null,
): WriteOutcome {
  if (current === null && operation.kind === "delete") return { kind: "written", stored: null };
  const isInTheWay = operation.kind === "create" && current !== null;
  const isGone = operation.kind === "update" && current === null;
  const isOther =
    operation.kind !== "create" && current !== null && !holds(view, operation.expected, current);
  if (isInTheWay || isGone || isOther) return { kind: "conflict", current };
  return { kind: "rejected", problem: passedOver(view) };
}

/** The keys that the operations are about, and those that their records have now. */
function keysOf(
  operations: readonly WriteOperation[],
  outcomes: readonly (WriteOutcome | undefined)[],
): readonly RecordKey[] {
  const stored = outcomes.flatMap((outcome) =>
    outcome?.kind === "written" && outcome.stored !== null ? [outcome.stored.key] : [],
  );
  return [...new Set([...operations.flatMap(({ key }) => key ?? []), ...stored])];
}

/** What a statement gave back of a row is not all, or not true any more. */
async function readBack({ transaction, view, outcomes }: Writing): Promise<void> {
  const stored = outcomes.flatMap((outcome): RecordKey[] =>
    outcome?.kind === "written" && outcome.stored !== null ? [outcome.stored.key] : [],
  );
  const rows = await rowsOfKeys(transaction, { ...view, filter: ALWAYS }, stored);
  for (const [at, outcome] of outcomes.entries()) {
    if (outcome?.kind !== "written" || outcome.stored === null) continue;
    const row = rows.get(outcome.stored.key);
    outcomes[at] = { kind: "written", stored: row === undefined ? null : shown(view, row) };
  }
}
