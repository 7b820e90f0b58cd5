import type { StreamSpec } from "../../model/replicate.ts";
import type { RunMode, StreamReport, StreamRun } from "../../model/run.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { StreamQuery } from "../../ports/connector.ts";
import type { SchemaChange, TableSpec } from "../../ports/destination.ts";
import type { ReplicateContext } from "../context.ts";

/** A stream that is being planned: nothing of it is changed. */
export interface StreamToPlan {
  readonly context: ReplicateContext;
  readonly spec: StreamSpec;
  /** The fields that the run would read. */
  readonly schema: StreamSchema;
  readonly query: StreamQuery;
  readonly table: TableSpec;
  readonly changes: readonly SchemaChange[];
  readonly rows: number;
  readonly sourceCount: number | undefined;
  readonly fingerprint: string;
  /** The stream's newest finished part in each mode. */
  readonly runs: readonly StreamRun[];
  readonly signal: AbortSignal;
}

/** What pages of a stream are like, as a sample and the last runs show. */
export interface PageShape extends Measured {
  readonly recordsPerPage: number;
}

/** What is known of a stream's records and requests; absent where nothing tells. */
export interface Measured {
  readonly bytesPerRecord?: number | undefined;
  /** Of a record's key and time alone. */
  readonly bytesPerMark?: number | undefined;
  readonly msPerRequest?: number | undefined;
}

/** Fewer records than this say little of the many. */
const TELLING = 50;

/** What the last full copy and the last sweep showed; asks nobody. */
export function measured({ runs, rows }: StreamToPlan): Measured {
  const last = (mode: RunMode): StreamReport | undefined =>
    runs.find((run) => run.mode === mode && run.doneAt !== undefined)?.report;
  const full = last("full");
  const sweep = last("sweep");
  const isTelling = full !== undefined && full.ledger.read >= TELLING;
  return {
    ...(isTelling
      ? {
          bytesPerRecord: perUnit(full.traffic.bytes, full.ledger.read),
          msPerRequest: perUnit(
            full.finishedAt - full.startedAt - full.traffic.waitedMs,
            full.traffic.requests,
          ),
        }
      : {}),
    ...(sweep === undefined ? {} : { bytesPerMark: perUnit(sweep.traffic.bytes, rows) }),
  };
}

/**
 * Reads one page to see how many records the source gives at a time: only its keys where the last
 * full copy has shown how large the records are.
 */
export async function samplePage(stream: StreamToPlan): Promise<PageShape> {
  const { context, schema, query, signal } = stream;
  const known = measured(stream);
  const isKeyOnly = known.bytesPerRecord !== undefined && schema.traits.sweep;
  const projection = isKeyOnly ? "key" : "record";
  const before = context.traffic(schema.name);
  const begunAt = context.clock.monotonic();
  let records = 0;
  const request = { kind: "walk", query, after: null, projection } as const;
  for await (const page of context.source.read(request, signal)) {
    records = page.records.length + page.marks.length + page.bad.length;
    break;
  }
  const now = context.traffic(schema.name);
  const size = perUnit(now.bytes - before.bytes, records);
  const elapsedMs = context.clock.monotonic() - begunAt - (now.waitedMs - before.waitedMs);
  return {
    msPerRequest: perUnit(elapsedMs, now.requests - before.requests),
    ...(isKeyOnly ? { bytesPerMark: size } : { bytesPerRecord: size }),
    ...known,
    recordsPerPage: Math.max(1, records),
  };
}

function perUnit(amount: number, units: number): number | undefined {
  return units <= 0 || amount <= 0 ? undefined : amount / units;
}
