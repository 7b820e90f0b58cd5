import type { BadRecord, RecordKey, StreamRecord } from "../../model/record.ts";
import type { Connector, StreamQuery } from "../../ports/connector.ts";
import type { PageRecords } from "./apply-records.ts";

/** What it takes to ask the source for records. */
interface Asking {
  readonly context: { readonly source: Connector };
  readonly query: StreamQuery;
  readonly signal: AbortSignal;
}

/** The records that the source serves among `keys`, however many keys there are. */
export async function readByKeys(work: Asking, keys: readonly RecordKey[]): Promise<PageRecords> {
  const { source } = work.context;
  const records: StreamRecord[] = [];
  const bad: BadRecord[] = [];
  const size = source.capabilities.keysPerRead;
  for (let start = 0; start < keys.length; start += size) {
    const request = {
      kind: "keys",
      query: work.query,
      keys: keys.slice(start, start + size),
    } as const;
    for await (const page of source.read(request, work.signal)) {
      records.push(...page.records);
      bad.push(...page.bad);
    }
  }
  return { records, bad };
}

/** Those of `keys` that the source does not serve. A record that cannot be read is served. */
export async function goneAmong(
  work: Asking,
  keys: readonly RecordKey[],
): Promise<readonly RecordKey[]> {
  const { records, bad } = await readByKeys(work, keys);
  const alive = new Set<RecordKey | undefined>([
    ...records.map((record) => record.key),
    ...bad.map((record) => record.key),
  ]);
  return keys.filter((key) => !alive.has(key));
}
