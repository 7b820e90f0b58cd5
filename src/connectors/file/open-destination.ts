import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Destination } from "../../ports/destination.ts";
import { createFileDestination } from "./destination.ts";
import type { FileDestinationSettings } from "./destination-settings.ts";
import { unwritable } from "./new-file.ts";
import { rowsPath } from "./places.ts";

/** Files in a folder; `openRows` opens the database of the rows behind them. */
export function openFileDestination(
  settings: FileDestinationSettings,
  openRows: (path: string) => Destination,
): Destination {
  const path = rowsPath(settings.folder);
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw unwritable(path, error);
  }
  return createFileDestination(settings, openRows(path));
}
