import type { HomeConfig } from "./config/resolve-config.ts";
import { createSqliteDestination } from "./connectors/sqlite/destination.ts";
import { openSqlite } from "./drivers/sqlite/database.ts";
import { createSqliteHome } from "./homes/sqlite/home.ts";
import type { Agreements } from "./ports/agreements.ts";
import type { Destination } from "./ports/destination.ts";
import type { Home } from "./ports/home.ts";
import type { Clock, Secrets } from "./ports/runtime.ts";

/** The home, and the destination that lives in the same database. Part of the composition root. */
export interface Storage {
  readonly home: Home & Agreements;
  /** Rows, change log and checkpoint are written in one transaction there. */
  readonly homeDestination: () => Destination;
  close(): Promise<void>;
}

/** Opens the configured home, making it if it is not there. Throws HOME_…, SECRET_MISSING. */
export async function openStorage(
  config: HomeConfig,
  clock: Clock,
  secrets: Secrets,
): Promise<Storage> {
  if (config.kind === "sqlite") {
    const database = openSqlite(config.path);
    try {
      const home = createSqliteHome({ database, clock });
      return {
        home,
        homeDestination: () => createSqliteDestination({ database, sharesHome: true }),
        close: () => home.close(),
      };
    } catch (error) {
      database.close();
      throw error;
    }
  }
  return openPostgresStorage(secrets.resolve(config.url), clock);
}

/** The driver is loaded only where the home is a PostgreSQL database. */
async function openPostgresStorage(url: string, clock: Clock): Promise<Storage> {
  const { openPostgres } = await import("./drivers/postgres/database.ts");
  const { parsePostgresUrl } = await import("./drivers/postgres/url.ts");
  const { createPostgresHome } = await import("./homes/postgres/home.ts");
  const { createPostgresDestination } = await import("./connectors/postgres/destination.ts");
  const database = openPostgres(parsePostgresUrl(url));
  const home = await createPostgresHome({ database, clock });
  return {
    home,
    homeDestination: () => createPostgresDestination({ database, sharesHome: true }),
    close: () => home.close(),
  };
}
