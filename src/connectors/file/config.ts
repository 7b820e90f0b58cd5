import { basename, extname, resolve } from "node:path";
import { z } from "zod";
import { FIELD_TYPES, type FieldWord } from "../../model/field-words.ts";
import type { FileDestinationSettings } from "./destination-settings.ts";
import type { FileSourceSettings } from "./source-settings.ts";

const FIELD_WORDS = Object.keys(FIELD_TYPES) as [FieldWord, ...FieldWord[]];

export const fileConfigSchema: z.ZodObject = z.object({
  folder: z
    .string()
    .min(1)
    .optional()
    .describe("To write: the folder of the files; made if it is not there."),
  path: z.string().min(1).optional().describe("To read, and to write in a reconcile: the file."),
  format: z
    .enum(["jsonl", "csv", "xlsx"])
    .optional()
    .describe("Default: jsonl to write; to read, as the file's name ends. xlsx is for reading."),
  snapshots: z
    .boolean()
    .optional()
    .describe("Write a file with every record of each stream. Default: true."),
  changes: z
    .boolean()
    .optional()
    .describe("Write a file with the changes of each run, per stream. Default: true."),
  numbers: z
    .enum(["exact", "text"])
    .optional()
    .describe("Decimals and 64-bit integers in JSON as numbers or as texts. Default: exact."),
  key: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe("To read: the column, or columns, that tell records apart."),
  stream: z.string().min(1).optional().describe("Name of the stream. Default: the file's name."),
  fields: z
    .record(z.string(), z.enum(FIELD_WORDS))
    .optional()
    .describe("Types of columns; those of the others are told from their values."),
  delimiter: z.string().length(1).optional().describe("Of CSV. Default: told from the header."),
  encoding: z.string().min(1).optional().describe("Of CSV and JSONL. Default: utf-8."),
  sheet: z.string().min(1).optional().describe("Of XLSX. Default: the first."),
});

type Settings = Readonly<Record<string, unknown>>;

interface FileSettings {
  readonly folder?: string;
  readonly path?: string;
  readonly format?: "jsonl" | "csv" | "xlsx";
  readonly snapshots?: boolean;
  readonly changes?: boolean;
  readonly numbers?: "exact" | "text";
  readonly key?: string | readonly string[];
  readonly stream?: string;
  readonly fields?: Readonly<Record<string, FieldWord>>;
  readonly delimiter?: string;
  readonly encoding?: string;
  readonly sheet?: string;
}

/** Why a `file` system cannot have the role; nothing where it can. */
export function fileUnfitFor(role: "source" | "destination", given: Settings): string | undefined {
  const settings: FileSettings = given;
  return role === "source" ? unfitSource(settings) : unfitDestination(settings);
}

function unfitDestination({
  folder,
  format,
  snapshots,
  changes,
}: FileSettings): string | undefined {
  if (folder === undefined) return "which has no `folder` to write to";
  if (format === "xlsx") return "whose `format` is xlsx; to write, allowed: jsonl, csv";
  return snapshots === false && changes === false
    ? "which writes neither `snapshots` nor `changes`; expected at least one of them"
    : undefined;
}

function unfitSource({ path, key, format, encoding }: FileSettings): string | undefined {
  if (path === undefined) return "which has no `path` of a file to read";
  if (key === undefined) return "which has no `key`: the column that tells its records apart";
  if (format === undefined && formatOf(path) === undefined) {
    return `whose \`path\` does not end in .csv, .jsonl or .xlsx; expected a \`format\``;
  }
  return encoding === undefined || isEncoding(encoding)
    ? undefined
    : `whose \`encoding\` is "${encoding}"; expected one such as utf-8, windows-1252, utf-16le`;
}

function formatOf(path: string): FileSourceSettings["format"] | undefined {
  switch (extname(path).toLowerCase()) {
    case ".csv":
    case ".tsv":
      return "csv";
    case ".jsonl":
    case ".ndjson":
      return "jsonl";
    case ".xlsx":
      return "xlsx";
    default:
      return undefined;
  }
}

function isEncoding(name: string): boolean {
  try {
    return new TextDecoder(name).encoding !== "";
  } catch {
    return false;
  }
}

/** The settings were found fit for a destination; `directory` is where paths are meant from. */
export function fileDestinationSettings(
  given: Settings,
  directory: string,
): FileDestinationSettings {
  const { folder = "", format, snapshots, changes, numbers }: FileSettings = given;
  return {
    folder: resolve(directory, folder),
    format: format === "csv" ? "csv" : "jsonl",
    snapshots: snapshots ?? true,
    changes: changes ?? true,
    numbers: numbers ?? "exact",
  };
}

/** The name of the stream that a file is read as. */
export function fileStream(given: Settings): string {
  const { stream, path = "" }: FileSettings = given;
  return stream ?? basename(path, extname(path));
}

/** The settings were found fit for a source; `directory` is where paths are meant from. */
export function fileSourceSettings(given: Settings, directory: string): FileSourceSettings {
  const settings: FileSettings = given;
  const { path = "", format, key = [], fields, delimiter, encoding, sheet } = settings;
  return {
    path: resolve(directory, path),
    format: format ?? formatOf(path) ?? "csv",
    stream: fileStream(given),
    key: typeof key === "string" ? [key] : key,
    fields: fields ?? {},
    encoding: encoding ?? "utf-8",
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(sheet === undefined ? {} : { sheet }),
  };
}
