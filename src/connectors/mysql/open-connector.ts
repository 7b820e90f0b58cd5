import type { Connector } from "../../ports/connector.ts";
import type { MysqlSettings } from "./config.ts";
import { createMysqlConnector } from "./connector.ts";
import { openMysql } from "./database.ts";
import { parseMysqlUrl } from "./url.ts";

export interface MysqlSystem extends MysqlSettings {
  /** Holds the password. */
  readonly url: string;
}

/** A connector to a MariaDB or MySQL database; connects when first used. Throws CONFIG_INVALID. */
export function openMysqlConnector({ url, ...settings }: MysqlSystem): Connector {
  return createMysqlConnector({ database: openMysql(parseMysqlUrl(url)), settings });
}
