import type { RateHeaderNames } from "../../model/rate-headers.ts";
import type { BudgetConfig, OdataPreset } from "../odata/config.ts";

/** What is known of the files of a stream's records. */
export interface ResoMediaDefaults {
  /** Field that moves when they change, where it is not PhotosChangeTimestamp. */
  readonly changedBy?: string;
  /** Their addresses are good for at least so long. */
  readonly urlMaxAgeMs?: number;
  /** How the file server wants to see the token, and on which hosts besides the service's own. */
  readonly token?: {
    readonly use: "never" | "bearer" | "user-agent";
    readonly hosts: readonly string[];
  };
}

/** What a stream's replica needs beyond its fields. */
export interface ResoStreamDefaults {
  /** Incremental runs read again this far, unless configured. */
  readonly overlapMs?: number;
  readonly media?: ResoMediaDefaults;
  readonly parent?: {
    readonly stream: string;
    readonly field: string;
    readonly parentField: string;
  };
  readonly monitor?: {
    readonly status: readonly string[];
    readonly price: readonly string[];
    readonly transitions: readonly (readonly [string, string])[];
  };
}

/** What is known of one MLS or platform; everything in it can be configured otherwise. */
export interface ResoProfile {
  readonly name: string;
  /** Where the service is, unless configured. */
  readonly url?: string;
  readonly preset: OdataPreset;
  /**
   * The field with the name of the MLS, and how long a record that may no longer be shown is told:
   * every request names one MLS, and asks for records that may be shown.
   */
  readonly platform?: {
    readonly origin: string;
    readonly visible: { readonly field: string; readonly retentionDays: number };
  };
  /** Requests to send at most; below what the vendor is believed to allow. */
  readonly budget: BudgetConfig;
  /** Headers of its own in which the vendor tells of its limits; usual names need no mention. */
  readonly rateHeaders?: readonly RateHeaderNames[];
  readonly defaults: Readonly<Record<string, ResoStreamDefaults>>;
  /** What was never confirmed against the live service, each with the setting that decides it. */
  readonly unconfirmed: readonly string[];
}
