import { bucketOf, sumDigests } from "../../model/digest.ts";
import type { KnownRecord, Links } from "../../ports/agreements.ts";
import type { AgreementState, KeptSide } from "./agreement-state.ts";
import { checkFence } from "./commit.ts";
import { joined, type MemoryHomeState } from "./state.ts";

/** By which it is told that a side's records stand as they did, without reading them. */
export function createDigests(
  state: AgreementState,
  home: MemoryHomeState,
  knownRecord: (kept: KeptSide) => KnownRecord,
): Pick<Links, "knownDigests" | "knownDigestsIn" | "knownRows" | "noteDigests" | "doubtful"> {
  const sidesOf = (sync: string, side: string): readonly KeptSide[] =>
    [...state.sides.values()].filter((kept) => kept.sync === sync && kept.side === side);
  return {
    knownDigests: async (sync, side, bits) => {
      const kept = sidesOf(sync, side);
      const digests = kept.flatMap(({ digest }) => digest ?? []);
      const leftOut = [...state.leftOut.values()].filter(
        (one) => one.sync === sync && one.side === side,
      );
      const all = [...digests, ...leftOut.map(({ digest }) => digest)];
      return { sums: sumDigests(all, bits), without: kept.length - digests.length };
    },
    knownDigestsIn: async function* (sync, side, { bits, of }) {
      const wanted = new Set(of);
      yield sidesOf(sync, side)
        .filter(({ digest }) => digest === undefined || wanted.has(bucketOf(digest, bits)))
        .map(({ row, digest }) => ({ row, ...(digest === undefined ? {} : { digest }) }));
    },
    knownRows: async (sync, side, rows) => {
      const wanted = new Set(rows);
      return sidesOf(sync, side)
        .filter(({ row }) => wanted.has(row))
        .map(knownRecord);
    },
    noteDigests: async (lease, side, seen) => {
      checkFence(home, lease);
      const rows = new Map(sidesOf(lease.sync, side).map((kept) => [kept.row, kept]));
      for (const { row, hash, digest, agrees } of seen) {
        const kept = rows.get(row);
        if (kept?.hash !== hash) continue;
        state.sides.set(joined(kept.sync, side, kept.key), { ...kept, digest, agrees });
      }
    },
    doubtful: async (sync, side, after, limit) => {
      const asked = new Set(
        [...state.conflicts.values()].filter((one) => one.sync === sync).map(({ link }) => link),
      );
      return sidesOf(sync, side)
        .filter(({ link, agrees }) => {
          const isBehind = state.links.get(joined(sync, String(link)))?.behind === true;
          return link > after && (!agrees || isBehind || asked.has(link));
        })
        .map(({ link }) => link)
        .sort((a, b) => a - b)
        .slice(0, limit);
    },
  };
}
