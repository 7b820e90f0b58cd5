import { z } from "zod";
import {
  type BudgetConfig,
  isLoopback,
  type OdataConfig,
  odataShape,
  resolveOdataSettings,
  serviceUrl,
} from "../odata/config.ts";
import type { OdataSettings } from "../odata/settings.ts";
import { generic } from "./generic-profile.ts";
import type { ResoProfile, ResoStreamDefaults } from "./profile.ts";
import { wfrmls } from "./wfrmls-profile.ts";

const PROFILES = { generic, wfrmls } as const satisfies Record<string, ResoProfile>;

/** A system of connector `reso` as a person configures it; `token` is the text, resolved. */
export interface ResoConfig extends Omit<OdataConfig, "url"> {
  readonly profile?: keyof typeof PROFILES | undefined;
  readonly url?: string | undefined;
}

/** The schema of a system of connector `reso`, for `ConnectorKind.settings`. */
export const resoConfigSchema: z.ZodObject = z
  .strictObject({
    ...odataShape,
    profile: z
      .enum(["generic", "wfrmls"])
      .optional()
      .describe("What is known of the MLS. Default: generic."),
    url: serviceUrl
      .optional()
      .describe("The service root: the address that `/$metadata` follows. Default: the profile's."),
  })
  .check((context) => {
    const { profile = "generic", url } = context.value as ResoConfig;
    if (url !== undefined || profileOf({ profile }).url !== undefined) return;
    context.issues.push({
      code: "custom",
      path: ["url"],
      message: `must be set: the profile "${profile}" does not know the address`,
      input: url,
    });
  });

/** The profile that a configuration names. */
export function profileOf({ profile }: Pick<ResoConfig, "profile">): ResoProfile {
  return PROFILES[profile ?? "generic"];
}

/** Fills in every default, the profile's first. */
export function resolveResoSettings(config: ResoConfig): OdataSettings {
  const profile = profileOf(config);
  return resolveOdataSettings({ ...config, url: config.url ?? profile.url ?? "" }, profile.preset);
}

/**
 * Requests that may be sent at most: what is configured, else the profile's. A profile's budget is
 * its vendor's, so it does not bind a server on this machine.
 */
export function resoBudget(config: ResoConfig): BudgetConfig {
  if (config.budget !== undefined) return config.budget;
  return isLoopback(config.url ?? "") ? {} : profileOf(config).budget;
}

/** Parents and monitored fields by stream, for `ConnectorKind.streamDefaults`. */
export function resoStreamDefaults(
  config: Pick<ResoConfig, "profile">,
): Readonly<Record<string, ResoStreamDefaults>> {
  return profileOf(config).defaults;
}
