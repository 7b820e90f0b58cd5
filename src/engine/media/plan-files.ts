import { filesStream, type MediaSpec } from "../../model/media.ts";
import { fieldIndex } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { ReplicateContext } from "../context.ts";
import type { FilesPlan } from "../files-results.ts";
import { headRequests, keyRequests } from "../plan/price.ts";
import { priceQuota } from "../plan/price-quota.ts";
import type { QuotaNotes } from "../quota-report.ts";
import { filesLocation } from "./files-status.ts";
import type { MediaPosition } from "./media-work.ts";
import { storedPosition } from "./open-media.ts";
import { type MediaPlan, planMedia } from "./plan-media.ts";
import { LISTED_TOGETHER } from "./read-records.ts";

/** What is planned, and where its source and its files stand with their quotas. */
export interface FilesPlanParts {
  readonly context: ReplicateContext;
  readonly source: string;
  /** Recalled after the source was asked, so that these questions count too. */
  readonly quota: () => Promise<QuotaNotes>;
  readonly fileQuota: () => Promise<QuotaNotes>;
}

/**
 * What a run of mode `media` would do and what it would cost, found out by a few questions to the
 * source. Fetches no file and changes nothing. Throws USAGE for a sync that keeps no files, what
 * discovery throws, and the signal's reason.
 */
export async function planFiles(
  { context, source, quota, fileQuota }: FilesPlanParts,
  { again }: { readonly again: boolean },
  signal: AbortSignal,
): Promise<FilesPlan> {
  const { home, spec, clock } = context;
  const { media } = spec;
  if (media === undefined) {
    throw new SyncError("USAGE", `Sync "${spec.name}" keeps no files: it has no \`media\`.`, {
      hint: `Add \`media: { to: ./photos }\` to syncs.${spec.name}.`,
    });
  }
  const before = requestsOf(context, media);
  const plan = planMedia(context, media, await context.source.discover(signal));
  const setup = requestsOf(context, media) - before;
  const { position } = await storedPosition(context, media, plan, again);
  const held = await home.heldTotals(spec.name, filesStream(media));
  const news = await newsOf(context, plan, position, signal);
  const sample = await samplePage(context, media, plan, signal);
  const action = actionOf(position);
  const { records } = news;
  const files = filesOf(records, sample.perRecord, action === "walk" ? held.files : 0);
  const bytes = bytesOf(files, held);
  const size = Math.min(LISTED_TOGETHER, context.source.capabilities.keysPerRead);
  const listings = keyRequests(records ?? 0, size);
  const pages = Math.ceil((records ?? 0) / sample.recordsPerPage) + 1;
  const heads = action === "walk" ? headRequests(plan.query.schema.traits) : 0;
  const requests = setup + pages + listings + heads;
  const at = clock.now();
  const asking = priceQuota(await quota(), requests, undefined, at);
  const fetching =
    files === undefined ? undefined : priceQuota(await fileQuota(), files, bytes, at);
  return {
    kind: "files",
    sync: spec.name,
    source,
    stream: filesStream(media),
    location: filesLocation(media),
    at,
    due: records !== 0,
    action,
    ...(action === "resume" ? { after: position?.state.walked ?? 0 } : {}),
    ...(records === undefined ? {} : { records }),
    atLeast: news.atLeast,
    ...(files === undefined ? {} : { files }),
    ...(bytes === undefined ? {} : { bytes }),
    held,
    requests,
    listings,
    quota: asking.cost,
    ...(fetching === undefined ? {} : { fileQuota: fetching.cost }),
    endsAt: Math.max(asking.cost.endsAt, fetching?.cost.endsAt ?? at),
    asked: requestsOf(context, media) - before,
  };
}

function actionOf(position: MediaPosition | undefined): FilesPlan["action"] {
  if (position === undefined) return "walk";
  if (position.state.phase === "changes") return "read";
  return position.state.walked === 0 ? "walk" : "resume";
}

/** Requests made so far for these records and the lists of their files, and for none in particular. */
function requestsOf({ traffic }: ReplicateContext, { stream, relation }: MediaSpec): number {
  return ["", stream, relation].reduce((sum, name) => sum + traffic(name).requests, 0);
}

interface News {
  readonly records?: number;
  readonly atLeast: boolean;
}

/** Records whose files a run would list: by the source's own counts, else by the first page. */
async function newsOf(
  { source }: ReplicateContext,
  { query }: MediaPlan,
  position: MediaPosition | undefined,
  signal: AbortSignal,
): Promise<News> {
  const since = position?.state.phase === "changes" ? position.cursor : null;
  if (since === null) {
    const { count } = await source.head(query, signal);
    if (count === undefined) return { atLeast: true };
    return { records: Math.max(0, count - (position?.state.walked ?? 0)), atLeast: false };
  }
  const request = { kind: "changes", query, since, overlapMs: 0 } as const;
  const told = await source.countSince?.(request, signal);
  if (told !== undefined) return { records: told, atLeast: true };
  for await (const page of source.read(request, signal)) {
    return { records: page.records.length, atLeast: true };
  }
  return { records: 0, atLeast: true };
}

interface PageSample {
  readonly recordsPerPage: number;
  /** Files that a record has, on average; absent where records do not tell. */
  readonly perRecord?: number;
}

/** The first page of records, with the number of files of each. */
async function samplePage(
  { source }: ReplicateContext,
  { countField }: MediaSpec,
  { query }: MediaPlan,
  signal: AbortSignal,
): Promise<PageSample> {
  const index = fieldIndex(query.schema, countField);
  const request = { kind: "walk", query, after: null, projection: "record" } as const;
  for await (const { records } of source.read(request, signal)) {
    const told = records.map(({ values }) => Number(values[index] ?? 0));
    const sum = told.reduce((total, count) => total + (Number.isFinite(count) ? count : 0), 0);
    return {
      recordsPerPage: Math.max(1, records.length),
      ...(index < 0 || records.length === 0 ? {} : { perRecord: sum / records.length }),
    };
  }
  return { recordsPerPage: 1 };
}

/** Those that are held already are fetched again only where they changed. */
function filesOf(
  records: number | undefined,
  perRecord: number | undefined,
  held: number,
): number | undefined {
  if (records === undefined || (perRecord === undefined && records > 0)) return undefined;
  return Math.max(0, Math.round(records * (perRecord ?? 0)) - held);
}

function bytesOf(files: number | undefined, held: FilesPlan["held"]): number | undefined {
  if (files === 0) return 0;
  if (files === undefined || held.files === 0) return undefined;
  return Math.round((held.bytes / held.files) * files);
}
