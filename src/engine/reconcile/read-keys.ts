import type { RecordKey, StreamRecord } from "../../model/record.ts";
import { type Asking, readByKeys } from "../replicate/read-by-keys.ts";
import type { ReconcileWork, SideContext } from "./context.ts";
import { nameOf } from "./names.ts";

/** Records by key; a key that is not among them is not there. */
export type FreshRecords = ReadonlyMap<RecordKey, StreamRecord | "unreadable">;

/** How a side is asked for records by their keys. */
export const asking = ({ signal }: ReconcileWork, { connector, query }: SideContext): Asking => ({
  context: { source: connector },
  query,
  signal,
});

/** The records among `keys` as the side has them now; a key that is not in it is gone. */
export async function readKeys(
  work: ReconcileWork,
  side: SideContext,
  keys: readonly RecordKey[],
): Promise<FreshRecords> {
  const { records, bad } = await readByKeys(asking(work, side), keys);
  const found = new Map<RecordKey, StreamRecord | "unreadable">();
  for (const record of records) found.set(record.key, record);
  for (const { key } of bad) if (key !== undefined) found.set(key, "unreadable");
  return found;
}

/**
 * As `readKeys`, of records that were there: what is not there now, or not as it was told to be
 * (`isAsTold`), is asked for once more before that is believed, since one answer may be that of a
 * replica that is behind.
 */
export async function readKeysTwice(
  work: ReconcileWork,
  side: SideContext,
  keys: readonly RecordKey[],
  isAsTold: (record: StreamRecord) => boolean = () => true,
): Promise<FreshRecords> {
  const found = await readKeys(work, side, keys);
  const doubtful = keys.filter((key) => {
    const record = found.get(key);
    return record === undefined || (record !== "unreadable" && !isAsTold(record));
  });
  const late = await readKeys(work, side, doubtful);
  return new Map([...found, ...late]);
}

/**
 * Those of the records that still stand there under the name that is given for each. Asked twice of
 * what does not: beside one that was overlooked a second one is made.
 */
export async function readNamed(
  work: ReconcileWork,
  side: SideContext,
  names: ReadonlyMap<RecordKey, string>,
): Promise<ReadonlyMap<RecordKey, StreamRecord>> {
  const isNamed = ({ key, values }: StreamRecord): boolean =>
    nameOf(work.context, side, values) === names.get(key);
  const found = await readKeysTwice(work, side, [...names.keys()], isNamed);
  return new Map(
    [...found].flatMap(([key, record]) =>
      record === "unreadable" || !isNamed(record) ? [] : [[key, record] as const],
    ),
  );
}
