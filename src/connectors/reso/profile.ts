import type { BudgetConfig, OdataPreset } from "../odata/config.ts";

/** What a stream's replica needs beyond its fields. */
export interface ResoStreamDefaults {
  /** Incremental runs read again this far, unless configured. */
  readonly overlapMs?: number;
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
  readonly defaults: Readonly<Record<string, ResoStreamDefaults>>;
  /** What was never confirmed against the live service, each with the setting that decides it. */
  readonly unconfirmed: readonly string[];
}
