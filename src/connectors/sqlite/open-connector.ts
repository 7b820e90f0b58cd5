import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { openSqlite } from "../../drivers/sqlite/database.ts";
import { SyncError } from "../../model/sync-error.ts";
import { systemError } from "../../model/system-error.ts";
import type { Connector } from "../../ports/connector.ts";
import type { SqliteSettings } from "./config.ts";
import { createSqliteConnector } from "./connector.ts";

export interface SqliteSystem extends SqliteSettings {
  readonly path: string;
}

/**
 * A connector to the file, which must be there; it is never made. Throws CONNECTOR_NOT_FOUND,
 * SYSTEM_UNREADABLE for a file that is no database.
 */
export function openSqliteConnector(
  settings: SqliteSystem,
  directory: string,
  origin = "lockstep",
): Connector {
  const path = resolve(directory, settings.path);
  if (!existsSync(path)) {
    throw new SyncError("CONNECTOR_NOT_FOUND", `There is no SQLite database "${path}".`, {
      hint: "Check `path`; it is meant from the configuration's folder.",
    });
  }
  try {
    return createSqliteConnector({
      database: openSqlite(path, { foreign: true }),
      settings,
      origin,
    });
  } catch (error) {
    throw systemError(error);
  }
}
