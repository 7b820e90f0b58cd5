import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FileDestinationSettings } from "../connectors/file/destination-settings.ts";
import { openFileDestination } from "../connectors/file/open-destination.ts";
import { createMemoryDestination } from "../connectors/memory/destination.ts";
import { createMemoryDestinationState } from "../connectors/memory/destination-state.ts";
import { openSqliteDestination } from "../connectors/sqlite/open-destination.ts";
import type { RecordKey } from "../model/record.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { Value } from "../model/value.ts";
import type { Destination, Publication, PublishedChange, TableSpec } from "../ports/destination.ts";
import {
  batch,
  DECIMAL,
  field,
  INT64,
  row,
  streamOf,
  TEXT,
  tableOf,
} from "./destination-kit/subject.ts";
import { createTemporaryFolder } from "./temporary-folder.ts";

export const LISTING: StreamSchema = streamOf([
  field("ListingKey", TEXT),
  field("ListPrice", { kind: "decimal" }),
  field("Big", INT64),
  field("Remarks", TEXT),
  field("Features", { kind: "list", of: TEXT, ordered: false }),
  field("Steps", { kind: "list", of: DECIMAL, ordered: true }),
  field("IsNew", { kind: "boolean" }),
  field("Ratio", { kind: "double" }),
]);
export const TABLE: TableSpec = tableOf(LISTING, { sync: "mls" });
export const NAMES: readonly string[] = LISTING.fields.map(({ name }) => name);

/** A `file` destination in a folder of its own, with the change log of one stream. */
export interface FileScene {
  readonly folder: string;
  /** The log, to be looked at and spoilt. */
  log: PublishedChange[];
  readonly destination: () => Destination;
  /** Opens the destination, after closing the one before, and makes the table. */
  open(settings?: Partial<FileDestinationSettings>): Promise<void>;
  publish(parts?: Partial<Publication>): Promise<void>;
  /** Writes as the engine does: the row, then the log. */
  change(
    kind: PublishedChange["kind"],
    values: readonly Value[],
    before?: readonly Value[],
  ): Promise<void>;
  readonly feedFolder: string;
  /** Names of the feed files that a reader sees, in order. */
  feeds(): string[];
  /** Names that a reader sees in the folder itself. */
  names(): string[];
  read(...path: string[]): string;
  /** The text of a feed file. */
  feed(name: string | undefined): string;
  /** The snapshot's records by key. */
  snapshot(): Map<string, Record<string, unknown>>;
  close(): Promise<void>;
}

/** `memory` keeps the rows apart from the files, and is quicker. */
export function createFileScene({
  rows = "sqlite",
}: {
  readonly rows?: "sqlite" | "memory";
} = {}): FileScene {
  const state = createMemoryDestinationState();
  const openRows = (path: string): Destination =>
    rows === "memory" ? createMemoryDestination({ state }) : openSqliteDestination(path, "/");
  const temporary = createTemporaryFolder();
  const folder = temporary.path;
  let destination: Destination | undefined;
  const opened = (): Destination => destination ?? assert.fail("it is not open");
  const read = (...path: string[]): string => readFileSync(join(folder, ...path), "utf8");
  const feedFolder = join(folder, "changes", "Property");
  const scene: FileScene = {
    folder,
    feedFolder,
    log: [],
    destination: opened,
    open: async (settings = {}) => {
      await destination?.close();
      const all = {
        folder,
        format: "jsonl",
        snapshots: true,
        changes: true,
        numbers: "exact",
        ...settings,
      } as const;
      destination = openFileDestination(all, openRows);
      await destination.prepare(TABLE);
    },
    publish: async (parts = {}) => {
      const publication = { ...publicationOf(scene), ...parts };
      await (opened().publish ?? assert.fail("it does not publish"))(publication);
    },
    change: async (kind, values, before = []) => {
      const key = String(values[0]) as RecordKey;
      const writes = kind === "delete" ? { deletes: [key] } : { upserts: [row(key, values)] };
      await opened().write(batch(TABLE, writes));
      scene.log.push(entryOf(scene.log, kind, values, before));
    },
    feeds: () => visible(feedFolder).sort(),
    names: () => visible(folder).sort(),
    read,
    feed: (name = "") => read("changes", "Property", name),
    snapshot: () => {
      const rows = lines(read("Property.jsonl")).map(
        (line) => JSON.parse(line) as Record<string, unknown>,
      );
      return new Map(rows.map((each) => [String(each["ListingKey"]), each]));
    },
    close: async () => {
      await destination?.close();
      temporary.remove();
    },
  };
  return scene;
}

const publicationOf = (scene: FileScene): Publication => ({
  table: TABLE,
  changesAfter: async function* (id) {
    for (const change of scene.log) if (change.id > id) yield change;
  },
  confirm: async () => {},
  signal: new AbortController().signal,
});

/** The next entry of a log; its ids leave out some, as those of other streams do. */
function entryOf(
  log: readonly PublishedChange[],
  kind: PublishedChange["kind"],
  values: readonly Value[],
  before: readonly Value[],
): PublishedChange {
  const id = (log.at(-1)?.id ?? 0) + 3;
  const fields = NAMES.map((name, index) => ({
    field: name,
    before: before[index] ?? null,
    after: values[index] ?? null,
  })).filter((each) => JSON.stringify(each.before) !== JSON.stringify(each.after));
  return {
    id,
    sync: "mls",
    stream: "Property",
    runId: `run ${id}`,
    at: 1_700_000_000_000 + id,
    kind,
    key: String(values[0]) as RecordKey,
    fields: kind === "update" ? fields : [],
    categories: kind === "update" ? ["updated", "price"] : [kind === "create" ? "new" : "deleted"],
    ...(kind === "create" ? { after: byName(values) } : {}),
    ...(kind === "delete" ? { before: byName(values) } : {}),
  };
}

export const byName = (values: readonly Value[]): Record<string, Value> =>
  Object.fromEntries(NAMES.map((name, index) => [name, values[index] ?? null]));

/** Values of a row of `LISTING`. */
export const listing = (key: string, price: string): readonly Value[] => [
  key,
  price,
  null,
  `of ${key}`,
  null,
  null,
  null,
  null,
];

const visible = (path: string): string[] =>
  existsSync(path) ? readdirSync(path).filter((name) => !name.startsWith(".")) : [];

export const lines = (text: string): string[] => text.split("\n").slice(0, -1);

/** A line of a JSONL feed. */
export interface FeedLine {
  readonly position: number;
  readonly kind: string;
  readonly key: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
}

/** What a reader of JSONL feeds holds, who is shown each file once; contradictions fail. */
export function replayFeeds(texts: Iterable<string>): Map<string, Record<string, unknown>> {
  const records = new Map<string, Record<string, unknown>>();
  for (const text of texts) {
    for (const line of lines(text)) {
      const { kind, key, before, after } = JSON.parse(line) as FeedLine;
      const held = records.get(key);
      assert.equal(held === undefined, kind === "create", `${kind} of ${key}`);
      for (const [name, value] of Object.entries(before ?? {}))
        assert.deepEqual(held?.[name], value);
      if (kind === "delete") records.delete(key);
      else records.set(key, { ...held, ...after });
    }
  }
  return records;
}
