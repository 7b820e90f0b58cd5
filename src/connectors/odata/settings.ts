import type { ZoneRule } from "../../model/coerce-scalar.ts";
import type { TokenGrant } from "../http/authorize.ts";
import type { EntitySet } from "./metadata-model.ts";

/** What may be set for one stream. Absent means: as `$metadata` and the usual names say. */
export interface StreamSettings {
  readonly key?: readonly string[];
  /** Field with the record's own time of last change; null: the stream has none that can be trusted. */
  readonly modifiedAt?: string | null;
  /** Fields whose times stand in a local zone. */
  readonly zones?: Readonly<Record<string, ZoneRule>>;
}

/**
 * The feed that tells of deleted records. It stands in no `$metadata`, so its three fields are
 * carried here: which resource a row is of, the deleted key as text, and when.
 */
export interface DeletionFeedSettings {
  readonly set: string;
  readonly resourceField: string;
  readonly keyField: string;
  readonly timeField: string;
  /** The feed's word for a stream, or nothing where the feed does not tell of it. */
  readonly resources: (stream: string) => string | undefined;
  /** How far back the feed reaches, where that is known; an older cursor is refused. */
  readonly retentionMs?: number;
}

/**
 * Streams whose changes are read by the server's own events: those that its EntityEvent set tells
 * of (`auto`), these (a list), or none (`never`).
 */
export type EventUse = "auto" | "never" | readonly string[];

export type Paging = "auto" | "keyset" | "next-link";
/** `auto`: once per service, then remembered; `always`: by every connector anew; `never`: try and fall back. */
export type ProbePolicy = "auto" | "always" | "never";

/**
 * How a server gives sets of which it takes no `$orderby`: oldest change first (`time`), or by key
 * with next links that hold the key (`key`).
 */
export interface ServedSettings {
  readonly order: "time" | "key";
  /** What follows the set where its pages come so, such as `/replication`; absent: nothing. */
  readonly path?: string;
  /** Streams that are given so; absent: all. */
  readonly streams?: readonly string[];
  /** Records asked for per page; absent: as elsewhere. */
  readonly pageSize?: number;
  /** The set itself takes `$orderby`, so that its newest record can be asked for. */
  readonly takesOrder: boolean;
}

/** What every request must be about, for streams that have the fields. */
export interface ScopeSettings {
  /** One value that a field must have. */
  readonly origin?: { readonly field: string; readonly value: string };
  /**
   * A field that is false in records that may no longer be shown: these are tombstones, never
   * records, and the server forgets them after `retentionMs`.
   */
  readonly visible?: { readonly field: string; readonly retentionMs: number };
}

/** An OData connector's settings with every default filled in. */
export interface OdataSettings {
  /** Service root, without a slash at its end. */
  readonly url: string;
  /** Text of the bearer token, already resolved. */
  readonly token?: string;
  /** Instead of a token: how one is asked for. */
  readonly grant?: TokenGrant;
  /** Records asked for per page; absent: the server's own page size. */
  readonly pageSize?: number;
  readonly paging: Paging;
  readonly probe: ProbePolicy;
  readonly keysPerRead: number;
  /** Bound for the length of a URL that lists keys or fields. */
  readonly urlLengthMax: number;
  /** `in (...)` for key lists: as the probe found it, or decided. */
  readonly membership: "auto" | "in" | "or";
  readonly concurrency: number;
  /** Which form payloads have where one member's display name is another member's name. */
  readonly lookups: "name" | "display";
  readonly streams: Readonly<Record<string, StreamSettings>>;
  /** Streams of `streams` that must exist; those of a profile need not. */
  readonly requiredStreams: readonly string[];
  /** Field names that carry the time of last change, where a stream has one of them. */
  readonly modifiedAtNames: readonly string[];
  readonly deletions?: DeletionFeedSettings;
  readonly events: EventUse;
  /** Sets that a server may have though its `$metadata` does not name them; used where named. */
  readonly carried: readonly EntitySet[];
  /** The set with the readable values of lookups; absent: values are as `$metadata` shows them. */
  readonly lookupSet?: string;
  /** Streams tried first as the one that is probed. */
  readonly probeStreams: readonly string[];
  /** Navigation names that work although `$metadata` does not declare them, by stream. */
  readonly expandable: Readonly<Record<string, readonly string[]>>;
  readonly served?: ServedSettings;
  /**
   * Query option with which an answer holds a link that gives the next page each time it is
   * called: the server keeps the place, so a lost answer or an expired link begins a new one.
   */
  readonly sessionOption?: string;
  readonly scope?: ScopeSettings;
}
