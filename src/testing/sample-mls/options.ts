/** A platform whose contract the server can keep, strictly, instead of that of WFRMLS. */
export type SampleVendor = "mlsgrid" | "trestle" | "bridge" | "spark";

/** A set that the server has only where it is granted. */
export type SampleGrant = "EntityEvent" | "HistoryTransactional";

/** What the generated data is; fixed once the server has started. */
export interface SampleData {
  /** Everything generated follows from it. Default 1. */
  readonly seed: number;
  /** Number of listings at the start, at most 2,000,000. Default 2,000. */
  readonly listings: number;
  /** Default: one for 30 listings, at least 20. */
  readonly members: number;
  /** Default: one for 8 members, at least 5. */
  readonly offices: number;
  /** Columns of Property, at least 40. Default 40; WFRMLS has 327. */
  readonly propertyFields: number;
  /** Photos of a listing are between none and this. Default 4. */
  readonly photosMax: number;
  /** Size of the groups of listings that share one ModificationTimestamp. Default 250. */
  readonly tieSize: number;
  /** Rows that `Deleted` holds at the start. Default 50. */
  readonly deletedHistory: number;
  /** All generated timestamps are before it. Default 2025-06-01T00:00:00Z. */
  readonly epoch: string;
  /** Bound for the cache of serialised rows. Default 64 MiB. */
  readonly cacheBytes: number;
  /** Whose contract the server keeps. Default: that of WFRMLS. */
  readonly plays: SampleVendor | undefined;
  /**
   * How fields with a lookup are declared and sent: enum types, of several values joined by commas;
   * or, as the Data Dictionary 2.0 has it, texts and lists of texts. Default "enum".
   */
  readonly lookupStyle: "enum" | "text";
  /** Sets served beside the usual ones. Default: none. */
  readonly grants: readonly SampleGrant[];
}

/** How the server behaves; `control.configure` changes it while it runs. */
export interface SampleBehavior {
  /** Page cap. Default 200. */
  pageSize: number;
  /** Page cap when the request has `$expand`. Default: as `pageSize`. */
  expandPageSize: number | undefined;
  /** The nextLink repeats the request's `$orderby`. Default true. */
  nextLinkKeepsOrder: boolean;
  /** The nextLink repeats the request's `$filter`. Default true. */
  nextLinkKeepsFilter: boolean;
  /** Default "absolute". */
  nextLinkForm: "absolute" | "relative";
  /** Write the nextLink before `value`. Default false. */
  nextLinkFirst: boolean;
  /** A last page that is full still has a nextLink, to an empty page. Default false. */
  emptyLastPage: boolean;
  /** `in (...)` is understood. Default true. */
  inOperator: boolean;
  /** `StandardStatus eq 'Active'` is understood. Default false: only the qualified literal is. */
  bareStringEnum: boolean;
  /** `$orderby` with two keys is accepted. Default true. */
  compositeOrderBy: boolean;
  /** `or` between comparisons of different properties is accepted. Default true. */
  orAcrossFields: boolean;
  /** `ge` includes equality on timestamps. Default true; false is the bug of some servers. */
  inclusiveGe: boolean;
  /** A larger `$skip` is refused with 400. Default: no limit. */
  skipLimit: number | undefined;
  /** `/Property/$count` exists. Default true. */
  countPath: boolean;
  /** `Prefer: odata.maxpagesize` is honoured. Default false. */
  preferMaxPageSize: boolean;
  /** Enum values in payloads: display names, or member names. Default "display". */
  lookups: "display" | "member";
  /** Answer for a key that does not exist. Default "404". */
  missing: "404" | "empty";
  /** Status of a request with a wrong token. Default 401. */
  authFailureStatus: 401 | 403;
  /** The token stops working after this many requests. Default: never. */
  tokenExpiresAfter: number | undefined;
  /** Rows have `@odata.id`, also under `$select`. Default true. */
  odataIdOnSelect: boolean;
}

/** Clients that may ask for tokens at `POST /oauth/token`. */
export interface SampleOauth {
  readonly clientId: string;
  readonly clientSecret: string;
  /** For the password grant; without them it is refused. */
  readonly username?: string;
  readonly password?: string;
  /** How long a token works, by the server's clock. Default 3600. */
  readonly lifetimeSeconds?: number;
}

/** How the file server behaves; `control.configureFiles` changes it while it runs. */
export interface SampleFileSettings {
  /** An address works once; it is signed anew each time it is shown. Default false. */
  readonly singleUse?: boolean;
  /** Signed addresses work so long. Default: for ever, without a signature. */
  readonly validMs?: number;
  /** Expansions of Media are empty, whatever there is. Default false. */
  readonly emptyExpansions?: boolean;
  /** Header that must hold the token: "authorization" or "user-agent". Default: none. */
  readonly tokenIn?: "authorization" | "user-agent";
  /** `Content-Length` is left out. Default false. */
  readonly isChunked?: boolean;
}

/** Options of `startSampleMls`; all have defaults. */
export interface SampleMlsOptions extends Partial<SampleData>, Partial<SampleBehavior> {
  /** Port on 127.0.0.1. Default: any that is free. */
  readonly port?: number;
  /** Bearer token; null lets everybody in. Default "sample-token". */
  readonly token?: string | null;
  /** Offers a token endpoint; its tokens work beside `token`. Default: none. */
  readonly oauth?: SampleOauth;
  /** Serves the photos themselves, and says so in MediaURL. Default: their addresses lead nowhere. */
  readonly files?: SampleFileSettings;
  /** The server's clock in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

const LISTINGS_MAX = 2_000_000;

/** Completes the options that shape the data and refuses those that make no sense. */
export function resolveData(options: SampleMlsOptions): SampleData {
  const listings = options.listings ?? 2_000;
  const members = options.members ?? Math.max(20, Math.floor(listings / 30));
  const data: SampleData = {
    seed: options.seed ?? 1,
    listings,
    members,
    offices: options.offices ?? Math.max(5, Math.floor(members / 8)),
    propertyFields: options.propertyFields ?? 40,
    photosMax: options.photosMax ?? 4,
    tieSize: options.tieSize ?? 250,
    deletedHistory: options.deletedHistory ?? 50,
    epoch: options.epoch ?? "2025-06-01T00:00:00Z",
    cacheBytes: options.cacheBytes ?? 64 * 1024 * 1024,
    plays: options.plays,
    lookupStyle: options.lookupStyle ?? "enum",
    grants: options.grants ?? [],
  };
  requireInteger("listings", listings, 0, LISTINGS_MAX);
  requireInteger("members", data.members, 1, LISTINGS_MAX);
  requireInteger("offices", data.offices, 1, LISTINGS_MAX);
  requireInteger("propertyFields", data.propertyFields, 40, 2_000);
  requireInteger("photosMax", data.photosMax, 0, 15);
  requireInteger("tieSize", data.tieSize, 1, LISTINGS_MAX);
  requireInteger("deletedHistory", data.deletedHistory, 0, LISTINGS_MAX);
  return data;
}

function requireInteger(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`Option ${name} is ${value}: expected an integer in ${min}-${max}.`);
  }
}

const BEHAVIOR_DEFAULTS: SampleBehavior = {
  pageSize: 200,
  expandPageSize: undefined,
  nextLinkKeepsOrder: true,
  nextLinkKeepsFilter: true,
  nextLinkForm: "absolute",
  nextLinkFirst: false,
  emptyLastPage: false,
  inOperator: true,
  bareStringEnum: false,
  compositeOrderBy: true,
  orAcrossFields: true,
  inclusiveGe: true,
  skipLimit: undefined,
  countPath: true,
  preferMaxPageSize: false,
  lookups: "display",
  missing: "404",
  authFailureStatus: 401,
  tokenExpiresAfter: undefined,
  odataIdOnSelect: true,
};

/** Takes the options that shape the behaviour; names that are not such options are left out. */
export function resolveBehavior(options: Partial<SampleBehavior>): SampleBehavior {
  const behavior = { ...BEHAVIOR_DEFAULTS };
  applyBehavior(behavior, options);
  return behavior;
}

/** Changes a running server's behaviour in place. */
export function applyBehavior(behavior: SampleBehavior, changes: Partial<SampleBehavior>): void {
  const known = Object.entries(changes)
    .filter(([name]) => name in BEHAVIOR_DEFAULTS)
    // JSON has no undefined, so a control request says null for "no limit".
    .map(([name, value]) => [name, value ?? undefined]);
  Object.assign(behavior, Object.fromEntries(known));
}
