import { type EntityDefinition, findProperty } from "./model.ts";
import type { SampleVendor } from "./options.ts";
import { badRequest } from "./request-error.ts";

/** How a platform pages and what it refuses. */
export interface Play {
  readonly vendor: SampleVendor;
  /** Records in a page when none are asked for. */
  readonly pageDefault: number;
  /** Records in a page at most, unless the option `pageSize` says otherwise. */
  readonly pageMax: number;
  /** The order of every answer without `$orderby`. */
  readonly order: "time" | "key" | undefined;
  /** Query options that are refused. */
  readonly refused: readonly string[];
  /** `$skip` beyond it is refused. */
  readonly skipMax: number;
}

const PLAYS: Readonly<Record<SampleVendor, Play>> = {
  mlsgrid: {
    vendor: "mlsgrid",
    pageDefault: 500,
    pageMax: 5000,
    order: "time",
    refused: ["$orderby"],
    skipMax: 500_000,
  },
  trestle: {
    vendor: "trestle",
    pageDefault: 10,
    pageMax: 1000,
    order: undefined,
    refused: [],
    skipMax: 1_000_000,
  },
  bridge: {
    vendor: "bridge",
    pageDefault: 10,
    pageMax: 200,
    order: undefined,
    refused: [],
    skipMax: 10_000,
  },
  spark: {
    vendor: "spark",
    pageDefault: 10,
    pageMax: 1000,
    order: "key",
    refused: ["$orderby", "$skip"],
    skipMax: 0,
  },
};

/** Pages of Bridge's replication endpoint are larger by this. */
export const REPLICATION_FACTOR = 10;
/** A replication link of Trestle lives so long without being called. */
export const SESSION_MS = 5 * 60_000;
/** MLS Grid tells so long of what may no longer be shown. */
export const WITHDRAWN_MS = 7 * 86_400_000;

export function playOf(vendor: SampleVendor | undefined): Play | undefined {
  return vendor === undefined ? undefined : PLAYS[vendor];
}

/** Throws for query options of a collection that the platform refuses. */
export function checkPlay(
  play: Play,
  given: ReadonlyMap<string, string>,
  entity: EntityDefinition,
): void {
  for (const name of play.refused) {
    if (given.has(name)) {
      throw badRequest(`${name} is not supported`);
    }
  }
  if (Number(given.get("$skip") ?? 0) > play.skipMax) {
    throw badRequest(`Error getting data! $skip is larger than ${play.skipMax}`);
  }
  if (findProperty(entity, "OriginatingSystemName") !== undefined) {
    checkMlsGridFilter(given.get("$filter") ?? "");
  }
}

const MLS_GRID_OR_MAX = 5;
const MLS_GRID_BARE = /\b(?:OriginatingSystemName|MlgCanView|ModificationTimestamp)\b/;

function checkMlsGridFilter(filter: string): void {
  const bare = filter.replace(/'(?:[^']|'')*'/g, "''");
  const origins = bare.match(/\bOriginatingSystemName eq ''/g) ?? [];
  if (origins.length !== 1) {
    throw badRequest("exactly one OriginatingSystemName must be given");
  }
  if ((bare.match(/\bor\b/g) ?? []).length > MLS_GRID_OR_MAX) {
    throw badRequest(`more than ${MLS_GRID_OR_MAX} 'or' in $filter`);
  }
  for (let rest = bare, before = ""; rest !== before; ) {
    before = rest;
    rest = rest.replace(/\(([^()]*)\)/g, (_, group: string) => {
      if (MLS_GRID_BARE.test(group)) {
        throw badRequest("parentheses round a field of the replication change the result");
      }
      return "";
    });
  }
}
