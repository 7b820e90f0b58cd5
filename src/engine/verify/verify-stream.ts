import type { RecordKey } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import { toSyncError } from "../../model/sync-error.ts";
import type { Lease } from "../../ports/home.ts";
import type { ReplicateContext } from "../context.ts";
import { openReplica, type ReplicaStream } from "../replica-stream.ts";
import { reportedError } from "../reported-error.ts";
import type { StreamVerification, VerifyRequest } from "../results.ts";
import { compareSample } from "./compare-sample.ts";
import { compareWalk } from "./compare-walk.ts";
import { createFindings } from "./findings.ts";
import type { VerifyWork } from "./verify-work.ts";

/** A stream's comparison with what a repair needs of it. */
export interface VerifiedStream {
  readonly verification: StreamVerification;
  /** The first of the differing keys. */
  readonly keys: readonly RecordKey[];
  /** Differing records, whether their key is kept or not. */
  readonly total: number;
}

/** What the comparison of a stream is part of. */
export interface Verification {
  readonly id: string;
  readonly lease: () => Lease;
  readonly discovered: readonly StreamSchema[];
  readonly request: Pick<VerifyRequest, "fields" | "sample">;
  readonly signal: AbortSignal;
}

/** Compares one stream; its trouble stands in its entry, so that others go on. */
export async function verifyStream(
  context: ReplicateContext,
  name: string,
  verification: Verification,
): Promise<VerifiedStream> {
  const findings = createFindings();
  let facts: StreamFacts = { compared: 0, rejected: 0, replicaCount: 0, parked: 0 };
  try {
    const { discovered, signal, request, ...rest } = verification;
    const stream = await openReplica(context, name, discovered, signal);
    const parked = await parkedKeys(stream);
    const strictness = { fields: request.fields, parked };
    facts = await compareStream({ stream, request, strictness, findings, ...rest }, (known) => {
      facts = known;
    });
    return {
      verification: {
        ...entryOf(name, facts, findings),
        equal:
          findings.total() === 0 && (request.sample === undefined || countsAgree(stream, facts)),
      },
      keys: findings.keys(),
      total: findings.total(),
    };
  } catch (error) {
    return {
      verification: {
        ...entryOf(name, facts, findings),
        equal: false,
        error: reportedError(toSyncError(error)),
      },
      keys: findings.keys(),
      total: findings.total(),
    };
  }
}

interface StreamFacts extends StreamCounts {
  readonly compared: number;
  readonly rejected: number;
}

/** How many records each side has. */
export interface StreamCounts {
  readonly sourceCount?: number;
  readonly replicaCount: number;
  readonly parked: number;
}

/** `tell` gets the counts before the comparison begins, for an entry that ends with an error. */
async function compareStream(
  work: VerifyWork,
  tell: (facts: StreamFacts) => void,
): Promise<StreamFacts> {
  const { stream, request } = work;
  const facts = { compared: 0, rejected: 0, ...(await readCounts(stream)) };
  tell(facts);
  if (request.sample !== undefined) {
    return { ...facts, compared: await compareSample(work, request.sample) };
  }
  return { ...facts, ...(await compareWalk(work, facts.sourceCount)) };
}

/** Asks both sides. */
export async function readCounts(stream: ReplicaStream): Promise<StreamCounts> {
  const { context, query, table, spec, signal } = stream;
  const { count } = await context.source.head(query, signal);
  return {
    replicaCount: await context.destination.count(table),
    parked: await context.home.parkedCount(context.spec.name, spec.stream),
    ...(count === undefined ? {} : { sourceCount: count }),
  };
}

export async function parkedKeys({
  context,
  spec,
}: ReplicaStream): Promise<ReadonlySet<RecordKey>> {
  const parked = await context.home.parked({ sync: context.spec.name, stream: spec.stream });
  return new Set(parked.flatMap(({ key }) => (key === null ? [] : [key])));
}

/**
 * True when the counts can be of equal sets: what the replica has not is parked, or may have been
 * rejected by a rule. A source that does not count agrees.
 */
export function countsAgree({ spec }: ReplicaStream, counts: StreamCounts): boolean {
  const { sourceCount, replicaCount, parked } = counts;
  if (sourceCount === undefined) return true;
  const mayReject = spec.rules.some(({ otherwise }) => otherwise === "reject");
  return replicaCount <= sourceCount && (mayReject || sourceCount <= replicaCount + parked);
}

function entryOf(
  stream: string,
  { rejected, ...facts }: StreamFacts,
  findings: ReturnType<typeof createFindings>,
): Omit<StreamVerification, "equal"> {
  const { missing, extra, stale, different } = findings.discrepancies();
  return {
    stream,
    ...facts,
    missing,
    extra,
    stale,
    different,
    ...(rejected === 0 ? {} : { rejected }),
  };
}
