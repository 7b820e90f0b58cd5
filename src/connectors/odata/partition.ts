import type { RecordKey } from "../../model/record.ts";
import { recordKey } from "../../model/record.ts";
import { projectSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { StreamQuery, WalkRange } from "../../ports/connector.ts";
import { countOf } from "./count.ts";
import { compareNumericKeys } from "./cursor.ts";
import { after, allOf, type Query, upTo } from "./query.ts";
import { createRowReader } from "./records.ts";
import { servedSet } from "./served-set.ts";
import { fetchQuery, isRefusal, type Session, type Source } from "./session.ts";
import type { StreamModel } from "./streams.ts";
import { waysOf } from "./walk.ts";

type Key = readonly string[];

/** A stream to be divided. */
interface Divided {
  readonly session: Session;
  readonly model: StreamModel;
  readonly query: StreamQuery;
  readonly source: Source;
  /** The server's own count. */
  readonly total: number;
  readonly signal: AbortSignal;
}

/** Smallest part where the size of the server's pages is not known. */
const PART_MIN = 20;
/** Halvings of a range of numbers by the server's count: 2^-12 of it is close enough. */
const HALVINGS_MAX = 12;
/** Counts of the parts may differ from the whole's by as much: people edit meanwhile. */
const CHURN_SHARE = 0.01;
const CHURN_MIN = 20;

/**
 * Divides a set by its key: bounds are the keys that stand at equal distances in the server's own
 * order, looked at one by one with `$skip`, or found by halving a range of numbers with the
 * server's count where it refuses that. In the end the parts are counted, so that a server which
 * compares otherwise than it sorts is not trusted with it. Throws CONNECTOR_UNSUPPORTED for a set
 * that is not read by key.
 */
export async function partitionStream(
  session: Session,
  model: StreamModel,
  query: StreamQuery,
  count: number,
  signal: AbortSignal,
): Promise<readonly WalkRange[]> {
  const { name } = model.schema;
  const { settings, notebook } = session;
  const noted = (await notebook.ways(name)).walk;
  const isByKey =
    servedSet(settings.served, name) === undefined &&
    settings.sessionOption === undefined &&
    waysOf(settings.paging, noted)[0] === "keyset";
  if (!isByKey) throw undivided(name, "the server gives it in an order of its own");
  const source: Source = { set: name, purpose: { what: `the parts of "${name}"`, stream: name } };
  const total = await countOf(session, source, query.filter, signal);
  if (total === undefined) throw undivided(name, "the server does not count it");
  // What fits into one page is not worth dividing.
  const pageCap = (await notebook.probe())?.pageCap ?? PART_MIN;
  const page = Math.min(settings.pageSize ?? pageCap, pageCap);
  const parts = Math.min(count, Math.floor(total / page));
  if (parts < 2) return [{ after: null, upTo: null }];
  const divided: Divided = { session, model, query, source, total, signal };
  const bounds = distinct(model, await boundsOf(divided, parts));
  await requireCovered(divided, bounds);
  const keys = bounds.map((bound) => recordKey(bound));
  return [...keys, null].map((last: RecordKey | null, index) => ({
    after: keys[index - 1] ?? null,
    upTo: last,
  }));
}

/** The last keys of all parts but the last. */
async function boundsOf(divided: Divided, parts: number): Promise<readonly Key[]> {
  const { total, model, source } = divided;
  const places = Array.from({ length: parts - 1 }, (_, index) =>
    Math.floor((total * (index + 1)) / parts),
  );
  try {
    const keys = await Promise.all(places.map((place) => keyAt(divided, "asc", place - 1)));
    // Records may have gone since they were counted.
    return keys.filter((key) => key !== undefined);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (!model.hasNumericKey || model.keys.length > 1) {
      throw undivided(source.set, "the server lets nobody look at a record far on", error);
    }
  }
  return halvedBounds(divided, places);
}

async function halvedBounds(divided: Divided, places: readonly number[]): Promise<readonly Key[]> {
  const [first] = (await keyAt(divided, "asc", 0)) ?? [];
  const [last] = (await keyAt(divided, "desc", 0)) ?? [];
  if (!isWhole(first) || !isWhole(last)) {
    throw undivided(divided.source.set, "its keys are no whole numbers");
  }
  const bounds: Key[] = [];
  let low = BigInt(first);
  for (const place of places) {
    let high = BigInt(last);
    for (let step = 0; step < HALVINGS_MAX && high - low > 1n; step += 1) {
      const middle = (low + high) / 2n;
      const below = await countUpTo(divided, [String(middle)]);
      if (below < place) low = middle;
      else high = middle;
    }
    bounds.push([String(high)]);
    low = high;
  }
  return bounds;
}

const isWhole = (text: string | undefined): text is string => /^-?\d+$/.test(text ?? "");

async function countUpTo({ session, source, query, model, signal }: Divided, key: Key) {
  const filter = allOf([upTo(model.keys, key), query.filter]);
  const count = await countOf(session, source, filter, signal);
  if (count === undefined) throw undivided(source.set, "the server does not count its parts");
  return count;
}

async function keyAt(
  { session, model, query, source, signal }: Divided,
  direction: "asc" | "desc",
  skip: number,
): Promise<Key | undefined> {
  const asked: Query = {
    select: model.keys.map(({ name }) => name),
    orderBy: model.keys.map(({ name }) => `${name} ${direction}`),
    filter: query.filter,
    top: 1,
    ...(skip === 0 ? {} : { skip }),
  };
  const page = await fetchQuery(session, source, asked, signal);
  return createRowReader(model, projectSchema(model.schema, [])).place(page.rows[0])?.key;
}

/** Bounds in rising order, each once. Text stands in an order that only the server knows. */
function distinct(model: StreamModel, bounds: readonly Key[]): readonly Key[] {
  const kept: Key[] = [];
  for (const bound of bounds) {
    const before = kept.at(-1);
    const isNext =
      before === undefined ||
      (model.hasNumericKey
        ? compareNumericKeys(bound, before) > 0
        : !kept.some((each) => each.join("\n") === bound.join("\n")));
    if (isNext) kept.push(bound);
  }
  return kept;
}

async function requireCovered(divided: Divided, bounds: readonly Key[]): Promise<void> {
  const { session, source, query, model, total, signal } = divided;
  const counts = await Promise.all(
    [...bounds, undefined].map((last, index) => {
      const from = bounds[index - 1];
      const filter = allOf([
        from === undefined ? undefined : after(model.keys, from),
        last === undefined ? undefined : upTo(model.keys, last),
        query.filter,
      ]);
      return countOf(session, source, filter, signal);
    }),
  );
  const known = counts.filter((count) => count !== undefined);
  if (known.length < counts.length) return;
  const sum = known.reduce((all, count) => all + count, 0);
  if (Math.abs(sum - total) <= Math.max(CHURN_MIN, total * CHURN_SHARE)) return;
  throw undivided(source.set, `its parts count ${sum} records where the whole counts ${total}`);
}

function undivided(stream: string, why: string, cause?: unknown): SyncError {
  return new SyncError("CONNECTOR_UNSUPPORTED", `Stream "${stream}" cannot be divided: ${why}.`, {
    context: { stream },
    ...(cause === undefined ? {} : { cause }),
  });
}
