import { realpath } from "node:fs/promises";
import type { RecordKey, StreamRecord } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { WriteOperation, WriteOutcome } from "../../ports/connector.ts";
import { readingFailed } from "./file-errors.ts";
import { type FileRecords, type KeyedEntry, recordsOf } from "./file-records.ts";
import { type FileContent, parseFile, readWhole } from "./load-file.ts";
import { openEditor } from "./open-editor.ts";
import { planWrite, type WritePlan } from "./plan-write.ts";
import { isEdited, replaceSeen, withFileLock } from "./replace-file.ts";
import type { FileSourceSettings } from "./source-settings.ts";

/** How long another process that writes the file is waited for. */
const PATIENCE_MS = 10_000;
/** How often a file that people edit meanwhile is read and checked again. */
const ATTEMPTS = 5;

/**
 * Performs the operations on the file as it is now, all of them in one step or none: a new file is
 * made, read again, and takes the old one's place. When somebody edits the file meanwhile, all is
 * checked anew against their edit. Throws SYSTEM_LOCKED, DESTINATION_UNWRITABLE, SYSTEM_UNREADABLE.
 */
export async function writeOperations(
  settings: FileSourceSettings,
  schema: StreamSchema,
  operations: readonly WriteOperation[],
  signal: AbortSignal,
): Promise<readonly WriteOutcome[]> {
  checkBatch(schema, operations.length);
  if (operations.length === 0) return [];
  // A link to a file stays one.
  const path = await realPath(settings.path);
  return withFileLock(path, { patienceMs: PATIENCE_MS, signal }, async () => {
    for (let attempt = 1; ; attempt += 1) {
      const seen = await readWhole(path);
      const { plan, bytes, stored } = await tryPlans(settings, schema, operations, seen);
      signal.throwIfAborted();
      try {
        if (bytes !== undefined) await replaceSeen(path, seen, (write) => write(bytes));
        return plan.outcomes.map((outcome) => outcome ?? lost()).map(withStored(stored));
      } catch (error) {
        if (!isEdited(error)) throw error;
        if (attempt >= ATTEMPTS) throw neverStill(path, error);
      }
    }
  });
}

function checkBatch({ name, traits }: StreamSchema, count: number): void {
  if (traits.write === undefined) {
    throw new SyncError("CONNECTOR_UNSUPPORTED", `The file "${name}" can only be read.`);
  }
  if (count <= traits.write.batch) return;
  throw new SyncError(
    "CONNECTOR_UNSUPPORTED",
    `The file "${name}" takes at most ${traits.write.batch} operations in one write, not ${count}.`,
  );
}

async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    throw readingFailed(path, error);
  }
}

interface Tried {
  readonly plan: WritePlan;
  /** The new file; absent where nothing is to be written. */
  readonly bytes?: Uint8Array;
  /** What it holds. */
  readonly stored: ReadonlyMap<RecordKey, StreamRecord>;
}

/**
 * Plans, makes the new file and reads it: an operation whose values it does not give back is
 * refused, and the rest is planned again without it.
 */
async function tryPlans(
  settings: FileSourceSettings,
  schema: StreamSchema,
  operations: readonly WriteOperation[],
  seen: FileContent,
): Promise<Tried> {
  const editor = await openEditor(settings, seen.bytes);
  const records = recordsOf(editor.file, schema);
  const refusals = new Map<string, string>();
  for (;;) {
    const plan = planWrite({ editor, records, schema, refusals }, operations);
    if (plan.edits === undefined) return { plan, stored: new Map() };
    const bytes = editor.edit(plan.edits);
    const after = recordsOf(await parseFile(settings, Buffer.from(bytes)), schema);
    const stored = byKey(after);
    const known = refusals.size;
    for (const { id, key, values } of plan.expected) {
      const found = stored.get(key);
      if (values === null ? found !== undefined : !gives(found, values)) {
        refusals.set(id, "It could not be read again from the file as it was to be written.");
      }
    }
    if (refusals.size > known) continue;
    checkOthers(records, after, plan);
    return { plan, bytes, stored };
  }
}

const byKey = ({ entries }: FileRecords): ReadonlyMap<RecordKey, StreamRecord> =>
  new Map(entries.flatMap((entry) => ("record" in entry ? [[entry.key, entry.record]] : [])));

function gives(found: StreamRecord | undefined, values: StreamRecord["values"]): boolean {
  return (
    found !== undefined &&
    values.every(
      (value, index) =>
        value === undefined || JSON.stringify(found.values[index]) === JSON.stringify(value),
    )
  );
}

/** The last net: no record that was not meant may have changed, whatever the file's own state. */
function checkOthers(before: FileRecords, after: FileRecords, { touched }: WritePlan): void {
  const rest = ({ entries, keyless }: FileRecords): string =>
    JSON.stringify([entries.filter(({ key }) => !touched.has(key)).map(valuesOf), keyless.length]);
  if (rest(before) === rest(after)) return;
  throw new SyncError("INTERNAL", "An edit of a file would have changed other records with it.");
}

const valuesOf = (entry: KeyedEntry): unknown =>
  "record" in entry ? [entry.key, entry.record.values] : [entry.key];

function withStored(
  stored: ReadonlyMap<RecordKey, StreamRecord>,
): (outcome: WriteOutcome) => WriteOutcome {
  return (outcome) => {
    if (outcome.kind !== "written" || outcome.stored === null) return outcome;
    return { kind: "written", stored: stored.get(outcome.stored.key) ?? outcome.stored };
  };
}

function lost(): never {
  throw new SyncError("INTERNAL", "An operation on a file has no outcome.");
}

function neverStill(path: string, cause: unknown): SyncError {
  return new SyncError(
    "SYSTEM_LOCKED",
    `The file "${path}" was edited by others each of the ${ATTEMPTS} times it was to be written.`,
    { hint: "Nothing was overwritten; run again when it stands still.", cause },
  );
}
