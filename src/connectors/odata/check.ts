import type { CheckResult } from "../../ports/connector.ts";
import { deletionFeedOf } from "./deletions.ts";
import type { ProbeNotes } from "./notebook.ts";
import { fetchQuery, isAbsent, isRefusal, type Session } from "./session.ts";
import type { StreamModel } from "./streams.ts";

type Streams = ReadonlyMap<string, StreamModel>;
type Probe = (session: Session, model: StreamModel, signal: AbortSignal) => Promise<void>;

/**
 * Checks a service whose metadata was read: that the token reads records, whether the deletion
 * feed is there and, unless probing is off, what the server supports.
 */
export async function checkService(
  session: Session,
  streams: Streams,
  probe: Probe,
  signal: AbortSignal,
): Promise<CheckResult> {
  const { settings, notebook } = session;
  const model = chosen(settings.probeStreams, streams);
  const facts: string[] = [];
  if (model === undefined) {
    facts.push("no stream to read");
  } else {
    // Metadata may be open to all; only a record shows that the token is good.
    const { name } = model.schema;
    const select = model.schema.key;
    const purpose = { what: `stream "${name}"`, stream: name };
    await fetchQuery(session, { set: name, purpose }, { top: 1, select }, signal);
    facts.push(await deletionFact(session, model, signal));
    if (settings.probe !== "never" && model.time !== undefined) {
      await probe(session, model, signal);
      const notes = await notebook.probe();
      if (notes !== undefined) facts.push(...probeFacts(notes));
    }
  }
  const { host } = new URL(settings.url);
  const as =
    settings.token === undefined && settings.grant === undefined
      ? "without a token"
      : "with a token";
  return { summary: `OData service at ${host}, ${streams.size} streams, read ${as}`, facts };
}

/** The first of the preferred streams, else the first with a time, else any. */
function chosen(preferred: readonly string[], streams: Streams): StreamModel | undefined {
  const all = [...streams.values()];
  return (
    preferred.map((name) => streams.get(name)).find((model) => model !== undefined) ??
    all.find((model) => model.schema.traits.changes) ??
    all[0]
  );
}

async function deletionFact(
  session: Session,
  model: StreamModel,
  signal: AbortSignal,
): Promise<string> {
  const feed = deletionFeedOf(session.settings, model)?.feed;
  if (feed === undefined) return "deletions: no feed configured, a sweep finds them by absence";
  try {
    await fetchQuery(session, feed, { filter: feed.filter, top: 1 }, signal);
    return feed.isHidden === true
      ? "deletions: told by the stream itself"
      : `deletions: told by "${feed.set}"`;
  } catch (error) {
    if (!isAbsent(error) && !isRefusal(error)) throw error;
    return `deletions: "${feed.set}" is not served, a sweep finds them by absence`;
  }
}

function probeFacts(notes: ProbeNotes): readonly string[] {
  const word = (found: boolean | null): string =>
    found === null ? "could not be told" : found ? "yes" : "no";
  const link = notes.nextLink ?? "could not be told";
  return [
    `probed on stream "${notes.stream}"`,
    `order by time and key: ${word(notes.compositeOrder)}`,
    `reading on after (time, key): ${word(notes.pairFilter)}`,
    `\`ge\` includes equality: ${word(notes.inclusiveGe)}`,
    `next links (keeps, skips by offset, or loses order): ${link}`,
    `\`in\` lists: ${word(notes.inOperator)}`,
    `count: ${notes.count}`,
    `page cap: ${notes.pageCap ?? "none seen"}`,
  ];
}
