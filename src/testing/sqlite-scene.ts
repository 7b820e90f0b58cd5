import { join } from "node:path";
import type { TestContext } from "node:test";
import type { SqliteSettings } from "../connectors/sqlite/config.ts";
import { createSqliteConnector } from "../connectors/sqlite/connector.ts";
import { openSqlite, type SqliteDatabase } from "../drivers/sqlite/database.ts";
import { type TableScene, tableScene } from "./table-scene.ts";
import { createTemporaryFolder } from "./temporary-folder.ts";

/** A SQLite file of somebody's and a connector to it. */
export interface SqliteScene extends TableScene {
  /** The file as its owner has it open. */
  readonly owner: SqliteDatabase;
}

export interface SqliteSceneOptions {
  readonly settings?: SqliteSettings;
  readonly pageSize?: number;
  /** How long the connector waits for the owner's lock. */
  readonly busyTimeoutMs?: number;
}

/** Makes the file by these statements; it is gone after the test. */
export function openSqliteScene(
  t: TestContext,
  sql: string,
  { busyTimeoutMs = 5000, ...options }: SqliteSceneOptions = {},
): SqliteScene {
  const folder = createTemporaryFolder();
  const path = join(folder.path, "shop.db");
  const owner = openSqlite(path, { foreign: true });
  owner.exec(sql);
  const database = openSqlite(path, { foreign: true, busyTimeoutMs });
  const connector = createSqliteConnector({ database, ...options });
  t.after(async () => {
    await connector.close();
    owner.close();
    folder.remove();
  });
  return { owner, ...tableScene(connector) };
}
