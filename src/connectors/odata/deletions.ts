import { fieldDecoder } from "../../model/coerce.ts";
import { scalarDecoder } from "../../model/coerce-scalar.ts";
import { exactJson } from "../../model/exact-number.ts";
import { type BadRecord, type RecordKey, recordKey, type Tombstone } from "../../model/record.ts";
import { SyncError } from "../../model/sync-error.ts";
import { compareTimestamps, timestampFromEpochMs } from "../../model/timestamp.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { TimePosition } from "./cursor.ts";
import { compare, type FieldRef } from "./query.ts";
import type { RowPlace } from "./records.ts";
import type { DeletionFeedSettings } from "./settings.ts";
import type { StreamModel } from "./streams.ts";
import type { TimeFeed } from "./time-feed.ts";

/** The part of the deletion feed that tells of one stream. */
export interface DeletionFeed {
  readonly feed: TimeFeed;
  tombstones(rows: readonly unknown[]): {
    readonly tombstones: readonly Tombstone[];
    readonly bad: readonly BadRecord[];
  };
}

/** Nothing when the feed does not tell of the stream. */
export function deletionFeedOf(
  settings: DeletionFeedSettings | undefined,
  model: StreamModel,
): DeletionFeed | undefined {
  const { name } = model.schema;
  const resource = settings?.resources(name);
  if (settings === undefined || resource === undefined) return undefined;
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
        const deleted = at === undefined || typeof told !== "string" ? undefined : decodeKey(at);
        if (deleted === undefined) bad.push(badTombstone(row, name));
        else if (at?.time === undefined) tombstones.push({ key: deleted });
        else tombstones.push({ key: deleted, deletedAt: at.time });
      }
      return { tombstones, bad };
    },
  };
}

/** Text of the feed as the stream's own key: `"0337211"` is the number 337211 where keys are numbers. */
function keyDecoder({ schema }: StreamModel): (place: RowPlace) => RecordKey | undefined {
  const [name] = schema.key.length === 1 ? schema.key : [];
  const field = schema.fields.find((each) => each.name === name);
  if (field === undefined) return () => undefined;
  const decode = fieldDecoder(schema, field);
  return ({ key: [text] }) => {
    const value = decode(text);
    return value === undefined ? undefined : recordKey([value]);
  };
}

/**
 * Throws CURSOR_EXPIRED when the feed is known not to reach back to a position: deletions between
 * would be missed, and only a sweep of the keys finds them.
 */
export function requireRetained(
  settings: DeletionFeedSettings,
  position: TimePosition,
  stream: string,
  clock: Clock,
): void {
  if (settings.retentionMs === undefined) return;
  // Our clock may decide here: days are compared, and the position itself stays the server's.
  const oldest = timestampFromEpochMs(clock.now() - settings.retentionMs);
  if (compareTimestamps(position.time, oldest) >= 0) return;
  throw new SyncError(
    "CURSOR_EXPIRED",
    `The deletions of stream "${stream}" were last read up to ${position.time}, and "${settings.set}" reaches back to ${oldest} only.`,
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
