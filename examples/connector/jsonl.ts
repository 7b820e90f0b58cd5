import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import {
  type BadRecord,
  type Connector,
  type Cursor,
  compileDecoder,
  type Page,
  type Problem,
  type ReadRequest,
  type RecordKey,
  recordKey,
  type StreamQuery,
  type StreamRecord,
  type StreamSchema,
  SyncError,
} from "lockstep/connector";
import type { JsonlSettings } from "./settings.ts";

const PAGE_SIZE = 500;

/**
 * A connector for a folder of JSON Lines files: `contacts.jsonl` is the stream `contacts`, a line a
 * record. A later line of a key stands for the earlier ones, so that a file may be appended to.
 *
 * A file cannot tell what changed in it, so its streams claim neither `changes` nor `deletions`;
 * Lockstep then reads them whole, and finds deletions by absence. `JSON.parse` rounds what a double
 * does not hold: decimals and large integers stand as text in the lines.
 */
export function createJsonlConnector(settings: JsonlSettings): Connector {
  const { folder, streams, pageSize = PAGE_SIZE } = settings;
  let closed = false;

  const enter = (signal: AbortSignal): void => {
    if (closed) throw new SyncError("CONNECTOR_CLOSED", "The JSONL connector was closed.");
    signal.throwIfAborted();
  };
  const load = async (query: StreamQuery, signal: AbortSignal): Promise<readonly Row[]> => {
    checkQuery(streams, query);
    const rows = await readRows(folder, query.schema, signal);
    enter(signal);
    return rows;
  };

  return {
    capabilities: Object.freeze({ keysPerRead: pageSize, concurrency: 2 }),
    async check(signal) {
      enter(signal);
      const facts: string[] = [];
      for (const schema of streams) {
        const rows = await load({ schema }, signal);
        facts.push(`${schema.name}: ${rows.length} records`);
      }
      return { summary: `JSON Lines in ${folder}`, facts };
    },
    async discover(signal) {
      enter(signal);
      return streams;
    },
    async head(query, signal) {
      enter(signal);
      return { count: (await load(query, signal)).length };
    },
    async *read(request, signal) {
      enter(signal);
      const rows = chosen(request, await load(request.query, signal), pageSize);
      for (let start = 0; start < rows.length; start += pageSize) {
        enter(signal);
        yield pageOf(request, rows.slice(start, start + pageSize));
      }
      enter(signal);
    },
    async close() {
      closed = true;
    },
  };
}

/** A line of a file. `place` orders the rows, and no edit of another field changes it. */
interface Row {
  readonly place: string;
  readonly key?: RecordKey;
  readonly image: string;
  readonly values: StreamRecord["values"];
  readonly problems: readonly Problem[];
}

/** All rows of a stream in the order of their places, each place once. */
async function readRows(
  folder: string,
  schema: StreamSchema,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  const path = resolve(folder, `${schema.name}.jsonl`);
  const text = await readFile(path, { encoding: "utf8", signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw unreadable(path, schema.name, error);
  });
  const decode = compileDecoder(schema);
  const rows = new Map<string, Row>();
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const row = readRow(schema, decode, line);
    rows.set(row.place, row);
  }
  return [...rows.values()].sort((a, b) => (a.place < b.place ? -1 : 1));
}

function readRow(
  schema: StreamSchema,
  decode: ReturnType<typeof compileDecoder>,
  line: string,
): Row {
  const raw = parse(line);
  if (raw === undefined) {
    const message = `A line of "${schema.name}" is not a JSON object.`;
    const problems = [{ code: "RECORD_NOT_OBJECT", message }];
    return { place: `!${line}`, image: JSON.stringify(line), values: [], problems };
  }
  const problems: Problem[] = [];
  const values = decode(raw, problems);
  const parts = schema.key.map(
    (name) => values[schema.fields.findIndex((field) => field.name === name)] ?? null,
  );
  const image = JSON.stringify(raw);
  if (parts.includes(null)) {
    const message = `A record of "${schema.name}" has no ${schema.key.join(", ")}.`;
    problems.push({ code: "RECORD_KEY_MISSING", message });
    return { place: `!${image}`, image, values, problems };
  }
  const key = recordKey(parts);
  return { place: `=${key}`, key, image, values, problems };
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const raw: unknown = JSON.parse(line);
    const isObject = typeof raw === "object" && raw !== null && !Array.isArray(raw);
    return isObject ? (raw as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** The rows that a request means. Throws CONNECTOR_UNSUPPORTED for what no stream claims. */
function chosen(request: ReadRequest, rows: readonly Row[], keysMax: number): readonly Row[] {
  switch (request.kind) {
    case "walk": {
      const after = request.after === null ? "" : placeOf(request.after);
      return rows.filter(({ place }) => place > after);
    }
    case "keys": {
      if (request.keys.length > keysMax) {
        throw unsupported(request, `At most ${keysMax} keys are read at once`);
      }
      const keys = new Set<string | undefined>(request.keys);
      return rows.filter(({ key }) => key !== undefined && keys.has(key));
    }
    case "changes":
    case "deletions":
      throw unsupported(request, `A file does not tell its ${request.kind}`);
  }
}

function pageOf(request: ReadRequest, rows: readonly Row[]): Page {
  const asMarks = request.kind === "walk" && request.projection === "key";
  const records: StreamRecord[] = [];
  const bad: BadRecord[] = [];
  for (const { key, values, image, problems } of rows) {
    if (key !== undefined && (asMarks || problems.length === 0)) records.push({ key, values });
    else bad.push({ ...(key === undefined ? {} : { key }), image, problems });
  }
  const cursor = JSON.stringify({ after: rows.at(-1)?.place ?? "" }) as Cursor;
  return asMarks
    ? { records: [], marks: records.map(({ key }) => ({ key })), tombstones: [], bad, cursor }
    : { records, marks: [], tombstones: [], bad, cursor };
}

function placeOf(cursor: Cursor): string {
  try {
    const { after } = JSON.parse(cursor) as { readonly after?: unknown };
    if (typeof after === "string") return after;
  } catch {
    // Told below, like everything else that is no cursor of ours.
  }
  throw new SyncError("CURSOR_INVALID", `"${cursor}" is no cursor of a JSONL walk.`);
}

/** Throws STREAM_UNKNOWN, FIELD_UNKNOWN, or CONNECTOR_UNSUPPORTED for a filter. */
function checkQuery(streams: readonly StreamSchema[], { schema, filter }: StreamQuery): void {
  const context = { stream: schema.name };
  const known = streams.find(({ name }) => name === schema.name);
  if (known === undefined) {
    const names = streams.map(({ name }) => name).join(", ");
    const message = `There is no stream "${schema.name}"; there are ${names}.`;
    throw new SyncError("STREAM_UNKNOWN", message, { context });
  }
  const lost = schema.fields.find(({ name }) => !known.fields.some((field) => field.name === name));
  if (lost !== undefined) {
    const message = `Stream "${schema.name}" has no field "${lost.name}".`;
    throw new SyncError("FIELD_UNKNOWN", message, { context });
  }
  if (filter !== undefined) {
    const message = `Stream "${schema.name}" is a file, which cannot be filtered.`;
    throw new SyncError("CONNECTOR_UNSUPPORTED", message, { context });
  }
}

function unsupported({ query }: ReadRequest, what: string): SyncError {
  const context = { stream: query.schema.name };
  return new SyncError("CONNECTOR_UNSUPPORTED", `${what}.`, { context });
}

function unreadable(path: string, stream: string, cause: unknown): SyncError {
  return new SyncError("CONNECTOR_NOT_FOUND", `The file "${path}" cannot be read.`, {
    hint: "Create it with one JSON object a line, readable by you.",
    context: { stream },
    cause,
  });
}
