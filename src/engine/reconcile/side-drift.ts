import type { Value } from "../../model/value.ts";

const SAMPLES = 10;

/** What differs on one side, and where. */
export interface SideDrift {
  readonly side: string;
  readonly compared: number;
  /** Those of them that were read; the digests of the others tell that they stand as agreed. */
  readonly read: number;
  /** Records that should be there and are not. */
  readonly missing: number;
  /** Records that are there and cannot be read, or of which a shared value cannot be understood. */
  readonly unreadable: number;
  /** Records with a value that is not the agreed one, by field. */
  readonly fields: Readonly<Record<string, number>>;
  /** Values that the side returns in its own way for the agreed ones, by field. */
  readonly lossy: Readonly<Record<string, number>>;
  /** The first of them, for people. */
  readonly samples: readonly {
    readonly name: string;
    /** Absent where the whole record is missing or, with `unreadable`, cannot be read. */
    readonly field?: string;
    readonly unreadable?: true;
    readonly agreed?: Value;
    readonly found?: Value;
  }[];
}

/** Counts what differs on one side. */
export interface Drift {
  /** One record was read and compared. */
  compared(): void;
  /** So many were compared without being read. */
  unread(records: number): void;
  missing(name: string): void;
  /** One record; `fields` are those that cannot be understood, none where all of it cannot. */
  unreadable(name: string, fields: readonly string[]): void;
  lossy(field: string): void;
  differs(name: string, field: string, agreed: Value, found: Value): void;
  result(): SideDrift;
}

export function createDrift(side: string): Drift {
  const fields: Record<string, number> = {};
  const lossy: Record<string, number> = {};
  const samples: SideDrift["samples"][number][] = [];
  let [compared, missing, unread, unreadable] = [0, 0, 0, 0];
  const show = (sample: SideDrift["samples"][number]): void => {
    if (samples.length < SAMPLES) samples.push(sample);
  };
  return {
    compared: () => {
      compared += 1;
    },
    unread: (records) => {
      unread += records;
    },
    missing: (name) => {
      missing += 1;
      show({ name });
    },
    unreadable: (name, of) => {
      unreadable += 1;
      if (of.length === 0) show({ name, unreadable: true });
      for (const field of of) show({ name, field, unreadable: true });
    },
    lossy: (field) => {
      lossy[field] = (lossy[field] ?? 0) + 1;
    },
    differs: (name, field, agreed, found) => {
      fields[field] = (fields[field] ?? 0) + 1;
      show({ name, field, agreed, found });
    },
    result: () => {
      const counts = { compared: compared + unread, read: compared, missing, unreadable };
      return { side, ...counts, fields, lossy, samples };
    },
  };
}
