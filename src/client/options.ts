import type { GrantConfig } from "../connectors/http/grant-config.ts";
import type { BudgetConfig } from "../connectors/odata/config.ts";
import type { OdataSettings } from "../connectors/odata/settings.ts";
import {
  type ResoConfig,
  resoBudget,
  resoConfigSchema,
  resolveResoSettings,
} from "../connectors/reso/config.ts";
import { SyncError } from "../model/sync-error.ts";
import type { HttpTransport } from "../ports/http.ts";
import type { Clock, Random } from "../ports/runtime.ts";
import { ResoValidationError } from "./errors.ts";
import type { ResoProblem } from "./records.ts";

/** A wait that begins: a retry, or the request budget. Times in milliseconds. */
export interface ResoWait {
  readonly reason: string;
  readonly waitMs: number;
  readonly untilMs: number;
}

export interface ResoClientOptions {
  /** The service root, the address that `/$metadata` follows. Default: the profile's. */
  readonly url?: string;
  /** The bearer token itself. */
  readonly token?: string;
  /** Instead of `token`: the OAuth 2 grant by which tokens are asked for and renewed. */
  readonly oauth?: Omit<GrantConfig, "token">;
  /** What is known of the MLS. Default: generic. */
  readonly profile?: NonNullable<ResoConfig["profile"]>;
  /** Of platforms that serve several MLSs: the one to read. */
  readonly originatingSystem?: string;
  /** Records asked for per page, where a call does not say. */
  readonly pageSize?: number;
  /** For one request, its whole answer included. Default 60,000. */
  readonly timeoutMs?: number;
  /**
   * Tries of one request, the first included (default 6; 1 never tries again), and the longest
   * wait before one (default 15 minutes; a longer Retry-After is thrown instead).
   */
  readonly retry?: { readonly attempts?: number; readonly maxWaitMs?: number };
  /** Requests to send at most, counted in this client. Default: the profile's; none on loopback. */
  readonly budget?: BudgetConfig;
  /** Key, time field and zones by entity set, where `$metadata` does not say it right. */
  readonly streams?: NonNullable<ResoConfig["streams"]>;
  /** Where the service tells of deletions. Default: the profile's. */
  readonly deletions?: NonNullable<ResoConfig["deletions"]>;
  /** Form of lookup values in records where a text could be either. Default: name. */
  readonly lookups?: NonNullable<ResoConfig["lookups"]>;
  /** Told before every wait. */
  readonly onWait?: (wait: ResoWait) => void;
  /** Told of every value that does not fit the type of its field. */
  readonly onProblem?: (problem: ResoProblem) => void;
  /** Instead of the client's own; closed with it. */
  readonly http?: HttpTransport;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface ResolvedOptions {
  readonly settings: OdataSettings;
  readonly budget: BudgetConfig;
}

/** Throws ResoValidationError naming each option that is wrong. */
export function resolveOptions(options: ResoClientOptions): ResolvedOptions {
  const { url, token, profile, pageSize, budget, streams, deletions, lookups } = options;
  const { originatingSystem, oauth } = options;
  const source = { url, token, ...oauth, profile, originatingSystem };
  const given = { ...source, pageSize, budget, streams, deletions, lookups };
  const judged = resoConfigSchema.safeParse(given);
  if (!judged.success) {
    const said = judged.error.issues.map((issue) => {
      const path = issue.path.join(".");
      return path === "" ? issue.message : `\`${path}\`: ${issue.message}`;
    });
    throw new ResoValidationError(
      new SyncError(
        "CONFIG_INVALID",
        `The options of the RESO client are wrong: ${said.join("; ")}.`,
      ),
    );
  }
  return { settings: resolveResoSettings(given), budget: resoBudget(given) };
}
