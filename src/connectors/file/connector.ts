import { counted } from "../../model/counted.ts";
import type { Cursor } from "../../model/cursor.ts";
import { commonType, type FieldWord } from "../../model/field-words.ts";
import type { BadRecord } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type {
  CheckResult,
  Connector,
  Page,
  ReadRequest,
  StreamQuery,
} from "../../ports/connector.ts";
import type { Memory } from "../../ports/runtime.ts";
import { inferTypes } from "./cell-types.ts";
import { readKeyed, startOf, type WalkStart, walkPage } from "./connector-read.ts";
import { writeOperations } from "./connector-write.ts";
import { createFileReader } from "./file-reader.ts";
import { type FileRecords, schemaOf } from "./file-records.ts";
import type { ParsedFile } from "./parsed-file.ts";
import type { FileSourceSettings } from "./source-settings.ts";

export interface FileConnectorOptions {
  /** Greatest number of records on a page. Default 500. */
  readonly pageSize?: number;
  /** Where the types that were told from values are kept. */
  readonly memory: Memory;
}

const KEYS_PER_READ = 500;

/**
 * A file as one stream, to be read and written. The file is read whole, and again only when it has changed; a walk
 * goes by the order of keys, so that it may be edited while it is walked.
 */
export function createFileConnector(
  settings: FileSourceSettings,
  { pageSize = 500, memory }: FileConnectorOptions,
): Connector {
  const reader = createFileReader(settings);
  const records = ({ schema, filter }: StreamQuery, signal: AbortSignal): Promise<FileRecords> => {
    if (schema.name !== settings.stream) throw unknownStream(settings, schema.name);
    if (filter !== undefined) throw unsupported("filters");
    return reader.records(schema, signal);
  };

  const discovered = async (signal: AbortSignal): Promise<StreamSchema> => {
    const file = await reader.load(signal);
    return schemaOf(settings, file, await lastingTypes(settings.stream, file, memory));
  };

  async function* walk(
    query: StreamQuery,
    start: WalkStart,
    projection: "record" | "key",
    signal: AbortSignal,
  ): AsyncGenerator<Page> {
    for (let next: WalkStart | undefined = start; next !== undefined; ) {
      const found = walkPage(await records(query, signal), next, pageSize, projection);
      if (found === undefined) return;
      yield found.page;
      signal.throwIfAborted();
      next = found.next;
    }
  }

  async function* byKeys(
    { query, keys }: Extract<ReadRequest, { readonly kind: "keys" }>,
    signal: AbortSignal,
  ): AsyncGenerator<Page> {
    if (keys.length > KEYS_PER_READ) {
      throw new SyncError(
        "CONNECTOR_BAD_REQUEST",
        `${keys.length} keys were asked for at once; at most ${KEYS_PER_READ} can be.`,
      );
    }
    const { found, bad } = readKeyed(await records(query, signal), keys);
    for (let at = 0; at < Math.max(found.length, bad.length); at += pageSize) {
      const cursor = JSON.stringify({ kind: "keys", at }) as Cursor;
      if (found.length > at) {
        yield { ...EMPTY, records: found.slice(at, at + pageSize), cursor };
        signal.throwIfAborted();
      }
      if (bad.length > at) {
        yield { ...EMPTY, bad: bad.slice(at, at + pageSize), cursor };
        signal.throwIfAborted();
      }
    }
  }

  return {
    capabilities: Object.freeze({ keysPerRead: KEYS_PER_READ, concurrency: 2 }),
    check: async (signal) => {
      const schema = await discovered(signal);
      return checked(settings.path, schema.fields.length, await records({ schema }, signal));
    },
    discover: async (signal) => [await discovered(signal)],
    head: async (query, signal) => {
      if (query.changedBy !== undefined) throw unsupported("changes by a field");
      const { entries, keyless } = await records(query, signal);
      return { count: entries.length + keyless.length };
    },
    read: (request, signal) => {
      reader.enter(signal);
      switch (request.kind) {
        case "walk":
          return walk(request.query, startOf(request.after), request.projection, signal);
        case "keys":
          return byKeys(request, signal);
        case "changes":
        case "deletions":
          throw unsupported(request.kind);
      }
    },
    write: async (query, operations, signal) => {
      reader.enter(signal);
      if (query.schema.name !== settings.stream) throw unknownStream(settings, query.schema.name);
      if (query.filter !== undefined) throw unsupported("filters");
      return writeOperations(settings, query.schema, operations, signal);
    },
    close: async () => reader.close(),
  };
}

/**
 * The types that the file's values tell, never narrower than before: a column of prices stays one of
 * decimals on a day when all of them are whole.
 */
async function lastingTypes(
  stream: string,
  file: ParsedFile,
  memory: Memory,
): Promise<ReadonlyMap<string, FieldWord>> {
  const note = `types:${stream}`;
  const known = await memory.recall(note);
  const types = new Map<string, FieldWord>(
    known === undefined ? [] : (JSON.parse(known) as [string, FieldWord][]),
  );
  for (const [name, word] of inferTypes(file)) {
    types.set(name, commonType(types.get(name) ?? word, word));
  }
  const told = JSON.stringify([...types]);
  if (told !== known) await memory.remember(note, told);
  return types;
}

const EMPTY = { records: [], marks: [], tombstones: [], bad: [] } as const;

function unknownStream({ path, stream }: FileSourceSettings, asked: string): SyncError {
  return new SyncError(
    "STREAM_UNKNOWN",
    `The file "${path}" is the stream "${stream}"; it has no stream "${asked}".`,
  );
}

function unsupported(what: string): SyncError {
  return new SyncError("CONNECTOR_UNSUPPORTED", `A file has no ${what}; it is read whole.`);
}

function checked(path: string, fields: number, { entries, keyless }: FileRecords): CheckResult {
  const bad = [...entries, ...keyless].flatMap((each) => ("bad" in each ? [each.bad] : []));
  return {
    summary: `${path}: ${counted(entries.length + keyless.length, "record")} of ${counted(fields, "field")}`,
    facts: bad.length === 0 ? [] : [badInWords(bad)],
  };
}

function badInWords(bad: readonly BadRecord[]): string {
  const first = bad[0]?.problems[0]?.message ?? "";
  return `${bad.length} cannot be used and would be set aside; the first: ${first}`;
}
