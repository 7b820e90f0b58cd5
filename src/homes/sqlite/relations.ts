import type { SqliteDatabase, SqlParameter } from "../../drivers/sqlite/database.ts";
import { type Columns, isRelation, type Parameter, type Relation } from "../agreements/sql.ts";

/** Rows that one statement inserts; more gain nothing. */
const ROWS_AT_ONCE = 25;

/** Beyond it SQLite takes a temporary file, for which not every machine has a place. */
const CACHE_KIBIBYTES = 65_536;

const TYPES = { text: "TEXT", bigint: "INTEGER" } as const;

/**
 * Relations of statements, held in temporary tables while these run. Taking rows apart from a JSON
 * text, which SQLite could as well, costs four times as much.
 */
export interface Relations {
  /** What a statement reads, whose parameter of that number is such a relation. */
  text(parameter: number, relation: Relation): string;
  /** Puts the statement's relations in their tables; gives what is to be bound to it. */
  hold(parameters: readonly Parameter[]): readonly SqlParameter[];
  /** Empties the tables. */
  release(): void;
  /** After an error: what the tables hold, and whether they are there, is not known any more. */
  forget(): void;
}

/** The statements that a table is filled by. */
interface Held {
  readonly clear: string;
  readonly insertOne: string;
  readonly insertMany: string;
}

export function createRelations(database: SqliteDatabase): Relations {
  database.exec(`PRAGMA temp.cache_size = -${CACHE_KIBIBYTES}`);
  const made = new Map<string, Held>();
  /** By table; the statements of one transaction share some. */
  const held = new Map<string, Relation>();

  const make = (table: string, columns: Columns): Held => {
    const known = made.get(table);
    if (known !== undefined) return known;
    const typed = Object.entries(columns).map(([name, type]) => `${name} ${TYPES[type]}`);
    database.exec(`CREATE TEMP TABLE IF NOT EXISTS ${table} (${typed.join(", ")})`);
    const row = `(${typed.map(() => "?").join(", ")})`;
    const insert = (rows: number): string =>
      `INSERT INTO temp.${table} VALUES ${Array.from({ length: rows }, () => row).join(", ")}`;
    const texts = {
      clear: clearing(table),
      insertOne: insert(1),
      insertMany: insert(ROWS_AT_ONCE),
    };
    made.set(table, texts);
    return texts;
  };

  const fill = (table: string, relation: Relation): void => {
    if (held.get(table) === relation) return;
    const texts = make(table, relation.columns);
    held.delete(table);
    database.prepare(texts.clear).run();
    insertRows(database, texts, relation);
    held.set(table, relation);
  };

  return {
    text: (parameter, { columns }) => `temp.${tableOf(parameter, columns)}`,
    hold(parameters) {
      for (const [at, one] of parameters.entries()) {
        if (isRelation(one)) fill(tableOf(at + 1, one.columns), one);
      }
      const last = parameters.findLastIndex((one) => !isRelation(one));
      return parameters.slice(0, last + 1).map((one) => (isRelation(one) ? null : one));
    },
    release() {
      for (const table of held.keys()) database.prepare(clearing(table)).run();
      held.clear();
    },
    forget() {
      held.clear();
      made.clear();
    },
  };
}

/** A name of its own for each shape and place, so that no statement is prepared twice. */
function tableOf(parameter: number, columns: Columns): string {
  const typed = Object.entries(columns).map(([name, type]) => `${name}_${type}`);
  return `lockstep_rows_${parameter}_${typed.join("_")}`;
}

function clearing(table: string): string {
  return `DELETE FROM temp.${table}`;
}

function insertRows(
  database: SqliteDatabase,
  { insertOne, insertMany }: Held,
  { columns, rows }: Relation,
): void {
  const names = Object.keys(columns);
  const cells = (from: number, to: number): readonly SqlParameter[] =>
    rows.slice(from, to).flatMap((row) => names.map((name) => row[name] ?? null));
  let at = 0;
  for (; at + ROWS_AT_ONCE <= rows.length; at += ROWS_AT_ONCE) {
    database.prepare(insertMany).run(cells(at, at + ROWS_AT_ONCE));
  }
  for (; at < rows.length; at += 1) database.prepare(insertOne).run(cells(at, at + 1));
}
