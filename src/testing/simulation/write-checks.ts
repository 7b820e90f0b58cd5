import type { MemoryDestinationState } from "../../connectors/memory/destination-state.ts";
import type { NamedValues } from "../../connectors/memory/system.ts";
import type { RecordKey } from "../../model/record.ts";
import { valuesEqual } from "../../model/value.ts";
import type { RowBatch, RowUpsert } from "../../ports/destination.ts";
import type { Fate } from "./fate.ts";
import type { People } from "./people.ts";
import { readReplicaRow } from "./replica.ts";
import type { StorageWatch } from "./watched-storage.ts";

/** What the checkers learn from the way a process reads and writes. */
export interface WriteChecks extends StorageWatch {
  /** The process asked the source for these keys just now. */
  asked(fate: Fate, stream: string, keys: readonly RecordKey[]): void;
  /** Rows changed by the process, by stream. */
  written(fate: Fate, stream: string): RowCounts;
}

export interface RowCounts {
  readonly upserts: number;
  readonly deletes: number;
}

export interface WriteChecksOptions {
  readonly people: People;
  readonly rows: MemoryDestinationState;
  readonly onViolation: (message: string) => void;
}

interface ProcessNotes {
  readonly bornAt: number;
  readonly askedAt: Map<string, number>;
  readonly counts: Map<string, { upserts: number; deletes: number }>;
  fence: number | undefined;
}

/**
 * Checks every write as it is made: no record that the source serves is deleted, no row holds what
 * the source never served or goes back to an older image, and no run writes after another one took
 * its sync over.
 */
export function createWriteChecks({ people, rows, onViolation }: WriteChecksOptions): WriteChecks {
  const notes = new WeakMap<Fate, ProcessNotes>();
  const lastVersion = new Map<string, number>();
  let newestFence = 0;

  const notesOf = (fate: Fate): ProcessNotes => {
    const known = notes.get(fate);
    if (known) return known;
    const fresh = {
      bornAt: people.edits(),
      askedAt: new Map<string, number>(),
      counts: new Map<string, { upserts: number; deletes: number }>(),
      fence: undefined,
    };
    notes.set(fate, fresh);
    return fresh;
  };
  const name = (stream: string, key: RecordKey): string => `${stream} ${JSON.stringify(key)}`;

  const judgeDelete = (fate: Fate, stream: string, key: RecordKey): string | undefined => {
    const { shownSince } = people.history(stream, key) ?? {};
    const { bornAt, askedAt } = notesOf(fate);
    const asked = askedAt.get(name(stream, key));
    if (asked === undefined) return `${name(stream, key)} deleted without asking the source`;
    if (shownSince === undefined || shownSince > Math.max(bornAt, asked)) return undefined;
    return `${name(stream, key)} deleted while the source serves it`;
  };
  const judgeUpsert = (batch: RowBatch, upsert: RowUpsert): string | undefined => {
    const stream = batch.table.schema.name;
    const id = name(stream, upsert.key);
    const versions = people.history(stream, upsert.key)?.versions ?? [];
    const prior = readReplicaRow(rows, stream, upsert.key);
    const version = versions.findLastIndex((image) => isImage(batch, upsert, image, prior));
    if (version < 0) return `${id} written as the source never served it`;
    if (version < (lastVersion.get(id) ?? 0)) return `${id} written back to an older image`;
    lastVersion.set(id, version);
    return undefined;
  };

  return {
    asked(fate, stream, keys) {
      const { askedAt } = notesOf(fate);
      for (const key of keys) askedAt.set(name(stream, key), people.edits());
    },
    written: (fate, stream) => notesOf(fate).counts.get(stream) ?? { upserts: 0, deletes: 0 },
    leased(fate, lease) {
      notesOf(fate).fence = lease.fence;
      newestFence = Math.max(newestFence, lease.fence);
    },
    async rows(fate, batch) {
      const stream = batch.table.schema.name;
      const wrong = [
        ...batch.deletes.map((key) => judgeDelete(fate, stream, key)),
        ...batch.upserts.map((upsert) => judgeUpsert(batch, upsert)),
        repeatedKey(batch),
      ];
      return () => {
        const { counts, fence } = notesOf(fate);
        const before = counts.get(stream) ?? { upserts: 0, deletes: 0 };
        counts.set(stream, {
          upserts: before.upserts + batch.upserts.length + batch.rehash.length,
          deletes: before.deletes + batch.deletes.length,
        });
        if (fence !== newestFence) wrong.push("rows written by a run that was taken over");
        for (const text of wrong) if (text !== undefined) onViolation(`${fate.name}: ${text}`);
      };
    },
    committed(fate, commit) {
      if (commit.lease.fence === newestFence) return;
      onViolation(`${fate.name}: committed under fence ${commit.lease.fence} of ${newestFence}`);
    },
  };
}

/** True when the row is the image, with what the image lacks taken from the row before. */
function isImage(
  batch: RowBatch,
  upsert: RowUpsert,
  image: NamedValues,
  prior: NamedValues | undefined,
): boolean {
  return batch.table.schema.fields.every((field, index) => {
    const expected = image[field.name] ?? (field.name in image ? null : prior?.[field.name]);
    return valuesEqual(upsert.values[index] ?? null, expected ?? null);
  });
}

function repeatedKey(batch: RowBatch): string | undefined {
  const keys = [...batch.upserts.map(({ key }) => key), ...batch.deletes];
  return new Set(keys).size === keys.length ? undefined : "a batch holds a key twice";
}
