import type { GivenSystem, OpenOptions } from "./cli/cli.ts";
import { createSecrets } from "./config/secrets.ts";
import { CONNECTORS } from "./connectors/registry.ts";
import { createSystemClock, createSystemRandom } from "./drivers/system-runtime.ts";
import { SyncError } from "./model/sync-error.ts";
import type { Connector } from "./ports/connector.ts";
import type { Memory } from "./ports/runtime.ts";

/**
 * Opens one system by itself: without a configuration, and without a home, so that nothing is
 * written anywhere. For databases and files; what is asked over HTTP has limits that a home keeps.
 * Throws USAGE for another kind, CONFIG_INVALID for settings that do not fit, SECRET_MISSING.
 */
export async function openAlone(
  name: string,
  { connector, ...given }: GivenSystem,
  { directory, env }: OpenOptions,
): Promise<Connector> {
  const entry = CONNECTORS[connector];
  if (entry?.createSource === undefined || entry.http !== undefined) {
    const allowed = Object.entries(CONNECTORS).flatMap(([kind, { createSource, http }]) =>
      createSource === undefined || http !== undefined ? [] : [kind],
    );
    throw new SyncError(
      "USAGE",
      `The system "${name}" is of the kind "${connector}"; records can be looked into of: ${allowed.join(", ")}.`,
    );
  }
  const parsed = entry.settings.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new SyncError(
      "CONFIG_INVALID",
      `systems.${name}.${issue?.path.join(".") ?? ""}: ${issue?.message ?? "does not fit"}.`,
    );
  }
  const secrets = createSecrets(env, directory);
  const settings: Record<string, unknown> = { ...parsed.data };
  for (const key of entry.secrets) {
    if (settings[key] !== undefined) settings[key] = secrets.resolve(String(settings[key]));
  }
  const { createUndiciTransport } = await import("./connectors/http/undici-transport.ts");
  const notes = new Map<string, string>();
  const memory: Memory = {
    recall: async (key) => notes.get(key),
    remember: async (key, value) => void notes.set(key, value),
  };
  return entry.createSource({
    system: name,
    settings,
    directory,
    http: createUndiciTransport({}),
    clock: createSystemClock(),
    random: createSystemRandom(),
    memory,
  });
}
