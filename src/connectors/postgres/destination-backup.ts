import { copyTables } from "../../drivers/postgres/backup.ts";
import { qualified } from "../../drivers/postgres/identifier.ts";
import type { TableSpec } from "../../ports/destination.ts";
import { ensureRegistry, REGISTRY } from "./destination-registry.ts";
import { ownTable, type Place } from "./destination-schema.ts";

/**
 * Copies the tables, with their registry entries and all as of one moment, to a new schema of the
 * same database; gives where it is. Tables that do not exist are left out.
 */
export function backupTables(
  place: Place,
  tables: readonly TableSpec[],
  label: string,
): Promise<string> {
  return place.database.snapshot(async (transaction) => {
    const names: string[] = [];
    for (const table of tables) {
      const registered = await ownTable(transaction, place, table);
      if (registered !== undefined) names.push(registered.name);
    }
    const schema = await copyTables(transaction, { schema: place.schema, names, label });
    await ensureRegistry(transaction, schema);
    for (const name of names) {
      await transaction.run(
        `INSERT INTO ${qualified(schema, REGISTRY)}
         SELECT * FROM ${qualified(place.schema, REGISTRY)} WHERE name = $1`,
        [name],
      );
    }
    return place.database.location(schema);
  });
}
