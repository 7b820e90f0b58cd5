import { type RecordKey, recordKey } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Children, ChildrenRequest } from "../../ports/connector.ts";
import type { JsonObject } from "./client.ts";
import { readKeys } from "./keys.ts";
import { createLinkGuard, fetchFilledPage } from "./page.ts";
import { allOf, anyOf, compare, type FieldRef, literal, queryUrl } from "./query.ts";
import { createRowReader } from "./records.ts";
import { expandedRows, named } from "./related.ts";
import { fetchQuery, isRefusal, type Session } from "./session.ts";
import { requireFields, requireKnown, type StreamModel } from "./streams.ts";

/** Lists what belongs to records; see Connector.children. `model` is of the query's stream. */
export async function readChildren(
  session: Session,
  model: StreamModel,
  request: ChildrenRequest,
  signal: AbortSignal,
): Promise<readonly Children[]> {
  return request.kind === "expanded"
    ? readExpanded(session, model, request, signal)
    : readListed(session, model, request, signal);
}

type Asked<K extends ChildrenRequest["kind"]> = Extract<ChildrenRequest, { readonly kind: K }>;

async function readExpanded(
  session: Session,
  model: StreamModel,
  { query, keys, relation }: Asked<"expanded">,
  signal: AbortSignal,
): Promise<readonly Children[]> {
  const { name } = model.schema;
  const { settings } = session;
  const allowed = new Set([...model.related.keys(), ...(settings.expandable[name] ?? [])]);
  const complain = (each: string): string => `Stream "${name}" has nothing related named "${each}"`;
  requireKnown([relation], allowed, complain, name);
  requireFew(keys.length, settings.keysPerRead, name);
  const target = (await session.streams(signal)).get(model.related.get(relation) ?? relation);
  const reader = createRowReader(model, query.schema);
  const keyed = {
    set: name,
    purpose: { what: `"${relation}" of records of "${name}"`, stream: name },
    model,
    query,
    reader,
    select: query.schema.fields.map((field) => field.name),
    expand: [relation],
  };
  const base = queryUrl(settings.url, name);
  const found = new Map<RecordKey, Children>();
  for await (const rows of readKeys(session, keyed, keys, signal)) {
    for (const row of rows as readonly JsonObject[]) {
      const place = reader.place(row);
      if (place === undefined) continue;
      const of = recordKey(place.key);
      const children = await expandedRows(session, row, relation, base, signal);
      found.set(of, {
        of,
        record: named(without(row, relation), model, query.schema),
        rows: children.map((child) => named(child, target, target?.schema)),
      });
    }
  }
  return [...found.values()];
}

function without(row: JsonObject, relation: string): JsonObject {
  const { [relation]: _, ...rest } = row;
  return rest;
}

async function readListed(
  session: Session,
  model: StreamModel,
  { query, field, values }: Asked<"listed">,
  signal: AbortSignal,
): Promise<readonly Children[]> {
  const { schema } = model;
  requireFields(schema, [field], "the query");
  const ref: FieldRef = { name: field, literal: literalOf(model, field) };
  const texts = [...new Set(values.map(String))];
  const rows = new Map<string, Children["rows"][number][]>(texts.map((text) => [text, []]));
  for (const part of parted(session, model, ref, texts)) {
    for await (const page of listedPages(session, model, { ref, texts: part, query, signal })) {
      for (const row of page) {
        const child = named(row, model, query.schema);
        rows.get(String(child[field]))?.push(child);
      }
    }
  }
  return [...rows].map(([of, own]) => ({ of, rows: own }));
}

interface Listed {
  readonly ref: FieldRef;
  readonly texts: readonly string[];
  readonly query: Asked<"listed">["query"];
  readonly signal: AbortSignal;
}

/** Every page of the children of some records. A server that refuses `in` is asked with `or`. */
async function* listedPages(
  session: Session,
  model: StreamModel,
  { ref, texts, query, signal }: Listed,
): AsyncGenerator<readonly JsonObject[]> {
  const { name } = model.schema;
  const source = {
    set: name,
    purpose: { what: `stream "${name}" by "${ref.name}"`, stream: name },
  };
  const guard = createLinkGuard(source.purpose);
  const fetchBy = (isIn: boolean): ReturnType<typeof fetchQuery> => {
    const filter = allOf([membership(ref, texts, isIn), query.filter]);
    return fetchQuery(session, source, { filter }, signal, { guard, isSized: false });
  };
  const { membership: setting } = session.settings;
  const useIn = setting === "in" || (setting === "auto" && (await knowsIn(session)));
  let page = await fetchBy(useIn && texts.length > 1).catch((error: unknown) => {
    if (!useIn || setting === "in" || !isRefusal(error)) throw error;
    return fetchBy(false);
  });
  for (;;) {
    yield page.rows.filter((row): row is JsonObject => typeof row === "object" && row !== null);
    if (page.nextUrl === undefined) return;
    const next = guard.follow(page.nextUrl);
    page = await fetchFilledPage(session.client, next, source.purpose, guard, signal);
  }
}

async function knowsIn({ notebook }: Session): Promise<boolean> {
  return (await notebook.probe())?.inOperator === true;
}

function membership(ref: FieldRef, texts: readonly string[], isIn: boolean): string {
  if (!isIn) return anyOf(texts.map((text) => compare(ref, "eq", text)));
  return `${ref.name} in (${texts.map((text) => literal(ref.literal, text)).join(",")})`;
}

/** Values in as many requests as the bounds on keys and on a URL's length make necessary. */
function parted(
  { settings }: Session,
  { schema }: StreamModel,
  ref: FieldRef,
  texts: readonly string[],
): readonly (readonly string[])[] {
  const { keysPerRead, urlLengthMax, url } = settings;
  const parts: string[][] = [];
  let part: string[] = [];
  for (const text of texts) {
    const filter = membership(ref, [...part, text], false);
    const isLong = queryUrl(url, schema.name, { filter }).length > urlLengthMax;
    if (part.length > 0 && (part.length >= keysPerRead || isLong)) {
      parts.push(part);
      part = [];
    }
    part.push(text);
  }
  return part.length === 0 ? parts : [...parts, part];
}

function literalOf({ schema, keys }: StreamModel, name: string): FieldRef["literal"] {
  const key = keys.find((ref) => ref.name === name);
  if (key !== undefined) return key.literal;
  const kind = schema.fields.find((field) => field.name === name)?.type.kind;
  return { kind: kind === "text" ? "string" : "bare" };
}

function requireFew(count: number, max: number, stream: string): void {
  if (count <= max) return;
  throw new SyncError(
    "CONNECTOR_UNSUPPORTED",
    `At most ${max} keys are read at once, not ${count}.`,
    { context: { stream } },
  );
}
