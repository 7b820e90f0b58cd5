import { join } from "node:path";
import { openSqlite } from "../../drivers/sqlite/database.ts";
import { homeKit } from "../../testing/home-kit.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { createSqliteHome } from "./home.ts";

homeKit("sqlite", {
  create: async (clock) => {
    const folder = createTemporaryFolder();
    const path = join(folder.path, "lockstep.db");
    const databases = [openSqlite(path)];
    const open = () => {
      const database = openSqlite(path);
      databases.push(database);
      return createSqliteHome({ database, clock });
    };
    return {
      home: createSqliteHome({ database: databases[0]!, clock }),
      reopen: async () => open(),
      close: async () => {
        for (const database of databases) database.close();
        folder.remove();
      },
    };
  },
});
