/** How the `file` destination writes. */
export interface FileDestinationSettings {
  /** Absolute. */
  readonly folder: string;
  readonly format: FileFormat;
  /** Write the whole replica of each stream after every run that changed it. */
  readonly snapshots: boolean;
  /** Write a file of the changes of each run. */
  readonly changes: boolean;
  readonly numbers: NumberForm;
}

export type FileFormat = "jsonl" | "csv";

/**
 * How JSON shows decimals and 64-bit integers: `exact` as numbers with all their digits, `text` as
 * strings, for readers that put every number into a double.
 */
export type NumberForm = "exact" | "text";
