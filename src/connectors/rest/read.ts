import { numberText } from "../../model/exact-number.ts";
import type { BadRecord, StreamRecord } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import {
  addMs,
  compareTimestamps,
  timestampFromEpochMs,
  timestampToEpochMs,
} from "../../model/timestamp.ts";
import type { KeyMark, Page, ReadRequest, StreamHead } from "../../ports/connector.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { Answer, Parameters, RestClient } from "./client.ts";
import { type ChangePlace, changePlace, changesCursor, walkCursor, walkPlace } from "./cursor.ts";
import type { ListAsk } from "./list-page.ts";
import { firstCall, listPages } from "./paging.ts";
import { pathOf, valueAt } from "./paths.ts";
import { createRowReader, type RowReader } from "./rows.ts";
import type { RestStream, TimeFormat } from "./settings.ts";

/** What one read is made with. */
export interface Reading {
  readonly client: RestClient;
  readonly stream: RestStream;
  readonly schema: StreamSchema;
  readonly clock: Clock;
}

export type Request<K extends ReadRequest["kind"]> = Extract<ReadRequest, { readonly kind: K }>;

export const EMPTY = { records: [], marks: [], tombstones: [], bad: [] } as const;

export function asking(
  { client, stream }: Reading,
  rows: RowReader,
  parameters: Parameters,
  signal: AbortSignal,
): ListAsk {
  return { client, stream, parameters, identity: rows.identity, signal };
}

/** Every record, in the list's own order. */
export async function* walkPages(
  reading: Reading,
  { after, projection }: Request<"walk">,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const rows = createRowReader(reading.stream, reading.schema);
  const from = walkPlace(after);
  if (reading.stream.paging.style === "none") {
    yield* wholeList(reading, rows, from, projection, signal);
    return;
  }
  for await (const page of listPages(asking(reading, rows, [], signal), from)) {
    yield { ...contents(rows, page.rows, projection), cursor: walkCursor(page.next) };
  }
}

/** Records on a page where an API does not tell how many it gives. */
const PAGE_SIZE = 500;

/** A list that comes whole: read by the order of keys, so that it may be edited meanwhile. */
async function* wholeList(
  reading: Reading,
  rows: RowReader,
  from: ReturnType<typeof walkPlace>,
  projection: "record" | "key",
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const after = from.at === "token" ? from.token : undefined;
  for await (const page of listPages(asking(reading, rows, [], signal), { at: "start" })) {
    const named = page.rows.map((raw) => ({ name: rows.identity(raw), raw }));
    named.sort((a, b) => (a.name < b.name ? -1 : 1));
    const rest = named.filter(({ name }) => after === undefined || name > after);
    const size = sizeOf(reading.stream);
    for (let at = 0; at < rest.length; at += size) {
      const some = rest.slice(at, at + size);
      const cursor = walkCursor({ at: "token", token: some.at(-1)?.name ?? "" });
      yield {
        ...contents(
          rows,
          some.map(({ raw }) => raw),
          projection,
        ),
        cursor,
      };
    }
  }
}

export function contents(
  rows: RowReader,
  raws: readonly unknown[],
  projection: "record" | "key",
): Omit<Page, "cursor"> {
  const records: StreamRecord[] = [];
  const marks: KeyMark[] = [];
  const bad: BadRecord[] = [];
  for (const raw of raws) {
    const mark = projection === "key" ? rows.mark(raw) : undefined;
    if (mark !== undefined) {
      marks.push(mark);
      continue;
    }
    const row = rows.row(raw);
    if ("bad" in row) bad.push(row.bad);
    else records.push(row.record);
  }
  return { ...EMPTY, records, marks, bad };
}

/**
 * What changed since a time, oldest first. Few APIs give it in that order, so it is gathered and
 * sorted: its size, not the stream's, is what is held in memory.
 */
export async function* changePages(
  reading: Reading,
  { since, overlapMs }: Request<"changes">,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const { stream } = reading;
  const { changes } = stream;
  if (changes === undefined) throw unsupported(stream, "changes");
  const place = changePlace(since);
  const from = addMs(place.time, -overlapMs);
  // An API may leave out what is of the very time.
  const asked = formatted(addMs(from, -UNIT_MS[changes.format]), changes.format);
  const rows = createRowReader(reading.stream, reading.schema);
  const ask = asking(reading, rows, [[changes.parameter, asked]], signal);
  const found = new Map<string, Changed>();
  for await (const page of listPages(ask, { at: "start" })) {
    for (const raw of page.rows) {
      const mark = rows.mark(raw);
      // Without a time nobody can say whether it is new; it is told, so that nothing is lost.
      const time = mark?.modifiedAt ?? from;
      const key = mark?.key ?? rows.identity(raw);
      const changed = { time, key, raw };
      if (overlapMs > 0 ? compareTimestamps(time, from) >= 0 : isAfter(changed, place)) {
        found.set(key, changed);
      }
    }
  }
  const inOrder = [...found.values()].sort(
    (a, b) => compareTimestamps(a.time, b.time) || (a.key < b.key ? -1 : 1),
  );
  const size = sizeOf(stream);
  for (let at = 0; at < inOrder.length; at += size) {
    const some = inOrder.slice(at, at + size);
    const last = some.at(-1);
    if (last === undefined) return;
    const next = isAfter(last, place) ? { time: last.time, key: last.key } : place;
    const cursor = changesCursor(next);
    yield {
      ...contents(
        rows,
        some.map(({ raw }) => raw),
        "record",
      ),
      cursor,
    };
  }
}

interface Changed extends ChangePlace {
  readonly key: string;
  readonly raw: unknown;
}

function isAfter({ time, key }: Changed, place: ChangePlace): boolean {
  const order = compareTimestamps(time, place.time);
  return order > 0 || (order === 0 && (place.key === null || key > place.key));
}

/** So fine are the times of each format. */
const UNIT_MS: Readonly<Record<TimeFormat, number>> = {
  iso: 1,
  "iso-seconds": 1_000,
  "epoch-seconds": 1_000,
  "epoch-ms": 1,
  date: 86_400_000,
};

function formatted(timestamp: string, format: TimeFormat): string {
  const ms = timestampToEpochMs(timestamp);
  switch (format) {
    case "iso":
      return new Date(ms).toISOString();
    case "iso-seconds":
      return `${new Date(ms).toISOString().slice(0, 19)}Z`;
    case "epoch-seconds":
      return String(Math.floor(ms / 1_000));
    case "epoch-ms":
      return String(ms);
    case "date":
      return new Date(ms).toISOString().slice(0, 10);
  }
}

export function sizeOf({ paging }: RestStream): number {
  return paging.style === "none" ? paging.size : (paging.size?.value ?? PAGE_SIZE);
}

/** The count, and a cursor for changes by the server's own clock. */
export async function headOf(reading: Reading, signal: AbortSignal): Promise<StreamHead> {
  const { client, stream, clock } = reading;
  if (stream.total === undefined && stream.changes === undefined) return {};
  const answer = await client.ask(stream, firstCall(stream, "few"), signal);
  const count = stream.total === undefined ? undefined : totalIn(reading, answer, stream.total);
  return {
    ...(count === undefined ? {} : { count }),
    ...(stream.changes === undefined
      ? {}
      : { changes: changesCursor({ time: serverTime(answer.headers["date"], clock), key: null }) }),
  };
}

function totalIn({ client, stream }: Reading, answer: Answer, total: string): number {
  const name = /^header:(.+)$/.exec(total)?.[1];
  const found =
    name === undefined ? valueAt(answer.body, pathOf(total)) : answer.headers[name.toLowerCase()];
  const count = Number(typeof found === "string" ? found : numberText(found));
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw client.wrong(stream, answer, `has no number at \`total: ${total}\``);
}

/** The header tells whole seconds; what happened in the last one may be given again. */
const DATE_UNIT_MS = 1_000;
/** Where a server does not tell its time, clocks may differ by so much. */
const CLOCKS_MS = 300_000;

function serverTime(date: string | undefined, clock: Clock): string {
  const told = Date.parse(date ?? "");
  return timestampFromEpochMs(Number.isNaN(told) ? clock.now() - CLOCKS_MS : told - DATE_UNIT_MS);
}

export function unsupported({ name }: RestStream, what: string): SyncError {
  return new SyncError("CONNECTOR_UNSUPPORTED", `Stream "${name}" is not configured for ${what}.`, {
    context: { stream: name },
  });
}
