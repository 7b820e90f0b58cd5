import { z } from "zod";
import type { RateHeaderNames } from "../../model/rate-headers.ts";
import { grantIssues } from "../http/grant-config.ts";
import { isLoopback, serviceUrl } from "../http/service-url.ts";
import {
  type BudgetConfig,
  type OdataConfig,
  odataShape,
  resolveOdataSettings,
} from "../odata/config.ts";
import type { OdataSettings } from "../odata/settings.ts";
import { bridge } from "./bridge-profile.ts";
import { generic } from "./generic-profile.ts";
import { HISTORY_TRANSACTIONAL } from "./history-transactional.ts";
import { mlsgrid } from "./mlsgrid-profile.ts";
import type { ResoProfile, ResoStreamDefaults } from "./profile.ts";
import { spark } from "./spark-profile.ts";
import { trestle } from "./trestle-profile.ts";
import { wfrmls } from "./wfrmls-profile.ts";

const PROFILES = {
  generic,
  wfrmls,
  mlsgrid,
  trestle,
  bridge,
  spark,
} as const satisfies Record<string, ResoProfile>;

const DAY_MS = 86_400_000;

/** A system of connector `reso` as a person configures it; `token` is the text, resolved. */
export interface ResoConfig extends Omit<OdataConfig, "url"> {
  readonly profile?: keyof typeof PROFILES | undefined;
  readonly url?: string | undefined;
  /** Of platforms that serve several MLSs: the one to read. */
  readonly originatingSystem?: string | undefined;
}

/** The schema of a system of connector `reso`, for `ConnectorKind.settings`. */
export const resoConfigSchema: z.ZodObject = z
  .strictObject({
    ...odataShape,
    profile: z
      .enum(Object.keys(PROFILES) as [keyof typeof PROFILES])
      .optional()
      .describe("What is known of the MLS. Default: generic."),
    url: serviceUrl
      .optional()
      .describe("The service root: the address that `/$metadata` follows. Default: the profile's."),
    originatingSystem: z
      .string()
      .min(1)
      .optional()
      .describe("The MLS to read, where a platform serves several. Needed by mlsgrid."),
  })
  .check((context) => {
    const { profile = "generic", url, originatingSystem } = context.value as ResoConfig;
    context.issues.push(...grantIssues(context.value as OdataConfig));
    const takesOrigin = profileOf({ profile }).platform !== undefined;
    if (takesOrigin !== (originatingSystem !== undefined)) {
      context.issues.push({
        code: "custom",
        path: ["originatingSystem"],
        message: takesOrigin
          ? `must be set: the profile "${profile}" reads one MLS of several`
          : `must not be set: the profile "${profile}" reads one MLS`,
        input: originatingSystem,
      });
    }
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
  const scope = scopeOf(profile, config.originatingSystem);
  return resolveOdataSettings(
    { ...config, url: config.url ?? profile.url ?? "" },
    {
      events: "auto",
      carried: [HISTORY_TRANSACTIONAL],
      ...profile.preset,
      ...(scope === undefined ? {} : { scope }),
    },
  );
}

function scopeOf({ platform }: ResoProfile, value = ""): OdataSettings["scope"] {
  if (platform === undefined) return undefined;
  const { field, retentionDays } = platform.visible;
  return {
    origin: { field: platform.origin, value },
    visible: { field, retentionMs: retentionDays * DAY_MS },
  };
}

/**
 * Requests that may be sent at most: what is configured, else the profile's. A profile's budget is
 * its vendor's, so it does not bind a server on this machine.
 */
export function resoBudget(config: ResoConfig): BudgetConfig {
  if (config.budget !== undefined) return config.budget;
  return isLoopback(config.url ?? "") ? {} : profileOf(config).budget;
}

/** Headers of its own in which the platform tells of its limits. */
export function resoRateHeaders(config: Pick<ResoConfig, "profile">): readonly RateHeaderNames[] {
  return profileOf(config).rateHeaders ?? [];
}

/** Parents and monitored fields by stream, for `ConnectorKind.streamDefaults`. */
export function resoStreamDefaults(
  config: Pick<ResoConfig, "profile">,
): Readonly<Record<string, ResoStreamDefaults>> {
  return profileOf(config).defaults;
}
