import type { PostgresTransaction, SqlParameter, SqlRow } from "../../drivers/postgres/database.ts";
import { packColumns, unpack } from "../../drivers/postgres/packed.ts";
import type { WriteOutcome } from "../../ports/connector.ts";
import { keyOf, shown } from "../sql/rows.ts";
import type { Cell } from "../sql/text-cells.ts";
import { selectList, type View } from "./read.ts";
import type { Group, Prepared } from "./write-plan.ts";

/** One write on its way; an operation has no outcome while nothing was done for it. */
export interface Writing {
  readonly transaction: PostgresTransaction;
  readonly view: View;
  readonly outcomes: (WriteOutcome | undefined)[];
}

/** Rows came back that cannot be told apart: their keys are not those that were sent. */
export class KeysMoved extends Error {}

/** Tables of texts as the relation `r`: `n` is the operation's place, then the named columns. */
interface Sent {
  readonly from: string;
  readonly parameters: readonly SqlParameter[];
}

function sent(
  { operations }: Group,
  names: readonly string[],
  texts: (operation: Prepared) => readonly (string | null)[],
): Sent {
  const rows = operations.map((each) => [String(each.at), ...texts(each)]);
  const all = ["n", ...names];
  const { parameters } = packColumns(all.map((_name, at) => rows.map((row) => row[at] ?? null)));
  const arrays = all.map((_name, at) => unpack(at, "text")).join(", ");
  return { from: `unnest(${arrays}) AS r (${all.join(", ")})`, parameters };
}

const numbered = (letter: string, cells: readonly unknown[]): readonly string[] =>
  cells.map((_cell, at) => `${letter}${at}`);

const textsOf = (cells: readonly Cell[]): readonly (string | null)[] =>
  cells.map(({ text }) => text);

/** The condition that the row of `t` is the operation's and holds what it expects. */
function condition({ table }: View, { expects, version }: Prepared): string {
  const key = table.key.map(({ sql, from }, at) => `t.${sql} = ${from(`r.k${at}`)}`);
  const held = expects.map(({ column }, at) => column.holds(`r.e${at}`));
  const same = version === undefined ? [] : ["t.xmin = r.x::xid"];
  return ["r.n IS NOT NULL", ...key, ...held, ...same].join(" AND ");
}

function expecting(group: Group, first: Prepared): Sent {
  const { keyTexts, writes, expects, version } = first;
  const names = [
    ...numbered("k", keyTexts),
    ...numbered("v", writes),
    ...numbered("e", expects),
    ...(version === undefined ? [] : ["x"]),
  ];
  return sent(group, names, (each) => [
    ...each.keyTexts,
    ...textsOf(each.writes),
    ...textsOf(each.expects),
    ...(version === undefined ? [] : [each.version ?? null]),
  ]);
}

export async function updateGroup(
  { transaction, view, outcomes }: Writing,
  group: Group,
): Promise<void> {
  const [first] = group.operations;
  if (first === undefined) return;
  const { from, parameters } = expecting(group, first);
  const where = condition(view, first);
  const set = first.writes.map(({ column }, at) => `${column.sql} = ${column.from(`r.v${at}`)}`);
  const { sql } = view.table;
  const statement =
    set.length === 0
      ? `SELECT r.n, ${selectList(view, false)} FROM ${sql} AS t, ${from} WHERE ${where} FOR UPDATE OF t`
      : `UPDATE ${sql} AS t SET ${set.join(", ")} FROM ${from} WHERE ${where}
         RETURNING r.n, ${selectList(view, false)}`;
  for (const [n, ...row] of await transaction.all(statement, parameters)) {
    outcomes[Number(n)] = { kind: "written", stored: shown(view, row) };
  }
}

export async function deleteGroup(
  { transaction, view, outcomes }: Writing,
  group: Group,
): Promise<void> {
  const [first] = group.operations;
  if (first === undefined) return;
  const { from, parameters } = expecting(group, first);
  const deleted = await transaction.all(
    `DELETE FROM ${view.table.sql} AS t USING ${from} WHERE ${condition(view, first)} RETURNING r.n`,
    parameters,
  );
  for (const [n] of deleted) outcomes[Number(n)] = { kind: "written", stored: null };
}

export async function insertGroup(writing: Writing, group: Group): Promise<void> {
  const { transaction, view } = writing;
  const { table } = view;
  const [first] = group.operations;
  if (first === undefined) return;
  const { writes } = first;
  const names = numbered("v", writes);
  const { from, parameters } = sent(group, names, (each) => textsOf(each.writes));
  const columns = writes.map(({ column }) => column.sql).join(", ");
  const values = writes.map(({ column }, at) => column.from(`r.v${at}`)).join(", ");
  const isKeyed = first.keyTexts.length > 0;
  const overrides = isKeyed && table.key.some(({ declared }) => declared.identity === "a");
  const onConflict =
    isKeyed && table.arbitrates
      ? `ON CONFLICT (${table.key.map(({ sql }) => sql).join(", ")}) DO NOTHING`
      : "";
  if (writes.length === 0 && group.operations.length > 1) throw new KeysMoved();
  const rows =
    writes.length === 0
      ? await transaction.all(
          `INSERT INTO ${table.sql} AS t DEFAULT VALUES RETURNING ${selectList(view, false)}`,
        )
      : await transaction.all(
          `INSERT INTO ${table.sql} AS t (${columns}) ${overrides ? "OVERRIDING SYSTEM VALUE" : ""}
           SELECT ${values} FROM ${from} WHERE r.n IS NOT NULL ORDER BY r.n::integer ${onConflict}
           RETURNING ${selectList(view, false)}`,
          parameters,
        );
  if (isKeyed) tellByKey(writing, group, rows);
  else tellInOrder(writing, group, rows);
}

/** One row alone is the operation's, whatever key it has got. */
function tellByKey(
  { view, outcomes }: Writing,
  { operations }: Group,
  rows: readonly SqlRow[],
): void {
  const [only] = operations;
  const [row] = rows;
  if (operations.length === 1 && only !== undefined) {
    if (row !== undefined) outcomes[only.at] = { kind: "written", stored: shown(view, row) };
    return;
  }
  const places = new Map(operations.map(({ key, at }) => [key, at]));
  for (const each of rows) {
    const at = places.get(keyOf(view, each));
    if (at === undefined) throw new KeysMoved();
    outcomes[at] = { kind: "written", stored: shown(view, each) };
  }
}

/** Rows are inserted, and given back, in the order that the statement sorts them into. */
function tellInOrder(
  { view, outcomes }: Writing,
  { operations }: Group,
  rows: readonly SqlRow[],
): void {
  if (rows.length !== operations.length && operations.length > 1) throw new KeysMoved();
  for (const [nth, row] of rows.entries()) {
    const at = operations[nth]?.at;
    if (at !== undefined) outcomes[at] = { kind: "written", stored: shown(view, row) };
  }
}
