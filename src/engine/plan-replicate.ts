import { destinationName } from "../model/naming.ts";
import type { StreamSpec } from "../model/replicate.ts";
import type { StreamRun } from "../model/run.ts";
import type { StreamSchema } from "../model/schema.ts";
import { toSyncError } from "../model/sync-error.ts";
import type { ReplicateContext } from "./context.ts";
import { findStream } from "./find-stream.ts";
import { eachLimited } from "./limited.ts";
import { planChanges, planDeletions } from "./plan/plan-reading.ts";
import { planWalk } from "./plan/plan-walk.ts";
import { measured, type PageShape, type StreamToPlan, samplePage } from "./plan/planned-stream.ts";
import { priceQuota } from "./plan/price-quota.ts";
import type {
  PlannedMode,
  PlanRequest,
  ReplicatePlan,
  StepPlan,
  StreamPlan,
} from "./plan-results.ts";
import type { QuotaNotes } from "./quota-report.ts";
import { fingerprintOf, keptSchema, planStream } from "./replicate/open-stream.ts";
import { reportedError } from "./reported-error.ts";
import { divide } from "./run-auto.ts";

/** What is planned, and where its source stands with its quotas. */
export interface PlanParts {
  readonly context: ReplicateContext;
  readonly source: string;
  /** Recalled after the source was asked, so that these questions count too. */
  readonly quota: () => Promise<QuotaNotes>;
}

/**
 * What a run would do and what it would cost, found out by a few questions to the source. Writes
 * nothing to the replica and takes no lease. Trouble with one stream stands in its entry; throws
 * USAGE for a stream that is not configured, what discovery throws, and the signal's reason.
 */
export async function planReplicate(
  { context, source, quota }: PlanParts,
  { mode, streams }: PlanRequest,
  signal: AbortSignal,
): Promise<ReplicatePlan> {
  const { spec, clock, destination } = context;
  for (const name of streams ?? []) findStream(spec, name);
  const chosen = spec.streams.filter(({ stream }) => streams?.includes(stream) !== false);
  const before = requestsOf(context, chosen);
  const discovered = await context.source.discover(signal);
  const setup = requestsOf(context, chosen) - before;
  const modes = await modesOf(context, { mode, streams }, discovered, signal);
  const runs = await context.home.lastStreamRuns(spec.name);
  const plans = new Map<string, PricedStream>();
  await eachLimited(chosen, concurrencyOf(context), async (entry) => {
    const job = { context, entry, discovered, runs, modes: modes(entry.stream), signal };
    plans.set(entry.stream, await priceStream(job));
  });
  signal.throwIfAborted();
  const priced = chosen.flatMap(({ stream }) => plans.get(stream) ?? []);
  const steps = priced.flatMap(({ plan }) => plan.steps);
  const requests = setup + steps.reduce((sum, step) => sum + step.requests, 0);
  const bytes = sumOfBytes(steps);
  const at = clock.now();
  const { notBefore, cost } = priceQuota(await quota(), requests, bytes, at);
  return {
    kind: "replicate",
    sync: spec.name,
    source,
    destination: destination.location,
    at,
    due: priced.some(({ plan }) => isDue(plan)),
    streams: priced.map(({ plan }) => plan),
    requests,
    ...(bytes === undefined ? {} : { bytes }),
    atLeast: steps.some((step) => step.atLeast),
    quota: cost,
    ...(notBefore > at ? { notBefore } : {}),
    endsAt: Math.max(cost.endsAt, notBefore + workMs(context, priced)),
    asked: requestsOf(context, chosen) - before,
  };
}

function isDue({ steps, schema }: StreamPlan): boolean {
  const isChanged = schema.some(
    ({ kind }) => kind !== "ignored-field" && kind !== "vanished-field",
  );
  return isChanged || steps.some(({ action }) => action !== "nothing");
}

function sumOfBytes(steps: readonly StepPlan[]): number | undefined {
  if (steps.some(({ bytes }) => bytes === undefined)) return undefined;
  return steps.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
}

const concurrencyOf = ({ spec, source }: ReplicateContext): number =>
  Math.min(spec.concurrency, source.capabilities.concurrency);

/** Requests made so far for these streams, and for none in particular. */
function requestsOf(context: ReplicateContext, streams: readonly StreamSpec[]): number {
  const names = ["", ...streams.map(({ stream }) => stream)];
  return names.reduce((sum, name) => sum + context.traffic(name).requests, 0);
}

/**
 * How long the requests themselves take: streams side by side, none of them faster than its own.
 */
function workMs(context: ReplicateContext, priced: readonly PricedStream[]): number {
  const each = priced.map(({ plan, msPerRequest = 0 }) =>
    plan.steps.reduce((sum, { requests }) => sum + requests * msPerRequest, 0),
  );
  const all = each.reduce((sum, ms) => sum + ms, 0);
  return Math.round(Math.max(0, ...each, all / concurrencyOf(context)));
}

/** Which runs each stream would have a part in, in order. */
async function modesOf(
  context: ReplicateContext,
  {
    mode,
    streams,
  }: { readonly mode: PlanRequest["mode"]; readonly streams: PlanRequest["streams"] },
  discovered: readonly StreamSchema[],
  signal: AbortSignal,
): Promise<(stream: string) => readonly PlannedMode[]> {
  if (mode !== "auto") return () => [mode];
  const division = await divide(context, streams, discovered, signal);
  const parts = ["full", "incremental", "deletions"] as const;
  return (stream) => parts.filter((part) => division[part].includes(stream));
}

interface PricedStream {
  readonly plan: StreamPlan;
  readonly msPerRequest?: number | undefined;
}

interface PricingJob {
  readonly context: ReplicateContext;
  readonly entry: StreamSpec;
  readonly discovered: readonly StreamSchema[];
  readonly runs: readonly StreamRun[];
  readonly modes: readonly PlannedMode[];
  readonly signal: AbortSignal;
}

async function priceStream(job: PricingJob): Promise<PricedStream> {
  const { entry, signal } = job;
  const table = destinationName(entry.table, entry.naming);
  let plan: StreamPlan = { stream: entry.stream, table, rows: 0, schema: [], steps: [] };
  let shape: Promise<PageShape> | undefined;
  try {
    const stream = await openForPlan(job);
    const { rows, sourceCount, changes: schema } = stream;
    plan = { ...plan, rows, schema, ...(sourceCount === undefined ? {} : { sourceCount }) };
    const shapeOf = (): Promise<PageShape> => {
      shape ??= samplePage(stream);
      return shape;
    };
    for (const mode of job.modes) {
      plan = { ...plan, steps: [...plan.steps, await planStep(stream, mode, shapeOf)] };
    }
    return { plan, msPerRequest: (await shape)?.msPerRequest ?? measured(stream).msPerRequest };
  } catch (error) {
    signal.throwIfAborted();
    return { plan: { ...plan, error: reportedError(toSyncError(error)) } };
  }
}

function planStep(
  stream: StreamToPlan,
  mode: PlannedMode,
  shapeOf: () => Promise<PageShape>,
): Promise<StepPlan> {
  switch (mode) {
    case "full":
    case "sweep":
      return planWalk(stream, mode, shapeOf);
    case "incremental":
      return planChanges(stream, shapeOf);
    case "deletions":
      return planDeletions(stream, shapeOf);
  }
}

/** Matches the stream with its source and its table; only walks need to know how many there are. */
async function openForPlan(job: PricingJob): Promise<StreamToPlan> {
  const { context, entry, discovered, runs, modes, signal } = job;
  const { destination, source } = context;
  const planned = planStream(context.spec, entry, discovered);
  const changes = await destination.plan(planned.table);
  const schema = keptSchema(planned.schema, changes);
  const query = { ...planned.query, schema };
  const isMade = !changes.some(({ kind }) => kind === "create-table");
  const isWalked = modes.some((mode) => mode === "full" || mode === "sweep");
  return {
    context,
    spec: entry,
    schema,
    query,
    table: { ...planned.table, schema },
    changes,
    rows: isMade ? await destination.count(planned.table) : 0,
    sourceCount: isWalked ? (await source.head(query, signal)).count : undefined,
    fingerprint: fingerprintOf(schema, entry.filter),
    runs: runs.filter(({ report }) => report.stream === entry.stream),
    signal,
  };
}
