import { type DigestSum, sumDigests } from "../../model/digest.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { StreamQuery } from "../../ports/connector.ts";
import { schemaOf, shown } from "./connector-read.ts";
import { digestOf } from "./digest.ts";
import type { MemorySystem } from "./system.ts";

export function sumsOf(
  system: MemorySystem,
  query: StreamQuery,
  bits: number,
): readonly DigestSum[] {
  const { name, traits } = schemaOf(system, query);
  if (traits.digests === undefined || query.digestSeed === undefined) {
    const message =
      traits.digests === undefined
        ? `Stream "${name}" tells no digests.`
        : `Digests of stream "${name}" were asked for without a seed.`;
    throw new SyncError("CONNECTOR_UNSUPPORTED", message, { context: { stream: name } });
  }
  const rows = shown(query, system.rows(name)).filter(({ keyed }) => keyed);
  return sumDigests(
    rows.flatMap((row) => digestOf(query, row).digest ?? []),
    bits,
  );
}
