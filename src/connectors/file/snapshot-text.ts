import type { Value } from "../../model/value.ts";
import type { Column } from "./columns.ts";
import { csvLines } from "./csv-text.ts";
import type { FileDestinationSettings } from "./destination-settings.ts";
import { cellText, jsonValue } from "./value-text.ts";

/** The text of a snapshot, piece by piece. */
export interface SnapshotText {
  /** What stands before the rows. */
  readonly head: string;
  /** Values in the order of the columns. */
  readonly rows: (rows: readonly (readonly Value[])[]) => string;
}

export function snapshotText(
  columns: readonly Column[],
  { format, numbers }: Pick<FileDestinationSettings, "format" | "numbers">,
): SnapshotText {
  if (format === "csv") {
    return {
      head: csvLines([columns.map(({ name }) => name)]),
      rows: (rows) =>
        csvLines(
          rows.map((values) =>
            columns.map(({ type }, index) => cellText(values[index] ?? null, type, numbers)),
          ),
        ),
    };
  }
  const names = columns.map(({ name }) => JSON.stringify(name));
  return {
    head: "",
    rows: (rows) =>
      rows
        .map((values) => {
          const members = columns.map(
            ({ type }, index) =>
              `${names[index]}:${jsonValue(values[index] ?? null, type, numbers)}`,
          );
          return `{${members.join(",")}}\n`;
        })
        .join(""),
  };
}
