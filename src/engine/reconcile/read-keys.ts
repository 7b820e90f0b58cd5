import type { RecordKey, StreamRecord } from "../../model/record.ts";
import type { ReconcileWork, SideContext } from "./context.ts";

/** Records by key; a key that is not among them is not there. */
export type FreshRecords = ReadonlyMap<RecordKey, StreamRecord | "unreadable">;

/** The records among `keys` as the side has them now; a key that is not in it is gone. */
export async function readKeys(
  work: ReconcileWork,
  side: SideContext,
  keys: readonly RecordKey[],
): Promise<FreshRecords> {
  const found = new Map<RecordKey, StreamRecord | "unreadable">();
  const most = side.connector.capabilities.keysPerRead;
  for (let at = 0; at < keys.length; at += most) {
    const request = { kind: "keys", query: side.query, keys: keys.slice(at, at + most) } as const;
    for await (const page of side.connector.read(request, work.signal)) {
      for (const record of page.records) found.set(record.key, record);
      for (const { key } of page.bad) if (key !== undefined) found.set(key, "unreadable");
    }
  }
  return found;
}

/**
 * As `readKeys`, of records that were there: what is not there now is asked for once more before it
 * is gone, since one answer may be that of a replica that is behind.
 */
export async function readKeysTwice(
  work: ReconcileWork,
  side: SideContext,
  keys: readonly RecordKey[],
): Promise<FreshRecords> {
  const found = await readKeys(work, side, keys);
  const missing = keys.filter((key) => !found.has(key));
  const late = await readKeys(work, side, missing);
  return new Map([...found, ...late]);
}
