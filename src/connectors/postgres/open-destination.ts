import { openPostgres } from "../../drivers/postgres/database.ts";
import { parsePostgresUrl } from "../../drivers/postgres/url.ts";
import type { Destination } from "../../ports/destination.ts";
import { createPostgresDestination } from "./destination.ts";

/** A destination in a PostgreSQL database, apart from the home. Throws CONFIG_INVALID. */
export function openPostgresDestination(url: string, schema: string | undefined): Destination {
  const database = openPostgres(parsePostgresUrl(url));
  return createPostgresDestination({ database, ...(schema === undefined ? {} : { schema }) });
}
