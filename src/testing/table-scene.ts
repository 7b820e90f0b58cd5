import assert from "node:assert/strict";
import type { Cursor } from "../model/cursor.ts";
import type { RecordKey, StreamRecord } from "../model/record.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { Value } from "../model/value.ts";
import type {
  Connector,
  Page,
  ReadRequest,
  StreamQuery,
  WriteOperation,
  WriteOutcome,
} from "../ports/connector.ts";
import type { NamedValues } from "./connector-kit/subject.ts";

const { signal } = new AbortController();

/** A connector to a database of somebody's; each database's tests add the owner's way into it. */
export interface TableScene {
  readonly connector: Connector;
  /** The schema of a table as it is now. */
  schema(table: string): Promise<StreamSchema>;
}

export const tableScene = (connector: Connector): TableScene => ({
  connector,
  async schema(table) {
    const found = (await connector.discover(signal)).find(({ name }) => name === table);
    assert.ok(found, table);
    return found;
  },
});

async function pagesOf(connector: Connector, request: ReadRequest): Promise<Page[]> {
  const pages: Page[] = [];
  for await (const page of connector.read(request, signal)) pages.push(page);
  return pages;
}

/** The pages of a walk through the whole table. */
export async function walkTable(
  { connector, schema }: TableScene,
  table: string,
): Promise<readonly Page[]> {
  const query = { schema: await schema(table) };
  return pagesOf(connector, { kind: "walk", query, after: null, projection: "record" });
}

export const recordsOf = (pages: readonly Page[]): readonly StreamRecord[] =>
  pages.flatMap(({ records }) => records);

/** An operation by field names; `expected` is by default nothing at all. */
export type TableWish =
  | { readonly create: NamedValues; readonly key?: string }
  | { readonly update: NamedValues; readonly key: string; readonly expected?: NamedValues }
  | { readonly remove: true; readonly key: string };

export async function writeToTable(
  { connector, schema }: TableScene,
  table: string,
  wishes: readonly TableWish[],
  { origin }: Pick<StreamQuery, "origin"> = {},
): Promise<readonly WriteOutcome[]> {
  const found = await schema(table);
  const values = (named: NamedValues = {}): readonly (Value | undefined)[] =>
    found.fields.map(({ name }) => named[name]);
  const operations = wishes.map((wish, at): WriteOperation => {
    const id = String(at);
    const key = wish.key as RecordKey;
    if ("create" in wish) {
      const given = wish.key === undefined ? {} : { key };
      return { kind: "create", id, ...given, values: values(wish.create) };
    }
    if ("remove" in wish) return { kind: "delete", id, key, expected: { values: values() } };
    const expected = { values: values(wish.expected) };
    return { kind: "update", id, key, values: values(wish.update), expected };
  });
  const query = origin === undefined ? { schema: found } : { schema: found, origin };
  return (await connector.write?.(query, operations, signal)) ?? [];
}

/** What became of each operation, and of the rejected ones the field that is to blame. */
export const outcomeWords = (outcomes: readonly WriteOutcome[]): readonly string[] =>
  outcomes.map((outcome) =>
    outcome.kind === "rejected" ? `rejected ${outcome.problem.field}` : outcome.kind,
  );

/** Where the changes begin that come after now. */
export async function headOf(
  { connector }: Pick<TableScene, "connector">,
  query: StreamQuery,
): Promise<Cursor> {
  const { changes } = await connector.head(query, signal);
  assert.ok(changes);
  return changes;
}

/** Keys that were told since a cursor, and the cursor to go on from. */
export interface News {
  readonly records: readonly string[];
  readonly gone: readonly string[];
  readonly cursor: Cursor;
}

export async function newsSince(
  { connector }: Pick<TableScene, "connector">,
  query: StreamQuery,
  since: Cursor,
  kind: "changes" | "deletions" = "changes",
): Promise<News> {
  const pages = await pagesOf(connector, { kind, query, since, overlapMs: 0 });
  return {
    records: recordsOf(pages).map(({ key }) => key),
    gone: pages.flatMap(({ tombstones }) => tombstones.map(({ key }) => key)),
    cursor: pages.at(-1)?.cursor ?? since,
  };
}
