import { resolve } from "node:path";
import { openSqlite } from "../../drivers/sqlite/database.ts";
import type { Destination } from "../../ports/destination.ts";
import { createSqliteDestination } from "./destination.ts";

/** A destination in a database file of its own, apart from the home. */
export function openSqliteDestination(path: string, directory: string): Destination {
  return createSqliteDestination({ database: openSqlite(resolve(directory, path)) });
}
