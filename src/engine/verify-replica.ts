import { streamLevels } from "../core/stream-order.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { ReplicateContext } from "./context.ts";
import { findStream } from "./find-stream.ts";
import { holdLease } from "./lease.ts";
import { eachLimited } from "./limited.ts";
import type { StreamVerification, VerifyRequest, VerifyResult } from "./results.ts";
import { repairStream } from "./verify/repair-stream.ts";
import { type VerifiedStream, verifyStream } from "./verify/verify-stream.ts";

/**
 * Compares the replica with its source: counts, then every key and time (or all contents, or a
 * sample's). Holds the sync's lease meanwhile, since a run at the same time would look like
 * differences; throws LEASE_HELD while one goes on. Repairs are runs of their own, with their own
 * guards, after the lease is given back. Trouble with one stream stands in its entry.
 */
export async function verifyReplica(
  context: ReplicateContext,
  request: VerifyRequest,
  signal: AbortSignal,
): Promise<VerifyResult> {
  const { clock, spec, source } = context;
  const wanted = request.streams?.map((name) => findStream(spec, name)) ?? spec.streams;
  const names = wanted.map(({ stream }) => stream);
  const startedAt = clock.now();
  const discovered = await source.discover(signal);
  const verify = (streams: readonly string[]): Promise<readonly VerifiedStream[]> =>
    verifyUnderLease(context, { streams, request, discovered, signal });
  const verified = await verify(names);
  let streams = verified.map(({ verification }) => verification);
  if (request.repair) {
    const repaired = new Map<string, StreamVerification>();
    // Parents before children, as runs do it.
    for (const { stream } of streamLevels(wanted).flat()) {
      const found = verified.find(({ verification }) => verification.stream === stream);
      if (found === undefined) continue;
      const verifyAgain = async (name: string): Promise<VerifiedStream> =>
        (await verify([name]))[0] ?? found;
      const repair = { request, discovered, signal, verifyAgain };
      repaired.set(stream, await repairStream(context, found, repair));
      signal.throwIfAborted();
    }
    streams = streams.map((entry) => repaired.get(entry.stream) ?? entry);
  }
  return {
    sync: spec.name,
    equal: streams.every(({ equal }) => equal),
    streams,
    startedAt,
    finishedAt: clock.now(),
  };
}

interface VerifyPart {
  readonly streams: readonly string[];
  readonly request: VerifyRequest;
  readonly discovered: readonly StreamSchema[];
  readonly signal: AbortSignal;
}

async function verifyUnderLease(
  context: ReplicateContext,
  { streams, request, discovered, signal }: VerifyPart,
): Promise<readonly VerifiedStream[]> {
  const { spec, source, random } = context;
  const id = `verify:${random.id()}`;
  const lease = await holdLease(context, id);
  const stop = AbortSignal.any([signal, lease.lost]);
  const verified = new Map<string, VerifiedStream>();
  try {
    const limit = Math.min(spec.concurrency, source.capabilities.concurrency);
    await eachLimited(streams, limit, async (name) => {
      const part = { id, lease: lease.current, discovered, request, signal: stop };
      verified.set(name, await verifyStream(context, name, part));
    });
    // A stopped comparison says nothing, so there is no result of it.
    stop.throwIfAborted();
  } finally {
    await lease.release();
  }
  return streams.flatMap((name) => verified.get(name) ?? []);
}
