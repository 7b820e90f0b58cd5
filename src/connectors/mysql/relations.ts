import type { DeclaredColumn } from "./column.ts";
import type { MysqlDatabase, SqlRow } from "./database.ts";

/** A table or view as information_schema tells of it; only what the login may read. */
export interface Relation {
  readonly name: string;
  readonly isView: boolean;
  readonly engine: string;
  readonly hasTransactions: boolean;
  readonly mayWrite: boolean;
  readonly columns: readonly DeclaredColumn[];
  /** The primary key first. */
  readonly indexes: readonly Index[];
  /** Columns by the name of the foreign key or check that is on them. */
  readonly constraints: ReadonlyMap<string, readonly string[]>;
}

interface Index {
  readonly name: string;
  /** And on whole columns. */
  readonly unique: boolean;
  readonly columns: readonly string[];
}

const HERE = "table_schema = DATABASE()";

export async function readRelations(database: MysqlDatabase): Promise<readonly Relation[]> {
  const tables = await database.all(
    `SELECT t.table_name, t.table_type, coalesce(t.engine, ''), coalesce(e.transactions, '')
     FROM information_schema.tables AS t
     LEFT JOIN information_schema.engines AS e ON e.engine = t.engine
     WHERE t.${HERE} AND t.table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')
       AND t.table_name NOT LIKE '\\\\_lockstep\\\\_%'
     ORDER BY CAST(t.table_name AS BINARY)`,
  );
  const columns = grouped(await database.all(COLUMNS));
  const indexes = grouped(await database.all(INDEXES));
  const references = grouped(await database.all(REFERENCES));
  const checks = grouped(await checksOf(database));
  return tables.map(([name = "", type, engine, transactions]) => {
    const table = String(name);
    const found = columns.get(table) ?? [];
    const json = new Set(
      (checks.get(table) ?? []).flatMap(([, , clause]) => jsonColumn(String(clause)) ?? []),
    );
    const declared = found.map((row) => declaredOf(row, json));
    return {
      name: table,
      isView: type === "VIEW",
      engine: String(engine),
      hasTransactions: transactions === "YES",
      mayWrite: found.every(
        (row) => /insert/.test(String(row[11])) && /update/.test(String(row[11])),
      ),
      columns: declared,
      indexes: indexesOf(indexes.get(table) ?? []),
      constraints: new Map([
        ...constraintsOf(references.get(table) ?? []),
        ...(checks.get(table) ?? []).map((row) => checkOf(row, declared)),
      ]),
    };
  });
}

const COLUMNS = `
  SELECT table_name, column_name, lower(data_type), column_type, is_nullable,
    character_maximum_length, numeric_precision, numeric_scale, datetime_precision, lower(extra),
    ordinal_position, lower(privileges)
  FROM information_schema.columns WHERE ${HERE} ORDER BY table_name, ordinal_position`;

/** A part of an index that is no column, or only the beginning of one, keeps nothing unique. */
const INDEXES = `
  SELECT table_name, index_name, non_unique = 0, column_name, sub_part IS NULL
  FROM information_schema.statistics WHERE ${HERE}
  ORDER BY table_name, index_name <> 'PRIMARY', index_name, seq_in_index`;

const REFERENCES = `
  SELECT table_name, constraint_name, column_name
  FROM information_schema.key_column_usage
  WHERE ${HERE} AND referenced_table_name IS NOT NULL
  ORDER BY table_name, constraint_name, ordinal_position`;

/** Checks as (table, name, clause). MariaDB names them by table, MySQL by schema; old ones not. */
async function checksOf(database: MysqlDatabase): Promise<readonly SqlRow[]> {
  const known = await database.all(
    `SELECT lower(column_name) FROM information_schema.columns
     WHERE table_schema = 'information_schema' AND lower(table_name) = 'check_constraints'`,
  );
  if (known.length === 0) return [];
  if (known.some(([name]) => name === "table_name")) {
    return database.all(
      `SELECT table_name, constraint_name, check_clause FROM information_schema.check_constraints
       WHERE constraint_schema = DATABASE()`,
    );
  }
  return database.all(
    `SELECT c.table_name, k.constraint_name, k.check_clause
     FROM information_schema.check_constraints AS k
     JOIN information_schema.table_constraints AS c
       ON c.constraint_schema = k.constraint_schema AND c.constraint_name = k.constraint_name
     WHERE k.constraint_schema = DATABASE()`,
  );
}

const grouped = (rows: readonly SqlRow[]): ReadonlyMap<string, readonly SqlRow[]> =>
  Map.groupBy(rows, ([table]) => String(table));

/** MariaDB keeps JSON as a text with a check. */
const jsonColumn = (clause: string): string | undefined =>
  /^json_valid\(`((?:[^`]|``)+)`\)$/i.exec(clause)?.[1]?.replaceAll("``", "`");

function declaredOf(row: SqlRow, json: ReadonlySet<string>): DeclaredColumn {
  const [, name, dataType, columnType, nullable, length, precision, scale, fraction, extra] = row;
  const number = (text: string | null | undefined): number | undefined =>
    text === null || text === undefined ? undefined : Number(text);
  return {
    name: String(name),
    dataType: json.has(String(name)) ? "json" : String(dataType),
    columnType: String(columnType),
    nullable: nullable === "YES",
    length: number(length),
    precision: number(precision),
    scale: number(scale),
    fraction: number(fraction),
    isGenerated: /\b(?:virtual|stored|persistent) generated\b/.test(String(extra)),
    isAssigned: /\bauto_increment\b/.test(String(extra)),
    isTouched: /\bon update current_timestamp/.test(String(extra)),
  };
}

function indexesOf(rows: readonly SqlRow[]): readonly Index[] {
  return [...Map.groupBy(rows, ([, name]) => String(name))].map(([name, parts]) => ({
    name,
    unique: parts.every(
      ([, , unique, column, whole]) => unique === "1" && column !== null && whole === "1",
    ),
    columns: parts.map(([, , , column]) => String(column)),
  }));
}

function constraintsOf(rows: readonly SqlRow[]): readonly (readonly [string, readonly string[]])[] {
  return [...Map.groupBy(rows, ([, name]) => String(name))].map(([name, parts]) => [
    name,
    parts.map(([, , column]) => String(column)),
  ]);
}

/** A check is on the columns that its condition names, in their order there. */
function checkOf(
  [, name, clause]: SqlRow,
  columns: readonly DeclaredColumn[],
): readonly [string, readonly string[]] {
  const named = [...String(clause).matchAll(/`((?:[^`]|``)+)`/g)].map(([, each = ""]) =>
    each.replaceAll("``", "`"),
  );
  return [String(name), named.filter((each) => columns.some((column) => column.name === each))];
}
