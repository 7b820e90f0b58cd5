import { fieldDecoder } from "../../model/coerce.ts";
import { scalarDecoder } from "../../model/coerce-scalar.ts";
import { exactJson } from "../../model/exact-number.ts";
import { type BadRecord, type RecordKey, recordKey, type Tombstone } from "../../model/record.ts";
import { projectSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import { compareTimestamps, timestampFromEpochMs } from "../../model/timestamp.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { TimePosition } from "./cursor.ts";
import { compare, type FieldRef } from "./query.ts";
import type { RowPlace } from "./records.ts";
import { createRowReader } from "./records.ts";
import { servedSet } from "./served-set.ts";
import type {
  DeletionFeedSettings,
  OdataSettings,
  ScopeSettings,
  ServedSettings,
} from "./settings.ts";
import type { StreamModel } from "./streams.ts";
import type { TimeFeed } from "./time-feed.ts";

/** The part of the deletion feed that tells of one stream. */
export interface DeletionFeed {
  readonly feed: TimeFeed;
  /** The set that tells of them. */
  readonly origin: string;
  /** How far back it reaches, where that is known. */
  readonly retentionMs?: number;
  tombstones(rows: readonly unknown[]): {
    readonly tombstones: readonly Tombstone[];
    readonly bad: readonly BadRecord[];
  };
}

/** Nothing when the feed does not tell of the stream. */
export function deletionFeedOf(
  { deletions, served, scope }: OdataSettings,
  model: StreamModel,
): DeletionFeed | undefined {
  return (
    (scope && withdrawalsOf(scope, served, model)) ??
    (deletions && listedDeletions(deletions, model))
  );
}

/** The stream itself, seen by records that may no longer be shown. */
function withdrawalsOf(
  { visible }: ScopeSettings,
  served: ServedSettings | undefined,
  model: StreamModel,
): DeletionFeed | undefined {
  const { name, fields } = model.schema;
  const { time } = model;
  if (visible === undefined || time === undefined) return undefined;
  if (!fields.some((field) => field.name === visible.field)) return undefined;
  const { place } = createRowReader(model, projectSchema(model.schema, []));
  const order = servedSet(served, name);
  return {
    origin: name,
    retentionMs: visible.retentionMs,
    feed: {
      kind: "deletions",
      subject: `withdrawn ${name}`,
      set: name,
      isHidden: true,
      purpose: { what: `deletions of stream "${name}"`, stream: name },
      time,
      keys: model.keys,
      hasNumericKey: model.hasNumericKey,
      select: [...model.keys, time].map((field) => field.name),
      place,
      ...(order === undefined ? {} : { served: order }),
    },
    tombstones(rows) {
      const places = rows.map((row) => ({ row, at: place(row) }));
      return {
        tombstones: places.flatMap(({ at }): readonly Tombstone[] => {
          if (at === undefined) return [];
          const key = recordKey(at.key);
          return [at.time === undefined ? { key } : { key, deletedAt: at.time }];
        }),
        bad: places.filter(({ at }) => at === undefined).map(({ row }) => badTombstone(row, name)),
      };
    },
  };
}

function listedDeletions(
  settings: DeletionFeedSettings,
  model: StreamModel,
): DeletionFeed | undefined {
  const { name } = model.schema;
  const resource = settings.resources(name);
  if (resource === undefined) return undefined;
  const time: FieldRef = { name: settings.timeField, literal: { kind: "bare" } };
  const key: FieldRef = { name: settings.keyField, literal: { kind: "string" } };
  const of: FieldRef = { name: settings.resourceField, literal: { kind: "string" } };
  const decodeTime = scalarDecoder({ kind: "timestamp" }, {});
  // The feed writes every key as text; as the position in the feed it stays what it is.
  const decodeText = scalarDecoder({ kind: "text" }, { isKey: true });
  const decodeKey = keyDecoder(model);
  const purpose = { what: `deletions of stream "${name}"`, stream: name };

  const place = (row: unknown): RowPlace | undefined => {
    const { [key.name]: rawKey, [time.name]: rawTime } = (row ?? {}) as Record<string, unknown>;
    const text = rawKey === null || rawKey === undefined ? undefined : decodeText(rawKey);
    const at = typeof rawTime === "string" ? decodeTime(rawTime) : undefined;
    if (typeof text !== "string") return undefined;
    return typeof at === "string" ? { key: [text], time: at } : { key: [text] };
  };

  return {
    origin: settings.set,
    ...(settings.retentionMs === undefined ? {} : { retentionMs: settings.retentionMs }),
    feed: {
      kind: "deletions",
      subject: settings.set,
      set: settings.set,
      purpose,
      time,
      keys: [key],
      hasNumericKey: false,
      filter: compare(of, "eq", resource),
      place,
    },
    tombstones(rows) {
      const tombstones: Tombstone[] = [];
      const bad: BadRecord[] = [];
      for (const row of rows) {
        const told = (row as Readonly<Record<string, unknown>> | null)?.[of.name];
        if (typeof told === "string" && told.toLowerCase() !== resource.toLowerCase()) {
          throw notFiltered(purpose, told);
        }
        const at = place(row);
        const deleted =
          at === undefined || typeof told !== "string" ? undefined : decodeKey(at.key[0]);
        if (deleted === undefined) bad.push(badTombstone(row, name));
        else if (at?.time === undefined) tombstones.push({ key: deleted });
        else tombstones.push({ key: deleted, deletedAt: at.time });
      }
      return { tombstones, bad };
    },
  };
}

/** Text of the feed as the stream's own key: `"0337211"` is the number 337211 where keys are numbers. */
export function keyDecoder({ schema }: StreamModel): (text: unknown) => RecordKey | undefined {
  const [name] = schema.key.length === 1 ? schema.key : [];
  const field = schema.fields.find((each) => each.name === name);
  if (field === undefined) return () => undefined;
  const decode = fieldDecoder(schema, field);
  return (text) => {
    const value = decode(text);
    return value === undefined ? undefined : recordKey([value]);
  };
}

/**
 * Throws CURSOR_EXPIRED when the feed is known not to reach back to a position: deletions between
 * would be missed, and only a sweep of the keys finds them.
 */
export function requireRetained(
  { origin, retentionMs }: DeletionFeed,
  position: TimePosition,
  stream: string,
  clock: Clock,
): void {
  if (retentionMs === undefined) return;
  // Our clock may decide here: days are compared, and the position itself stays the server's.
  const oldest = timestampFromEpochMs(clock.now() - retentionMs);
  if (compareTimestamps(position.time, oldest) >= 0) return;
  throw new SyncError(
    "CURSOR_EXPIRED",
    `The deletions of stream "${stream}" were last read up to ${position.time}, and "${origin}" reaches back to ${oldest} only.`,
    { context: { stream } },
  );
}

function badTombstone(row: unknown, stream: string): BadRecord {
  const message = `An entry of the deletion feed names no key of stream "${stream}".`;
  return {
    image: exactJson(row),
    problems: [{ code: "RECORD_KEY_MISSING", message }],
  };
}

function notFiltered({ what, stream }: TimeFeed["purpose"], told: string): SyncError {
  return new SyncError(
    "CONNECTOR_BAD_RESPONSE",
    `The server does not filter ${what}: it sent an entry of "${told}".`,
    { context: stream === undefined ? {} : { stream } },
  );
}
