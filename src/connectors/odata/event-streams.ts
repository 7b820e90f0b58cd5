import type { Clock } from "../../ports/runtime.ts";
import type { OdataClient } from "./client.ts";
import { declaresEvents, EVENT_SET, type EventModel, eventModel } from "./event-model.ts";
import type { ServiceModel } from "./metadata-model.ts";
import type { Notebook } from "./notebook.ts";
import { fetchPage } from "./page.ts";
import { compare, type FieldRef, queryUrl } from "./query.ts";
import { isAbsent, isRefusal } from "./session.ts";
import type { OdataSettings } from "./settings.ts";
import { refOf, requireStream, type StreamModel } from "./streams.ts";

type Streams = ReadonlyMap<string, StreamModel>;

/** Where it stands whether the server's events tell of a stream. */
interface Asking {
  readonly settings: OdataSettings;
  readonly client: OdataClient;
  readonly notebook: Notebook;
  readonly clock: Clock;
  /** Streams of which no event was found, with the time when they were looked for. */
  readonly untold: Map<string, number>;
}

/** A long-lived process looks again after this time; a discovery that is tried again does not. */
const LOOK_AGAIN_MS = 3_600_000;

/**
 * The streams, those of which the server's events tell read by them. That a set of events is
 * declared does not show that it tells of a stream: unless configured, an event of it must have
 * been seen once, for a stream without events would look as if nothing ever changed in it.
 */
export async function withEvents(
  asking: Asking,
  service: ServiceModel,
  streams: Streams,
  signal: AbortSignal,
): Promise<Streams> {
  const { events: use } = asking.settings;
  if (use === "never") return streams;
  const set = service.sets.find(({ name }) => name === EVENT_SET);
  const declared = new Map((set?.type.properties ?? []).map((each) => [each.name, refOf(each)]));
  if (use !== "auto") for (const name of use) requireStream(streams, name);
  const candidates = use === "auto" ? (declaresEvents(declared) ? [...streams.keys()] : []) : use;
  const seen = await asking.notebook.eventStreams();
  const models = new Map(streams);
  for (const name of candidates) {
    const model = streams.get(name);
    // An event's key is one text; and no event tells of events.
    if (model === undefined || model.keys.length !== 1 || name === EVENT_SET) continue;
    const events = eventModel(name, declared);
    const isTold = use !== "auto" || seen.has(name) || (await tellsOf(asking, events, signal));
    if (!isTold) continue;
    if (use === "auto" && !seen.has(name)) await asking.notebook.noteEventStream(name);
    models.set(name, byEvents(model, events));
  }
  return models;
}

function byEvents(model: StreamModel, events: EventModel): StreamModel {
  const traits = { ...model.schema.traits, changes: true, events: true };
  return { ...model, events, schema: { ...model.schema, traits } };
}

/** A set that is declared and not granted tells of nothing. */
async function tellsOf(
  { settings, client, clock, untold }: Asking,
  events: EventModel,
  signal: AbortSignal,
): Promise<boolean> {
  const lookedAt = untold.get(events.word);
  if (lookedAt !== undefined && clock.now() - lookedAt < LOOK_AGAIN_MS) return false;
  const filter = ofStream(events);
  const url = queryUrl(settings.url, events.set, { filter, top: 1 });
  const purpose = { what: `whether "${events.set}" tells of stream "${events.word}"` };
  try {
    if ((await fetchPage(client, url, purpose, signal)).rows.length > 0) return true;
  } catch (error) {
    if (!isAbsent(error) && !isRefusal(error)) throw error;
  }
  untold.set(events.word, clock.now());
  return false;
}

/** The condition that an event is of the stream. */
export function ofStream({ resource, word }: { resource: FieldRef; word: string }): string {
  return compare(resource, "eq", word);
}
