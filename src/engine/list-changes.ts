import { type ChangeCategory, categoriesOf } from "../core/categories.ts";
import type { ChangeFilter, ChangeKind, LoggedChange } from "../model/change.ts";
import type { MonitorSpec, ReplicateSpec } from "../model/replicate.ts";
import type { Home } from "../ports/home.ts";
import type { ChangesRequest, ClassifiedChange } from "./results.ts";

/** One reading of the log: what its indexes can tell, and what is left to look at. */
interface LogQuery {
  readonly filter: ChangeFilter;
  /** What the filter does not say; absent when it says all. */
  readonly holds?: (change: LoggedChange) => boolean;
}

type MonitorOf = (change: Pick<LoggedChange, "sync" | "stream">) => MonitorSpec;

const NOTHING: MonitorSpec = { status: [], price: [], transitions: [] };

/**
 * Changes that fulfil every condition, with their categories; in the order of the log, newest
 * first unless told. Categories and transitions are resolved to fields stream by stream and asked
 * of the log's indexes; where that takes several readings they are merged. Read as it is taken:
 * breaking off reads no further.
 */
export async function* listChanges(
  home: Home,
  specs: readonly ReplicateSpec[],
  request: ChangesRequest,
): AsyncIterable<ClassifiedChange> {
  const monitors = new Map(
    specs.flatMap(({ name, streams }) =>
      streams.map(({ stream, monitor }) => [JSON.stringify([name, stream]), monitor] as const),
    ),
  );
  const monitorOf: MonitorOf = ({ sync, stream }) =>
    monitors.get(JSON.stringify([sync, stream])) ?? NOTHING;
  const { limit = Number.POSITIVE_INFINITY, oldestFirst = false } = request;
  const queries = queriesFor(request, meantMonitors(specs, request), monitorOf);
  let left = limit;
  if (left <= 0) return;
  for await (const change of merge(home, queries, oldestFirst)) {
    yield { ...change, categories: categoriesOf(change, monitorOf(change)) };
    left -= 1;
    if (left <= 0) return;
  }
}

/** The monitors of the streams that the request is about. */
function meantMonitors(
  specs: readonly ReplicateSpec[],
  { sync, stream }: ChangesRequest,
): readonly MonitorSpec[] {
  return specs
    .filter(({ name }) => sync === undefined || name === sync)
    .flatMap(({ streams }) => streams)
    .filter((spec) => stream === undefined || spec.stream === stream)
    .map(({ monitor }) => monitor);
}

function queriesFor(
  request: ChangesRequest,
  monitors: readonly MonitorSpec[],
  monitorOf: MonitorOf,
): readonly LogQuery[] {
  const { categories, fields, transition } = request;
  const base = baseFilter(request);
  const inCategory = categoryTest(categories, monitorOf);
  // Only updates change fields.
  const areUpdates = fields !== undefined || transition !== undefined;
  if (areUpdates && categories?.every((each) => each === "new" || each === "deleted")) return [];
  if (transition !== undefined) {
    return transitionQueries(request, transition, monitors, monitorOf, inCategory);
  }
  if (fields !== undefined) return [{ filter: { ...base, fields }, ...inCategory }];
  if (categories === undefined) return [{ filter: base }];
  const kinds = kindsOf(categories);
  const whole: LogQuery[] = kinds.length === 0 ? [] : [{ filter: { ...base, kinds } }];
  const monitored = categories.includes("updated") ? [] : monitoredFields(categories, monitors);
  if (monitored.length === 0) return whole;
  return [...whole, { filter: { ...base, kinds: ["update"], fields: monitored }, ...inCategory }];
}

function transitionQueries(
  request: ChangesRequest,
  { field, ...values }: NonNullable<ChangesRequest["transition"]>,
  monitors: readonly MonitorSpec[],
  monitorOf: MonitorOf,
  inCategory: Pick<LogQuery, "holds">,
): readonly LogQuery[] {
  const names = field === undefined ? monitors.flatMap(({ status }) => status) : [field];
  return [...new Set(names)].map((name) => ({
    filter: {
      ...baseFilter(request),
      ...(request.fields === undefined ? {} : { fields: request.fields }),
      transition: { field: name, ...values },
    },
    // Another stream of the request may have a field of that name that is no status of its own.
    holds: (change) =>
      (field !== undefined || monitorOf(change).status.includes(name)) &&
      (inCategory.holds?.(change) ?? true),
  }));
}

function baseFilter(request: ChangesRequest): ChangeFilter {
  const { sync, stream, key, runId, since, until, oldestFirst } = request;
  return {
    ...(sync === undefined ? {} : { sync }),
    ...(stream === undefined ? {} : { stream }),
    ...(key === undefined ? {} : { key }),
    ...(runId === undefined ? {} : { runId }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(oldestFirst === undefined ? {} : { oldestFirst }),
  };
}

function categoryTest(
  categories: readonly ChangeCategory[] | undefined,
  monitorOf: MonitorOf,
): Pick<LogQuery, "holds"> {
  if (categories === undefined) return {};
  return {
    holds: (change) =>
      categoriesOf(change, monitorOf(change)).some((category) => categories.includes(category)),
  };
}

/** The kinds of which every change is of one of the categories. */
function kindsOf(categories: readonly ChangeCategory[]): readonly ChangeKind[] {
  const kinds: readonly (readonly [ChangeCategory, ChangeKind])[] = [
    ["new", "create"],
    ["updated", "update"],
    ["deleted", "delete"],
  ];
  return kinds.flatMap(([category, kind]) => (categories.includes(category) ? [kind] : []));
}

function monitoredFields(
  categories: readonly ChangeCategory[],
  monitors: readonly MonitorSpec[],
): readonly string[] {
  const fields = monitors.flatMap(({ status, price }) => [
    ...(categories.includes("status") ? status : []),
    ...(categories.includes("price") ? price : []),
  ]);
  return [...new Set(fields)];
}

/** The readings as one, in the order of ids; a change that several of them hold comes once. */
async function* merge(
  home: Home,
  queries: readonly LogQuery[],
  oldestFirst: boolean,
): AsyncGenerator<LoggedChange> {
  const readings = queries.map((query) => filtered(home, query));
  try {
    const heads = await Promise.all(readings.map((reading) => reading.next()));
    for (;;) {
      const next = nextOf(heads, oldestFirst);
      if (next === undefined) return;
      yield next;
      for (const [index, reading] of readings.entries()) {
        if (heads[index]?.value?.id === next.id) heads[index] = await reading.next();
      }
    }
  } finally {
    for (const reading of readings) await reading.return(undefined);
  }
}

type Head = IteratorResult<LoggedChange, undefined>;

function nextOf(heads: readonly Head[], oldestFirst: boolean): LoggedChange | undefined {
  let next: LoggedChange | undefined;
  for (const { value } of heads) {
    if (value === undefined) continue;
    if (next === undefined || (oldestFirst ? value.id < next.id : value.id > next.id)) next = value;
  }
  return next;
}

async function* filtered(
  home: Home,
  { filter, holds }: LogQuery,
): AsyncGenerator<LoggedChange, undefined> {
  for await (const change of home.changes(filter)) {
    if (holds === undefined || holds(change)) yield change;
  }
  return undefined;
}
