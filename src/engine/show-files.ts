import { filesStream, type HeldFile, locateFile } from "../model/media.ts";
import type { ParkedRecord } from "../model/parked.ts";
import { type RecordKey, recordKey } from "../model/record.ts";
import type { ReplicaContext } from "./replica-context.ts";
import type { RelatedRecords, ShownFile, ShownRecord } from "./results.ts";

/** True for the relation whose files the sync keeps. */
export function hasFiles({ spec }: ReplicaContext, stream: string, relation: string): boolean {
  return spec.media?.stream === stream && spec.media.relation === relation;
}

/**
 * The related records with what is known of each one's file. Files that no record tells of follow,
 * told by what is held: the replica need not have their records.
 */
export async function withFiles(
  { home, spec }: ReplicaContext,
  key: RecordKey,
  related: RelatedRecords,
): Promise<RelatedRecords> {
  const { media } = spec;
  if (media === undefined) return related;
  const stream = filesStream(media);
  const held = await home.heldFiles(spec.name, stream, [key]);
  const parked = new Map(
    (await home.parked({ sync: spec.name, stream })).map((entry) => [entry.key, entry]),
  );
  const show = (id: RecordKey, file: HeldFile | undefined): ShownFile =>
    shownFile(file, parked.get(recordKey([key, id])), (path) => locateFile(media.to, path));
  const records = related.records.map((record) => {
    const file = held.find((each) => each.media === record.key);
    return { ...record, file: show(record.key, file) };
  });
  const told = new Set(related.records.map((record) => record.key));
  const others = held.filter(({ media: id }) => !told.has(id));
  return {
    ...related,
    records: [...records, ...others.map((file) => untold(file, show(file.media, file)))],
  };
}

function shownFile(
  file: HeldFile | undefined,
  parked: ParkedRecord | undefined,
  locate: (path: string) => string,
): ShownFile {
  const problem = parked?.problems[0]?.message;
  const trouble =
    parked === undefined
      ? {}
      : { parkedId: parked.id, ...(problem === undefined ? {} : { problem }) };
  if (file === undefined) return { state: parked === undefined ? "none" : "parked", ...trouble };
  const { path, contentType, size, hash, fetchedAt } = file;
  const state = parked === undefined ? "held" : "stale";
  return { state, location: locate(path), contentType, size, hash, fetchedAt, ...trouble };
}

/** A file without its record: only what was noted when it was fetched is known of it. */
function untold({ media, url, order, changedAt }: HeldFile, file: ShownFile): ShownRecord {
  return {
    key: media,
    values: { MediaURL: url, ...(order === undefined ? {} : { Order: order }) },
    ...(changedAt === undefined ? {} : { modifiedAt: changedAt }),
    file,
  };
}
