import { openPostgres } from "../../drivers/postgres/database.ts";
import { parsePostgresUrl } from "../../drivers/postgres/url.ts";
import type { Connector } from "../../ports/connector.ts";
import type { PostgresSettings } from "./config.ts";
import { createPostgresConnector } from "./connector.ts";

export interface PostgresSystem extends PostgresSettings {
  /** Holds the password. */
  readonly url: string;
  readonly schema?: string | undefined;
}

/** A connector to a PostgreSQL database; connects when first used. Throws CONFIG_INVALID. */
export function openPostgresConnector(
  { url, schema, ...settings }: PostgresSystem,
  origin = "lockstep",
): Connector {
  const database = openPostgres(parsePostgresUrl(url));
  return createPostgresConnector({
    database,
    settings,
    origin,
    ...(schema === undefined ? {} : { schema }),
  });
}
