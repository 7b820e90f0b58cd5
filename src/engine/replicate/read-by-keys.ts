import type { BadRecord, RecordKey, StreamRecord } from "../../model/record.ts";
import type { Connector, StreamQuery } from "../../ports/connector.ts";
import type { PageRecords } from "./apply-records.ts";

/** What it takes to ask the source for records. */
export interface Asking {
  readonly context: { readonly source: Connector };
  readonly query: StreamQuery;
  readonly signal: AbortSignal;
}

/** The records that the source serves among `keys`, however many keys there are. */
export async function readByKeys(work: Asking, keys: readonly RecordKey[]): Promise<PageRecords> {
  const records: StreamRecord[] = [];
  const bad: BadRecord[] = [];
  const size = work.context.source.capabilities.keysPerRead;
  for (let start = 0; start < keys.length; start += size) {
    const answer = await askForAll(work, keys.slice(start, start + size));
    records.push(...answer.records);
    bad.push(...answer.bad);
  }
  return { records, bad };
}

/**
 * A record without a key is what the source has for one of the keys that it did not answer. These
 * are then asked for one by one, so that it is told as that key's and not taken for deleted.
 */
async function askForAll(work: Asking, keys: readonly RecordKey[]): Promise<PageRecords> {
  const { records, bad } = await ask(work, keys);
  const keyed = bad.filter(({ key }) => key !== undefined);
  if (keyed.length === bad.length) return { records, bad };
  const answered = new Set([...records, ...keyed].map(({ key }) => key));
  const all = { records: [...records], bad: [...keyed] };
  for (const key of keys.filter((each) => !answered.has(each))) {
    const alone = await ask(work, [key]);
    all.records.push(...alone.records);
    all.bad.push(...alone.bad.map((record) => ({ ...record, key: record.key ?? key })));
  }
  return all;
}

async function ask(
  { context, query, signal }: Asking,
  keys: readonly RecordKey[],
): Promise<PageRecords> {
  const records: StreamRecord[] = [];
  const bad: BadRecord[] = [];
  for await (const page of context.source.read({ kind: "keys", query, keys }, signal)) {
    records.push(...page.records);
    bad.push(...page.bad);
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
