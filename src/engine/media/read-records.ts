import type { RecordKey, StreamRecord } from "../../model/record.ts";
import { valuesByName } from "../../model/record.ts";
import type { Page } from "../../ports/connector.ts";
import { readByKeys } from "../replicate/read-by-keys.ts";
import { removeRecords } from "./absent-records.ts";
import type { MediaParent } from "./list-files.ts";
import { lookAt } from "./look-at.ts";
import {
  commitMedia,
  enterMediaPhase,
  type MediaPosition,
  type MediaWork,
  noteMedia,
} from "./media-work.ts";

/** Records looked at together: their lists are one request, and their addresses stay fresh. */
export const LISTED_TOGETHER = 20;

/**
 * Looks at every record that is not known yet, by a walk that goes on where it stopped, and then at
 * those whose files changed since. The cursor is saved after the files of its page.
 */
export async function readChangedRecords(work: MediaWork): Promise<void> {
  enterMediaPhase(work, "reading");
  const walked: Walked = new Map();
  if (work.position.state.phase === "walk") await walk(work, walked);
  if (work.plan.parent.overlapMs === 0) walked.clear();
  const { cursor, state } = work.position;
  if (cursor === null) return;
  const { source } = work.context;
  const { query, parent } = work.plan;
  const request = {
    kind: "changes",
    query,
    since: cursor,
    overlapMs: parent.overlapMs,
  } as const;
  for await (const page of source.read(request, work.signal)) {
    await lookAtPage(work, page, walked);
    await moveTo(work, { cursor: page.cursor, state: { ...state, pending: [] } });
  }
}

/**
 * Times of the records that this run has looked at: the overlap of the changes need not look at
 * them again. What changes later within the same second is in the overlap of the next run.
 */
type Walked = Map<RecordKey, string | undefined>;

/** Of so many at most; the others are looked at again. */
const WALKED_MAX = 100_000;

async function walk(work: MediaWork, seen: Walked): Promise<void> {
  const { source } = work.context;
  const { query, hasFeed } = work.plan;
  const { cursor, state } = work.position;
  work.tally.walked = state.walked;
  work.tally.total = (await source.head(query, work.signal).catch(() => undefined))?.count;
  const request = { kind: "walk", query, after: cursor, projection: "record" } as const;
  for await (const page of source.read(request, work.signal)) {
    await lookAtPage(work, page);
    for (const { key, modifiedAt } of page.records) {
      if (seen.size < WALKED_MAX) seen.set(key, modifiedAt);
    }
    const { walked } = work.tally;
    await moveTo(work, { cursor: page.cursor, state: { ...state, walked, pending: [] } });
  }
  if (!hasFeed) {
    noteMedia(work, "The source cannot tell whose files changed: each run looks at every record.");
  }
  const { since } = state;
  // Without a place to read changes from, the next run walks again.
  const phase = since === null ? "walk" : "changes";
  await moveTo(work, { cursor: since, state: { ...state, phase, walked: 0, pending: [] } });
}

async function moveTo(work: MediaWork, position: MediaPosition): Promise<void> {
  await commitMedia(work, { position });
}

/** A record that cannot be read is parked where records are; its files wait for it. */
async function lookAtPage(work: MediaWork, page: Page, seen: Walked = new Map()): Promise<void> {
  const isNew = ({ key, modifiedAt }: StreamRecord): boolean =>
    modifiedAt === undefined || seen.get(key) !== modifiedAt;
  const records = page.records.filter(isNew);
  const parents = [...new Map(records.map((record) => [record.key, record])).values()];
  const size = Math.min(LISTED_TOGETHER, work.context.source.capabilities.keysPerRead);
  for (let start = 0; start < parents.length; start += size) {
    work.signal.throwIfAborted();
    const part = parents.slice(start, start + size);
    await lookAt(
      work,
      part.map((record) => parentOf(work, record)),
    );
  }
}

function parentOf({ plan }: MediaWork, record: StreamRecord): MediaParent {
  return { key: record.key, values: valuesByName(plan.query.schema, record.values) };
}

/** Looks at single records; the files of one that is not served any more are removed. */
export async function readNamedRecords(work: MediaWork, keys: readonly RecordKey[]): Promise<void> {
  enterMediaPhase(work, "reading");
  const asking = { context: work.context, query: work.plan.query, signal: work.signal };
  const { position } = work;
  const { records, bad } = await readByKeys(asking, keys);
  const size = Math.min(LISTED_TOGETHER, work.context.source.capabilities.keysPerRead);
  for (let start = 0; start < records.length; start += size) {
    const part = records.slice(start, start + size);
    await lookAt(
      work,
      part.map((record) => parentOf(work, record)),
    );
  }
  const served = new Set([...records, ...bad].map(({ key }) => key));
  const gone = keys.filter((key) => !served.has(key));
  enterMediaPhase(work, "deleting");
  await removeRecords(work, gone);
  // The lane stays where it was: single records say nothing about the others.
  await commitMedia(work, { position });
}
