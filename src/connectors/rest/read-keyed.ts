import { fieldDecoder } from "../../model/coerce.ts";
import type { RecordKey } from "../../model/record.ts";
import { fieldIndex, type StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { Page } from "../../ports/connector.ts";
import { recordIn } from "./answers.ts";
import { isRefusal, type Parameters } from "./client.ts";
import { walkCursor } from "./cursor.ts";
import { listPages } from "./paging.ts";
import { pathFor } from "./paths.ts";
import { asking, contents, EMPTY, type Reading, type Request, sizeOf } from "./read.ts";
import { createRowReader, isDeleted, type JsonObject, type RowReader } from "./rows.ts";
import type { RestStream } from "./settings.ts";

/**
 * The records that still exist among the keys. Where a list has entries whose key cannot be told, a
 * key that is not found may be that of one of them, and is not known to be gone.
 */
export async function* keyPages(
  reading: Reading,
  { keys }: Request<"keys">,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  const rows = createRowReader(reading.stream, reading.schema);
  const wanted = [...new Set(keys)].filter((key) => isPossible(reading.schema, key));
  const { raws, keyless } = await rawsOf(reading, rows, wanted, signal);
  const size = sizeOf(reading.stream);
  for (let at = 0; at < raws.length; at += size) {
    const cursor = walkCursor({ at: "end" });
    yield { ...contents(rows, raws.slice(at, at + size), "record"), cursor };
  }
  if (keyless === undefined) return;
  const found = new Set(raws.map(rows.identity));
  const { bad } = contents(rows, [keyless], "record");
  const unknown = wanted.filter((key) => !found.has(key));
  for (let at = 0; at < unknown.length; at += size) {
    const some = unknown.slice(at, at + size);
    const cursor = walkCursor({ at: "end" });
    yield { ...EMPTY, bad: some.flatMap((key) => bad.map((one) => ({ ...one, key }))), cursor };
  }
}

/** What was found of some keys, and an entry whose key cannot be told where a list had one. */
interface Keyed {
  readonly raws: readonly unknown[];
  readonly keyless?: unknown;
}

/** A key that its fields cannot hold does not exist, and an API may take it amiss. */
function isPossible(schema: StreamSchema, key: RecordKey): boolean {
  let parts: readonly unknown[] = [key];
  if (schema.key.length > 1) {
    try {
      parts = JSON.parse(key) as readonly unknown[];
    } catch {
      return false;
    }
  }
  return schema.key.every((name, index) => {
    const field = schema.fields[fieldIndex(schema, name)];
    if (!String(parts[index]).isWellFormed()) return false;
    return field !== undefined && fieldDecoder(schema, field)(parts[index]) !== undefined;
  });
}

async function rawsOf(
  reading: Reading,
  rows: RowReader,
  keys: readonly RecordKey[],
  signal: AbortSignal,
): Promise<Keyed> {
  const { stream } = reading;
  if (keys.length === 0) return { raws: [] };
  const few = keys.length <= KEYS_SINGLY && stream.get !== undefined;
  if (stream.keys !== undefined && !few) return listed(reading, rows, keys, signal);
  if (stream.get === undefined) return listed(reading, rows, keys, signal);
  const found: unknown[] = [];
  for (const key of keys) {
    const raw = await rawOf(reading, key, signal);
    if (raw !== undefined) found.push(raw.raw);
  }
  return { raws: found };
}

/** So few keys are asked for one by one, since every API gives one record in full. */
const KEYS_SINGLY = 1;

/** By the parameter that takes keys, else out of the whole list. */
async function listed(
  reading: Reading,
  rows: RowReader,
  keys: readonly RecordKey[],
  signal: AbortSignal,
): Promise<Keyed> {
  const { keys: way } = reading.stream;
  const parted = Map.groupBy(keys, (key) => way?.join === "comma" && key.includes(","));
  const found = new Map<string, unknown>();
  let keyless: unknown;
  const gather = async (some: readonly RecordKey[], parameters: Parameters): Promise<void> => {
    const wanted = new Set<string>(some);
    const ask = asking(reading, rows, parameters, signal);
    for await (const page of listPages(ask, { at: "start" })) {
      for (const raw of page.rows) {
        const name = rows.identity(raw);
        if (wanted.has(name)) found.set(name, raw);
        else if (rows.mark(raw) === undefined) keyless ??= raw;
      }
    }
  };
  const plain = parted.get(false) ?? [];
  for (const some of way === undefined ? [plain] : chunks(plain)) {
    if (some.length > 0) await gather(some, way === undefined ? [] : keyParameters(way, some));
  }
  // A key with the very comma that parts keys.
  const odd = parted.get(true) ?? [];
  if (reading.stream.get === undefined && odd.length > 0) await gather(odd, []);
  else {
    for (const key of odd) {
      const raw = await rawOf(reading, key, signal);
      if (raw !== undefined) found.set(key, raw.raw);
    }
  }
  const raws = [...found.values()];
  return keyless === undefined ? { raws } : { raws, keyless };
}

/** So many characters of keys in one address are taken by every server. */
const ADDRESS_MAX = 1_500;

function chunks(keys: readonly RecordKey[]): readonly (readonly RecordKey[])[] {
  const all: RecordKey[][] = [];
  let room = 0;
  for (const key of keys) {
    const length = encodeURIComponent(key).length + 20;
    if (length > room) {
      all.push([]);
      room = ADDRESS_MAX;
    }
    all.at(-1)?.push(key);
    room -= length;
  }
  return all;
}

function keyParameters(
  { parameter, join }: NonNullable<RestStream["keys"]>,
  keys: readonly RecordKey[],
): Parameters {
  return join === "comma"
    ? [[parameter, keys.join(",")]]
    : keys.map((key) => [parameter, key] as const);
}

/** One record as the API gives it, with the version of its ETag; nothing where there is none. */
export async function rawOf(
  reading: Reading,
  key: RecordKey,
  signal: AbortSignal,
): Promise<{ readonly raw: JsonObject; readonly etag?: string } | undefined> {
  const { client, stream, schema } = reading;
  const { get } = stream;
  if (get === undefined) {
    const rows = createRowReader(stream, schema);
    const [raw] = (await listed(reading, rows, [key], signal)).raws;
    return raw === undefined ? undefined : { raw: raw as JsonObject };
  }
  const path = pathFor(get.path, schema, key);
  if (path === undefined) return undefined;
  const answer = await client.tryTo(stream, { method: get.method, path }, signal);
  if (isRefusal(answer)) {
    if (answer.reaction === "missing") return undefined;
    throw new SyncError(
      "CONNECTOR_BAD_REQUEST",
      `The server refused to give a record of stream "${stream.name}": "${answer.words}".`,
      { context: { stream: stream.name, url: answer.url } },
    );
  }
  const raw = recordIn(stream, answer.body);
  if (raw === undefined)
    throw client.wrong(stream, answer, "has no record; say where with `record`");
  if (isDeleted(stream, raw)) return undefined;
  const etag = answer.headers["etag"];
  if (etag === undefined && stream.etag) {
    throw client.wrong(stream, answer, "has no ETag, which `etag: true` needs");
  }
  return etag === undefined ? { raw } : { raw, etag };
}
