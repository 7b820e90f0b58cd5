import type { PostgresQueries, SqlRow } from "../../drivers/postgres/database.ts";
import { qualified } from "../../drivers/postgres/identifier.ts";
import { findModifiedField } from "../../model/modified-field.ts";
import type { WriteTraits } from "../../model/schema.ts";
import { captured } from "../sql/captures.ts";
import {
  type Catalog,
  checkColumns,
  checkTables,
  leftOutKeyless,
  ownKey,
  sameNames,
  schemaOf,
  writesOf,
} from "../sql/catalog.ts";
import type { SqlTable } from "../sql/table.ts";
import { type Capture, readCaptures } from "./captures.ts";
import { type Column, columnOf, type DeclaredColumn, fieldOf, type TypeName } from "./column.ts";
import type { PostgresSettings, TableSettings } from "./config.ts";
import { digestTrait } from "./digest.ts";

/** A table or view that can be a stream. */
export interface Table extends SqlTable<Column> {
  /** Its rows have a version: the transaction that wrote them. */
  readonly hasVersions: boolean;
  /** The unique index of the key can be named in ON CONFLICT. */
  readonly arbitrates: boolean;
  /**
   * What a statement wrote is only known when it is read again: triggers that fire after it may
   * change it, and of partitions neither those triggers nor the version of a new row are told.
   */
  readonly isReadBack: boolean;
  /** Columns by the name of the constraint or unique index that is on them. */
  readonly constraints: ReadonlyMap<string, readonly string[]>;
  /** An index begins with the column that tells of changes. */
  readonly findsChanges: boolean;
  /** Times without zone among the fields. */
  readonly hasLocalTimes: boolean;
  /** Where triggers note its changes, if it is so and works. */
  readonly capture?: Capture;
}

/** Reads the tables. Throws FIELD_UNKNOWN and STREAM_UNKNOWN for settings of what is not there. */
export async function readCatalog(
  queries: PostgresQueries,
  schema: string,
  settings: PostgresSettings,
): Promise<Catalog<Table>> {
  const relations = await queries.all(RELATIONS, [schema]);
  const names = relations.map(([name]) => String(name));
  checkTables(`The schema "${schema}"`, names, settings.tables);
  const captures = await readCaptures(queries, schema);
  const tables = new Map<string, Table>();
  const leftOut: string[] = [];
  for (const row of relations) {
    const relation = relationOf(row);
    const table = tableOf(schema, relation, settings);
    if (typeof table === "string") leftOut.push(table);
    else tables.set(relation.name, captured(table, captures.get(relation.name)));
  }
  return { tables, leftOut };
}

interface Index {
  readonly name: string;
  readonly columns: readonly string[];
  readonly unique: boolean;
  readonly primary: boolean;
  readonly immediate: boolean;
}

interface Relation {
  readonly name: string;
  readonly kind: string;
  readonly mayRead: boolean;
  readonly mayWrite: boolean;
  readonly hasAfterTriggers: boolean;
  readonly columns: readonly DeclaredColumn[];
  readonly indexes: readonly Index[];
  readonly constraints: Readonly<Record<string, readonly string[]>>;
}

/** One row a table or view of the schema, with everything of it as JSON. */
const RELATIONS = `
  SELECT c.relname, c.relkind, has_table_privilege(c.oid, 'SELECT'),
    has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE'),
    EXISTS (SELECT FROM pg_catalog.pg_trigger AS g WHERE g.tgrelid = c.oid
      AND NOT g.tgisinternal AND g.tgtype & 66 = 0 AND g.tgenabled <> 'D'
      AND g.tgname NOT LIKE '\\_lockstep\\_capture%'),
    (SELECT json_agg(json_build_object(
        'name', a.attname, 'notNull', a.attnotnull,
        'type', json_build_object('schema', bn.nspname, 'name', b.typname),
        'element', CASE WHEN b.typcategory = 'A' AND e.oid IS NOT NULL
          THEN json_build_object('schema', en.nspname, 'name', e.typname) END,
        'modifier', CASE WHEN y.typtype = 'd' THEN y.typtypmod ELSE a.atttypmod END,
        'labels', (SELECT json_agg(l.enumlabel ORDER BY l.enumsortorder)
          FROM pg_catalog.pg_enum AS l WHERE l.enumtypid = b.oid),
        'isGenerated', a.attgenerated <> '', 'identity', a.attidentity,
        'assigns', a.attidentity <> ''
          OR coalesce(pg_get_expr(d.adbin, d.adrelid) ~* 'nextval\\(|uuid', false)
      ) ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute AS a
      JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid
      JOIN pg_catalog.pg_type AS b
        ON b.oid = CASE WHEN y.typtype = 'd' THEN y.typbasetype ELSE y.oid END
      JOIN pg_catalog.pg_namespace AS bn ON bn.oid = b.typnamespace
      LEFT JOIN pg_catalog.pg_type AS e ON e.oid = b.typelem
      LEFT JOIN pg_catalog.pg_namespace AS en ON en.oid = e.typnamespace
      LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    (SELECT json_agg(json_build_object(
        'name', x.relname, 'unique', i.indisunique AND i.indpred IS NULL AND 0 <> ALL (i.indkey),
        'primary', i.indisprimary, 'immediate', i.indimmediate,
        'columns', (SELECT json_agg(a.attname ORDER BY k.place)
          FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number
          WHERE k.place <= i.indnkeyatts)
      ) ORDER BY NOT i.indisprimary, x.relname)
      FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
      WHERE i.indrelid = c.oid AND i.indisvalid),
    (SELECT json_object_agg(o.conname, (SELECT json_agg(a.attname) FROM unnest(o.conkey) AS k (number)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number))
      FROM pg_catalog.pg_constraint AS o WHERE o.conrelid = c.oid)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND c.relname NOT LIKE '\\_lockstep\\_%'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS p
      WHERE p.classid = 'pg_catalog.pg_class'::regclass AND p.objid = c.oid AND p.deptype = 'e')
  ORDER BY c.relname COLLATE "C"`;

function relationOf(row: SqlRow): Relation {
  const [name, kind, mayRead, mayWrite, hasAfterTriggers, columns, indexes, constraints] = row;
  return {
    name: String(name),
    kind: String(kind),
    mayRead: mayRead === "t",
    mayWrite: mayWrite === "t",
    hasAfterTriggers: hasAfterTriggers === "t",
    columns: JSON.parse(columns ?? "[]") as DeclaredColumn[],
    indexes: JSON.parse(indexes ?? "[]") as Index[],
    constraints: JSON.parse(constraints ?? "{}") as Record<string, string[]>,
  };
}

function tableOf(
  schemaName: string,
  relation: Relation,
  settings: PostgresSettings,
): Table | string {
  const { name, kind, columns: declared, indexes } = relation;
  if (!relation.mayRead) return `${name}: left out, this login may not read it`;
  const own: TableSettings = settings.tables?.[name] ?? {};
  checkColumns(name, declared, own);
  const key = ownKey(own) ?? relationKey(relation);
  if (key === undefined) return leftOutKeyless(name);
  const fields = declared.map((column) => fieldOf(column, key.includes(column.name)));
  const modifiedAt = own.modifiedAt ?? findModifiedField(fields) ?? false;
  const unique = indexes.filter((index) => index.unique && sameNames(index.columns, key));
  const write = writeTraits(relation, { key, own, isUnique: unique.length > 0 });
  const schema = schemaOf({ name, fields, key, modifiedAt }, write);
  const zone = own.zone ?? settings.zone ?? "UTC";
  const columns = new Map(
    declared.flatMap((column, at): [string, Column][] => {
      const field = fields[at];
      return field === undefined ? [] : [[column.name, columnOf(column, field, zone)]];
    }),
  );
  const uniqueColumns = indexes.map((index): [string, readonly string[]] => [
    index.name,
    index.columns ?? [],
  ]);
  const keyColumns = key.flatMap((each) => columns.get(each) ?? []);
  const traits = { ...schema.traits, digests: digestTrait(columns.values()) };
  return {
    schema: { ...schema, traits },
    sql: qualified(schemaName, name),
    columns,
    key: keyColumns,
    mayLackKeys: keyColumns.some((each) => !each.declared.notNull),
    hasVersions: kind === "r" || kind === "p",
    arbitrates: unique.some(({ immediate }) => immediate),
    isReadBack: relation.hasAfterTriggers || kind === "p",
    constraints: new Map([...uniqueColumns, ...Object.entries(relation.constraints)]),
    findsChanges: indexes.some(({ columns: [first] = [] }) => first === modifiedAt),
    hasLocalTimes: declared.some(({ type }) => isLocal(type)),
  };
}

const isLocal = ({ schema, name }: TypeName): boolean =>
  schema === "pg_catalog" && name === "timestamp";

/** The primary key, else the first unique index of columns that are never null. */
function relationKey({ columns, indexes }: Relation): readonly string[] | undefined {
  const isNeverNull = (name: string): boolean =>
    columns.some((column) => column.name === name && column.notNull);
  return indexes.find(
    (index) => index.unique && (index.primary || index.columns.every(isNeverNull)),
  )?.columns;
}

interface KeyFacts {
  readonly key: readonly string[];
  readonly own: TableSettings;
  readonly isUnique: boolean;
}

/** None for views, and where nothing keeps the key unique. */
function writeTraits(
  { kind, mayWrite, columns }: Relation,
  { key, own, isUnique }: KeyFacts,
): WriteTraits | undefined {
  if ((kind !== "r" && kind !== "p") || !mayWrite || !isUnique) return undefined;
  const [first] = columns.filter(({ name }) => name === key[0]);
  const assignsKeys = own.assignsKeys ?? (key.length === 1 && first?.assigns === true);
  const writable = columns.filter(({ isGenerated }) => !isGenerated);
  return writesOf(writable, key, assignsKeys);
}
