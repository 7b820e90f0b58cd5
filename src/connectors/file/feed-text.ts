import { destinationName } from "../../model/naming.ts";
import type { Value } from "../../model/value.ts";
import type { PublishedChange, TableSpec } from "../../ports/destination.ts";
import { type Column, columnsOf } from "./columns.ts";
import { csvLines } from "./csv-text.ts";
import type { FileDestinationSettings } from "./destination-settings.ts";
import { jsonValue } from "./value-text.ts";

/** The text of a change feed, piece by piece. */
export interface FeedText {
  readonly head: string;
  readonly lines: (changes: readonly PublishedChange[]) => string;
}

/** What a change feed tells of each change, in this order. */
const FEED_COLUMNS = [
  "position",
  "kind",
  "key",
  "categories",
  "at",
  "sourceTime",
  "run",
  "sync",
  "stream",
  "before",
  "after",
] as const;

type Told = Readonly<Record<(typeof FEED_COLUMNS)[number], string | null>>;
type Named = readonly (readonly [field: string, value: Value])[];

/** Fields are named as in the snapshot, so that a feed replays onto one. */
export function feedText(
  table: TableSpec,
  { format, numbers }: Pick<FileDestinationSettings, "format" | "numbers">,
): FeedText {
  const columns = new Map(columnsOf(table).map((column) => [column.field, column]));
  const columnOf = (field: string): Pick<Column, "name"> & Partial<Column> =>
    columns.get(field) ?? { name: destinationName(field, table.naming) };
  const image = (named: Named | undefined): string | null => {
    if (named === undefined) return null;
    const members = named.map(([field, value]) => {
      const { name, type } = columnOf(field);
      return `${JSON.stringify(name)}:${jsonValue(value, type, numbers)}`;
    });
    return `{${members.join(",")}}`;
  };

  if (format === "csv") {
    return {
      head: csvLines([FEED_COLUMNS]),
      lines: (changes) =>
        csvLines(
          changes.map((change) => {
            const told = { ...plainly(change), ...images(change, image) };
            return FEED_COLUMNS.map((name) => told[name]);
          }),
        ),
    };
  }
  const jsonLine = (change: PublishedChange): string => {
    const told = plainly(change);
    const { before, after } = images(change, image);
    const json: Told = {
      ...told,
      kind: JSON.stringify(told.kind),
      key: JSON.stringify(told.key),
      categories: JSON.stringify(change.categories),
      at: JSON.stringify(told.at),
      sourceTime: JSON.stringify(told.sourceTime),
      run: JSON.stringify(told.run),
      sync: JSON.stringify(told.sync),
      stream: JSON.stringify(told.stream),
      before,
      after,
    };
    const members = FEED_COLUMNS.map((name) => `${JSON.stringify(name)}:${json[name] ?? "null"}`);
    return `{${members.join(",")}}\n`;
  };
  return { head: "", lines: (changes) => changes.map(jsonLine).join("") };
}

function plainly(change: PublishedChange): Omit<Told, "before" | "after"> {
  return {
    position: String(change.id),
    kind: change.kind,
    key: change.key,
    categories: change.categories.join(" "),
    at: new Date(change.at).toISOString(),
    sourceTime: change.sourceTime ?? null,
    run: change.runId,
    sync: change.sync,
    stream: change.stream,
  };
}

/** A create has only an `after`, a delete only a `before`; an update has the changed fields. */
function images(
  change: PublishedChange,
  image: (named: Named | undefined) => string | null,
): Pick<Told, "before" | "after"> {
  if (change.kind === "update") {
    return {
      before: image(change.fields.map(({ field, before }) => [field, before])),
      after: image(change.fields.map(({ field, after }) => [field, after])),
    };
  }
  const entries = (record: Readonly<Record<string, Value>> | undefined): Named | undefined =>
    record && Object.entries(record);
  return { before: image(entries(change.before)), after: image(entries(change.after)) };
}
