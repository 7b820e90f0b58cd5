import type { StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import { type FileRecords, recordsOf } from "./file-records.ts";
import { fileVersion, parseFile, readWhole } from "./load-file.ts";
import type { ParsedFile } from "./parsed-file.ts";
import type { FileSourceSettings } from "./source-settings.ts";

/** A file as it is now, read again only when it has changed. */
export interface FileReader {
  /** Throws CONNECTOR_CLOSED, or the signal's reason. */
  enter(signal: AbortSignal): void;
  load(signal: AbortSignal): Promise<ParsedFile>;
  records(schema: StreamSchema, signal: AbortSignal): Promise<FileRecords>;
  close(): void;
}

export function createFileReader(settings: FileSourceSettings): FileReader {
  const { path } = settings;
  let isClosed = false;
  let parsed: { readonly version: string; readonly file: ParsedFile } | undefined;
  let decoded: { of: ParsedFile; by: string; all: FileRecords } | undefined;

  const enter = (signal: AbortSignal): void => {
    if (isClosed) throw new SyncError("CONNECTOR_CLOSED", `The file "${path}" is closed.`);
    signal.throwIfAborted();
  };

  const load = async (signal: AbortSignal): Promise<ParsedFile> => {
    enter(signal);
    const now = await fileVersion(path);
    signal.throwIfAborted();
    if (parsed?.version === now) return parsed.file;
    const { bytes, version } = await readWhole(path);
    const file = await parseFile(settings, bytes);
    enter(signal);
    parsed = { version, file };
    return file;
  };

  return {
    enter,
    load,
    records: async ({ fields, ...schema }, signal) => {
      const file = await load(signal);
      const by = JSON.stringify(fields);
      if (decoded?.of !== file || decoded.by !== by) {
        decoded = { of: file, by, all: recordsOf(file, { fields, ...schema }) };
      }
      return decoded.all;
    },
    close: () => {
      isClosed = true;
      parsed = undefined;
      decoded = undefined;
    },
  };
}
