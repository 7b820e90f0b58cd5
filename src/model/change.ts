import type { RecordKey } from "./record.ts";
import type { Value } from "./value.ts";

export type ChangeKind = "create" | "update" | "delete";

/** Before and after of one field. */
export interface FieldChange {
  readonly field: string;
  readonly before: Value;
  readonly after: Value;
}

/**
 * What happened to one record, as it is logged.
 * create: `after` holds the whole record; update: `fields` holds each changed field;
 * delete: `before` holds the whole last image. Images are by field name.
 */
export interface Change {
  readonly kind: ChangeKind;
  readonly key: RecordKey;
  readonly fields: readonly FieldChange[];
  readonly before?: Readonly<Record<string, Value>>;
  readonly after?: Readonly<Record<string, Value>>;
  /** The source's own time of the change, where it gives one (canonical timestamp). */
  readonly sourceTime?: string;
}

/** A change as read back from the log. `id` grows with every entry of the home. */
export interface LoggedChange extends Change {
  readonly id: number;
  readonly sync: string;
  readonly stream: string;
  readonly runId: string;
  /** When Lockstep applied it, epoch milliseconds. */
  readonly at: number;
}

/** Query on the change log; every given condition must hold. Newest first unless told. */
export interface ChangeFilter {
  readonly sync?: string;
  readonly stream?: string;
  readonly key?: RecordKey;
  readonly kinds?: readonly ChangeKind[];
  /** Updates that changed at least one of these fields. */
  readonly fields?: readonly string[];
  /** Updates in which `field` went from `before` to `after` (either may be absent: any value). */
  readonly transition?: {
    readonly field: string;
    readonly before?: string;
    readonly after?: string;
  };
  readonly runId?: string;
  /** Epoch milliseconds, inclusive. */
  readonly since?: number;
  /** Epoch milliseconds, exclusive. */
  readonly until?: number;
  /** Only entries with an id above this one. */
  readonly afterId?: number;
  readonly oldestFirst?: boolean;
  readonly limit?: number;
}

/**
 * A status as it is compared in transitions: case and spaces do not matter, so that a member name
 * ("ActiveUnderContract") equals its display name. Null and lists are no status: undefined.
 */
export function foldStatus(value: Value): string | undefined {
  if (value === null || typeof value === "object") return undefined;
  return String(value).replace(/\s+/g, "").toLowerCase();
}

/** True when the change is an update that made the transition. */
export function isTransition(
  change: Change,
  { field, before, after }: NonNullable<ChangeFilter["transition"]>,
): boolean {
  const changed = change.fields.find((candidate) => candidate.field === field);
  if (change.kind !== "update" || changed === undefined) return false;
  return (
    (before === undefined || foldStatus(changed.before) === foldStatus(before)) &&
    (after === undefined || foldStatus(changed.after) === foldStatus(after))
  );
}

/** True when every condition of the filter holds; how many and in what order is not its matter. */
export function matchesFilter(change: LoggedChange, filter: ChangeFilter): boolean {
  const { sync, stream, key, runId, kinds, fields, transition, since, until, afterId } = filter;
  return (
    (sync === undefined || change.sync === sync) &&
    (stream === undefined || change.stream === stream) &&
    (key === undefined || change.key === key) &&
    (runId === undefined || change.runId === runId) &&
    (kinds === undefined || kinds.includes(change.kind)) &&
    (since === undefined || change.at >= since) &&
    (until === undefined || change.at < until) &&
    (afterId === undefined || change.id > afterId) &&
    (fields === undefined || change.fields.some(({ field }) => fields.includes(field))) &&
    (transition === undefined || isTransition(change, transition))
  );
}
