import {
  judgeListing,
  type ListedFile,
  type Listing,
  type ListingFacts,
  readListing,
} from "../../core/media.ts";
import type { RecordKey } from "../../model/record.ts";
import { isSyncError } from "../../model/sync-error.ts";
import type { Value } from "../../model/value.ts";
import type { Children, ChildrenRequest } from "../../ports/connector.ts";
import type { MediaWork } from "./media-work.ts";
import type { ListingWay } from "./plan-media.ts";

/** A record whose files are to be looked at, as it was read. */
export interface MediaParent {
  readonly key: RecordKey;
  readonly values: Readonly<Record<string, Value>>;
}

/** What the system lists of one record's files. */
export interface RecordListing {
  readonly parent: MediaParent;
  readonly listing: Listing;
  /** When it was asked for: addresses are good for a while only. Epoch milliseconds. */
  readonly at: number;
  /** False: nothing may be removed by it. */
  readonly isProven: boolean;
  /** Rows that came, and what the record says that it has. */
  readonly rows: number;
  readonly told?: number;
}

type Rows = Children["rows"];

/**
 * Lists the files of some records. A record that the system does not show any more is left out. A
 * list that shows too little is asked for by the other way too, and the longer one counts.
 */
export async function listFiles(
  work: MediaWork,
  parents: readonly MediaParent[],
  heldCount: (parent: RecordKey) => number,
): Promise<readonly RecordListing[]> {
  const [first] = work.plan.ways;
  if (first === undefined) return [];
  const at = work.context.clock.now();
  const found = await ask(work, first, parents);
  const listings: RecordListing[] = [];
  for (const parent of parents) {
    const entry = found.get(parent.key);
    if (entry === undefined) continue;
    const told = toldCount(work, entry.record ?? parent.values);
    const facts: ListingFacts = {
      rows: entry.rows.length,
      held: heldCount(parent.key),
      ...(told === undefined ? {} : { told }),
    };
    const { rows, isProven } = await proven(work, parent, entry.rows, facts);
    listings.push({
      parent,
      listing: readListing(rows, work.plan.keyField, work.media.categories),
      at,
      isProven,
      rows: rows.length,
      ...(told === undefined ? {} : { told }),
    });
  }
  return listings;
}

/** The fuller list of both ways, where the first shows too little, and whether it is whole. */
async function proven(
  work: MediaWork,
  parent: MediaParent,
  rows: Rows,
  facts: ListingFacts,
): Promise<{ readonly rows: Rows; readonly isProven: boolean }> {
  if (judgeListing(facts) === "whole") return { rows, isProven: true };
  const [, second] = work.plan.ways;
  const other = second === undefined ? undefined : await askAgain(work, second, parent);
  if (other === undefined) return { rows, isProven: false };
  const isProven = judgeListing({ ...facts, second: other.length }) === "whole";
  if (other.length <= rows.length) return { rows, isProven };
  const isEnough = facts.told === undefined || other.length >= facts.told;
  return { rows: other, isProven: isEnough };
}

function toldCount(
  { media }: MediaWork,
  values: Readonly<Record<string, Value>>,
): number | undefined {
  const value = values[media.countField];
  if (value === undefined || value === null) return undefined;
  const count = Number(value);
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

interface Found {
  readonly record?: Readonly<Record<string, Value>>;
  readonly rows: Rows;
}

async function ask(
  work: MediaWork,
  way: ListingWay,
  parents: readonly MediaParent[],
): Promise<ReadonlyMap<RecordKey, Found>> {
  const { source } = work.context;
  const listed = (await source.children?.(requestOf(work, way, parents), work.signal)) ?? [];
  const byName = new Map(listed.map((children) => [children.of, children]));
  const found = new Map<RecordKey, Found>();
  for (const { key, values } of parents) {
    const name = way.kind === "expanded" ? key : String(values[way.parentField] ?? "");
    const children = byName.get(name);
    if (children !== undefined) found.set(key, children);
  }
  return found;
}

function requestOf(
  { plan }: MediaWork,
  way: ListingWay,
  parents: readonly MediaParent[],
): ChildrenRequest {
  if (way.kind === "expanded") {
    const keys = parents.map(({ key }) => key);
    return { kind: "expanded", query: plan.query, keys, relation: way.relation };
  }
  const values = parents.flatMap(({ values: own }) => own[way.parentField] ?? []);
  return { kind: "listed", query: way.query, field: way.field, values };
}

/** The other way may not be offered; then it has nothing to say. */
async function askAgain(
  work: MediaWork,
  way: ListingWay,
  parent: MediaParent,
): Promise<Rows | undefined> {
  try {
    return (await ask(work, way, [parent])).get(parent.key)?.rows;
  } catch (error) {
    if (!isSyncError(error) || !NOT_OFFERED.has(error.code)) throw error;
    return undefined;
  }
}

const NOT_OFFERED: ReadonlySet<string> = new Set([
  "CONNECTOR_BAD_REQUEST",
  "CONNECTOR_NOT_FOUND",
  "CONNECTOR_UNSUPPORTED",
  "CONNECTOR_UNAVAILABLE",
  "CONNECTOR_TIMEOUT",
  "FIELD_UNKNOWN",
]);

/** The file as it is listed this moment; undefined when it is listed no more. */
export async function listAgain(
  work: MediaWork,
  parent: MediaParent,
  media: RecordKey,
): Promise<ListedFile | undefined> {
  const [listing] = await listFiles(work, [parent], () => 0);
  return listing?.listing.files.find((file) => file.media === media);
}
