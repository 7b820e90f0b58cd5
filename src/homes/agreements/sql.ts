import type { DigestBuckets } from "../../model/digest.ts";
import type { KnownDigests, KnownRecord } from "../../ports/agreements.ts";
import type { Lease } from "../../ports/home.ts";

/** One column of a row; a number may come as its text. */
export type Cell = string | number | bigint | null;
export type Row = readonly Cell[];
export type Parameter = string | number | null | Relation;

/** One statement; `$1`, `$2`, … are its parameters. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
  /** Performed once for each of these, in place of `parameters`; on SQLite, by `update` alone. */
  readonly each?: readonly (readonly Cell[])[];
}

/** Names and types of a relation's columns, in the words that both databases know. */
export type Columns = Readonly<Record<string, "text" | "bigint">>;

/** Rows as a statement's parameter, which reads them as a table. */
export interface Relation {
  readonly columns: Columns;
  readonly rows: readonly Readonly<Record<string, string | number | null>>[];
}

export function relationOf<C extends Columns>(
  columns: C,
  rows: readonly Readonly<Record<keyof C, string | number | null>>[],
): Relation {
  return { columns, rows };
}

/** A relation of one column. */
export function columnOf(
  name: string,
  type: Columns[string],
  values: readonly (string | number)[],
): Relation {
  return relationOf(
    { [name]: type },
    values.map((value) => ({ [name]: value })),
  );
}

export function isRelation(parameter: Parameter): parameter is Relation {
  return typeof parameter === "object" && parameter !== null;
}

/** What `AgreementSql.update` sets. */
export function updatedColumns({ columns }: Relation): readonly string[] {
  return Object.keys(columns).filter((name) => name !== "id");
}

/**
 * The digests of a side's rows in a table of the home that has the columns `sync`, `side`, `id` and
 * `digest`: very many at once, by whatever way is the shortest for the database.
 */
export interface DigestReader {
  sums(table: string, sync: string, side: string, bits: number): Promise<KnownDigests>;
  /** Rows whose digest is in the buckets and rows without one, in batches, in no particular order. */
  within(
    table: string,
    sync: string,
    side: string,
    buckets: DigestBuckets,
  ): AsyncIterable<readonly Pick<KnownRecord, "row" | "digest">[]>;
}

/**
 * What SQLite and PostgreSQL must each say in their own way, so that everything else about
 * agreements is written once. Statements use what both understand: `ON CONFLICT`, `UPDATE … FROM`,
 * `IS DISTINCT FROM`.
 */
export interface AgreementSql {
  /** The home's table of that name as SQL text. */
  readonly table: (name: string) => string;
  /**
   * The relation that is the parameter of that number, as SQL text. It stands first in a
   * `CROSS JOIN`, whose order SQLite keeps: it would else read all of it for each row.
   */
  readonly relation: (parameter: number, relation: Relation) => string;
  /** Sets the relation's columns in rows of the table, which are found by its column `id`. */
  readonly update: (table: string, relation: Relation) => Statement;
  readonly digests: DigestReader;
  /** A text as the database can keep and compare it, and back. */
  readonly storeText: (text: string) => string;
  readonly readText: (stored: string) => string;
  all(sql: string, parameters: readonly Parameter[]): Promise<readonly Row[]>;
  /** All of them in one transaction; under a lease, only while nobody took it over. */
  write(statements: readonly Statement[], lease?: Lease): Promise<void>;
  /**
   * The same for what would be made anew: nobody waits for the disk, so that a power cut may take
   * back what was written since the last `write`. What `write` keeps comes after all of this.
   */
  writeUnsynced(statements: readonly Statement[], lease: Lease): Promise<void>;
}
