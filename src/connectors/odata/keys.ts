import { keyParts, type RecordKey } from "../../model/record.ts";
import type { StreamQuery } from "../../ports/connector.ts";
import { createLinkGuard, fetchFilledPage } from "./page.ts";
import { allOf, anyOf, compare, literal, queryUrl } from "./query.ts";
import type { RowReader } from "./records.ts";
import { fetchQuery, isRefusal, type Session, type Source } from "./session.ts";
import type { StreamModel } from "./streams.ts";

/** Named keys of one stream. */
export interface KeyedSet extends Source {
  readonly model: StreamModel;
  readonly query: StreamQuery;
  readonly select: readonly string[] | undefined;
  readonly expand?: readonly string[];
  readonly reader: RowReader;
}

/**
 * Reads the records that exist among `keys`, in as many requests as the bound on a URL's length
 * makes necessary. Keys that an answer leaves out are asked for again until an answer brings none:
 * a server that cut the answer short must not make a record look deleted.
 */
export async function* readKeys(
  session: Session,
  keyed: KeyedSet,
  keys: readonly RecordKey[],
  signal: AbortSignal,
): AsyncGenerator<readonly unknown[]> {
  const useIn = await membershipOf(session, keyed.model);
  for (const part of parted(session, keyed, [...new Set(keys)], useIn)) {
    let missing = part;
    while (missing.length > 0) {
      const found = new Set<string>();
      for await (const rows of pagesOf(session, keyed, missing, useIn, signal)) {
        for (const row of rows) {
          const place = keyed.reader.place(row);
          if (place !== undefined) found.add(place.key.join("\n"));
        }
        yield rows;
      }
      const left = missing.filter((key) => !found.has(partsOf(keyed.model, key).join("\n")));
      if (left.length === missing.length) break;
      missing = left;
    }
  }
}

async function* pagesOf(
  session: Session,
  keyed: KeyedSet,
  keys: readonly RecordKey[],
  useIn: boolean,
  signal: AbortSignal,
): AsyncGenerator<readonly unknown[]> {
  const guard = createLinkGuard(keyed.purpose);
  const filterBy = (isIn: boolean): string | undefined =>
    allOf([membership(keyed.model, keys, isIn), keyed.query.filter]);
  const fetchBy = (isIn: boolean): ReturnType<typeof fetchQuery> => {
    const { select, expand } = keyed;
    const query = { filter: filterBy(isIn), select, expand };
    return fetchQuery(session, keyed, query, signal, { guard, isSized: false });
  };
  let page = await fetchBy(useIn).catch((error: unknown) => {
    if (!useIn || session.settings.membership === "in" || !isRefusal(error)) throw error;
    return fetchBy(false);
  });
  for (;;) {
    if (page.rows.length > 0) yield page.rows;
    if (page.nextUrl === undefined) return;
    const next = guard.follow(page.nextUrl);
    page = await fetchFilledPage(session.client, next, keyed.purpose, guard, signal);
  }
}

/** `in (...)` is not confirmed for every server; a list of `or` is understood by all. */
async function membershipOf({ settings, notebook }: Session, model: StreamModel): Promise<boolean> {
  if (model.keys.length !== 1 || settings.membership === "or") return false;
  return settings.membership === "in" || (await notebook.probe())?.inOperator === true;
}

/** Splits keys so that no request has too many or too long a URL. */
function parted(
  session: Session,
  keyed: KeyedSet,
  keys: readonly RecordKey[],
  useIn: boolean,
): readonly (readonly RecordKey[])[] {
  const { keysPerRead, urlLengthMax, url } = session.settings;
  const lengthOf = (some: readonly RecordKey[]): number => {
    const filter = allOf([membership(keyed.model, some, useIn), keyed.query.filter]);
    return queryUrl(url, keyed.set, { filter, select: keyed.select }).length;
  };
  const parts: RecordKey[][] = [];
  let part: RecordKey[] = [];
  for (const key of keys) {
    const isFull = part.length >= keysPerRead || lengthOf([...part, key]) > urlLengthMax;
    // A single key always goes out, however long: shorter it cannot be asked for.
    if (part.length > 0 && isFull) {
      parts.push(part);
      part = [];
    }
    part.push(key);
  }
  return part.length === 0 ? parts : [...parts, part];
}

function membership(model: StreamModel, keys: readonly RecordKey[], useIn: boolean): string {
  const [first] = model.keys;
  if (useIn && first !== undefined) {
    return `${first.name} in (${keys.map((key) => literal(first.literal, key)).join(",")})`;
  }
  return anyOf(
    keys.map((key) => {
      const parts = partsOf(model, key);
      return model.keys.map((field, at) => compare(field, "eq", parts[at] ?? "")).join(" and ");
    }),
  );
}

function partsOf(model: StreamModel, key: RecordKey): readonly string[] {
  return keyParts(model.schema, key);
}
