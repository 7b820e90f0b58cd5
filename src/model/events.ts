import type { FileLedger } from "./media.ts";
import type { Ledger, Phase, RunMode, RunReport, StreamReport } from "./run.ts";

/**
 * Everything a run tells while it goes on. The CLI, the journal, metrics and the dashboard all
 * consume this one list. `at` is epoch milliseconds.
 */
export type RunEvent =
  | {
      readonly kind: "run-started";
      readonly at: number;
      readonly runId: string;
      readonly sync: string;
      readonly mode: RunMode;
      readonly streams: readonly string[];
    }
  | { readonly kind: "phase"; readonly at: number; readonly stream: string; readonly phase: Phase }
  /**
   * After each committed page. `walked` counts the records or keys passed so far, earlier parts of
   * a resumed walk included; `total` is how many are expected, where that is known.
   */
  | {
      readonly kind: "progress";
      readonly at: number;
      readonly stream: string;
      readonly ledger: Ledger;
      /** In a run of mode `media`. */
      readonly files?: FileLedger;
      readonly walked: number;
      readonly total?: number;
    }
  /** A wait always says for what and until when. */
  | {
      readonly kind: "wait";
      readonly at: number;
      readonly stream: string | undefined;
      readonly reason: string;
      readonly untilMs: number;
      readonly attempt: number;
    }
  | {
      readonly kind: "note";
      readonly at: number;
      readonly stream: string | undefined;
      readonly message: string;
    }
  | { readonly kind: "stream-finished"; readonly at: number; readonly report: StreamReport }
  | { readonly kind: "run-finished"; readonly at: number; readonly report: RunReport };

export type EmitEvent = (event: RunEvent) => void;
