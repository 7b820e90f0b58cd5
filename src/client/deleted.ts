import {
  type DeletionFeed,
  deletionFeedOf,
  requireRetained,
} from "../connectors/odata/deletions.ts";
import { readFeed } from "../connectors/odata/feed.ts";
import type { RecordKey } from "../model/record.ts";
import { SyncError } from "../model/sync-error.ts";
import { parseTimestamp, timestampFromEpochMs } from "../model/timestamp.ts";
import type { ClientCore } from "./core.ts";
import { invalidRequest } from "./errors.ts";
import { createList } from "./list.ts";
import type { DeletedQuery, DeletedRecord, ResoList } from "./queries.ts";
import type { SetModel } from "./service.ts";

/** A time before all records. */
const DAWN = "1900-01-01T00:00:00Z";

/** What the service tells of deleted records of one set, oldest first. */
export function listDeleted(
  core: ClientCore,
  name: string,
  query: DeletedQuery,
): ResoList<DeletedRecord<string | number>> {
  return createList(() => deletedPages(core, name, query));
}

async function* deletedPages(
  core: ClientCore,
  name: string,
  query: DeletedQuery,
): AsyncGenerator<readonly DeletedRecord<string | number>[]> {
  const signal = core.signalOf(query.signal);
  let left = query.top ?? Number.POSITIVE_INFINITY;
  try {
    const model = (await core.models(signal)).set(name);
    const time = sinceText(model, query.since);
    if (!(left >= 0)) throw invalidRequest(`\`top\` is "${left}"; expected 0 or more.`, name);
    const session = core.session();
    const told = requireFeed(core, model);
    const from = { kind: "deletions", time: time ?? DAWN, key: null } as const;
    if (time !== undefined) requireRetained(told, from, name, session.clock);
    if (left === 0) return;
    for await (const { rows } of readFeed(session, told.feed, from, 0, signal)) {
      const { tombstones, bad } = told.tombstones(rows);
      const [problem] = bad.flatMap(({ problems }) => problems);
      if (problem !== undefined) throw unreadable(problem.message, name);
      const page = tombstones
        .slice(0, left)
        .map(({ key, deletedAt }) => ({ key: plainKey(model, key), deletedAt: deletedAt ?? null }));
      left -= page.length;
      if (page.length > 0) yield page;
      if (left <= 0) return;
    }
  } catch (error) {
    throw await core.errorOf(error, name);
  }
}

function requireFeed({ settings }: ClientCore, model: SetModel): DeletionFeed {
  const feed = deletionFeedOf(settings, model.stream);
  if (feed !== undefined) return feed;
  throw new SyncError(
    "CONNECTOR_UNSUPPORTED",
    `Nothing tells of deleted records of stream "${model.name}".`,
    {
      hint: "Set the option `deletions` to the set that tells of them, or compare keys.",
      context: { stream: model.name },
    },
  );
}

function unreadable(message: string, stream: string): SyncError {
  return new SyncError("CONNECTOR_BAD_RESPONSE", message, { context: { stream } });
}

function sinceText(model: SetModel, since: DeletedQuery["since"]): string | undefined {
  if (since === undefined) return undefined;
  if (since instanceof Date && !Number.isNaN(since.getTime())) {
    return timestampFromEpochMs(since.getTime());
  }
  const parsed = parseTimestamp(String(since));
  if (parsed.kind === "instant") return parsed.canonical;
  throw invalidRequest(
    `\`since\` is "${since}"; expected a Date, or a timestamp with its zone such as 2026-01-31T00:00:00Z.`,
    model.name,
  );
}

/** The key in the type that the set's own records have it in. */
function plainKey({ stream }: SetModel, key: RecordKey): string | number {
  const [name] = stream.schema.key;
  const type = stream.schema.fields.find((field) => field.name === name)?.type;
  return type?.kind === "integer" && type.bits !== 64 ? Number(key) : key;
}
