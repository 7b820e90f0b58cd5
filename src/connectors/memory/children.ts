import { SyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import type { Children, ChildrenRequest, StreamQuery } from "../../ports/connector.ts";
import { shown } from "./connector-read.ts";
import type { MemorySystem, NamedValues } from "./system.ts";

/** Where a relation leads: records of `stream` whose `field` has the value of `parentField`. */
export interface MemoryRelation {
  readonly stream: string;
  readonly field: string;
  readonly parentField: string;
}

/** Relations by stream and name. */
export type MemoryRelations = Readonly<Record<string, Readonly<Record<string, MemoryRelation>>>>;

/** See Connector.children. */
export function childrenIn(
  system: MemorySystem,
  relations: MemoryRelations,
  request: ChildrenRequest,
): readonly Children[] {
  const { query } = request;
  const { name, fields } = system.schema(query.schema.name);
  const rowsBy = (own: StreamQuery, field: string, value: Value): readonly NamedValues[] =>
    shown(own, system.rows(own.schema.name))
      .filter((row) => value !== null && String(row.values[field] ?? "") === String(value))
      .map((row) => row.values);
  if (request.kind === "listed") {
    if (!fields.some((field) => field.name === request.field)) unknown(name, request.field);
    const texts = [...new Set(request.values.map(String))];
    return texts.map((of) => ({ of, rows: rowsBy(query, request.field, of) }));
  }
  const relation = relations[name]?.[request.relation] ?? unknown(name, request.relation);
  return [...new Set(request.keys)].flatMap((key): Children[] => {
    const row = system.row(name, key);
    if (row === undefined || shown(query, [row]).length === 0) return [];
    const value = row.values[relation.parentField] ?? null;
    const own = { schema: system.schema(relation.stream) };
    const rows = rowsBy(own, relation.field, value);
    return [{ of: key, record: row.values, rows }];
  });
}

function unknown(stream: string, name: string): never {
  throw new SyncError("FIELD_UNKNOWN", `Stream "${stream}" has nothing named "${name}".`, {
    context: { stream },
  });
}
