import { join } from "node:path";
import { openSqlite } from "../../drivers/sqlite/database.ts";
import { createSqliteHome } from "../../homes/sqlite/home.ts";
import { destinationKit } from "../../testing/destination-kit.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { createSqliteDestination } from "./destination.ts";

destinationKit("sqlite", {
  create: async (clock) => {
    const folder = createTemporaryFolder();
    const path = join(folder.path, "lockstep.db");
    const database = openSqlite(path);
    return {
      destination: createSqliteDestination({ database, sharesHome: true }),
      home: createSqliteHome({ database, clock }),
      reopen: async () => {
        database.close();
        return createSqliteDestination({ database: openSqlite(path) });
      },
      close: async () => {
        database.close();
        folder.remove();
      },
    };
  },
});
