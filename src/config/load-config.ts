import { readConfigFile } from "./config-file.ts";
import type { ConnectorKinds } from "./connector-kind.ts";
import { type Config, resolveConfig } from "./resolve-config.ts";

/**
 * Reads and judges the named configuration, or the one that stands in `directory`
 * (`lockstep.yaml`, `lockstep.config.ts`). Throws CONFIG_NOT_FOUND or CONFIG_INVALID.
 */
export async function loadConfig(
  directory: string,
  named: string | undefined,
  kinds: ConnectorKinds,
): Promise<Config> {
  return resolveConfig(await readConfigFile(directory, named), kinds);
}
