import { bucketOf } from "../../model/digest.ts";
import type { LeftOut, LeftOutRecord } from "../../ports/agreements.ts";
import type { AgreementState, KeptLeftOut } from "./agreement-state.ts";
import { checkFence } from "./commit.ts";
import { joined, type MemoryHomeState } from "./state.ts";

/** What the sides' filters leave out. */
export function createLeftOut(state: AgreementState, home: MemoryHomeState): LeftOut {
  const ofSide = (sync: string, side: string): readonly KeptLeftOut[] =>
    [...state.leftOut.values()].filter((kept) => kept.sync === sync && kept.side === side);
  return {
    leftOutSize: async (sync, side) => {
      const rows = ofSide(sync, side).map(({ row }) => row);
      return { count: rows.length, newest: rows.reduce((most, row) => Math.max(most, row), 0) };
    },
    leftOut: async (sync, side, keys) =>
      new Map(
        keys.flatMap((key) => {
          const kept = state.leftOut.get(joined(sync, side, key));
          return kept === undefined ? [] : [[key, record(kept)] as const];
        }),
      ),
    leftOutIn: async function* (sync, side, { bits, of }) {
      const wanted = new Set(of);
      yield ofSide(sync, side)
        .filter(({ digest }) => wanted.has(bucketOf(digest, bits)))
        .map(record);
    },
    noteLeftOut: async (lease, side, seen) => {
      checkFence(home, lease);
      const { sync } = lease;
      for (const { key, digest } of seen) {
        const id = joined(sync, side, key);
        const row = state.leftOut.get(id)?.row ?? ++state.nextRow;
        state.leftOut.set(id, { sync, side, key, row, digest });
      }
    },
    forgetLeftOut: async (lease, side, rows) => {
      checkFence(home, lease);
      const gone = new Set(rows);
      for (const { key, row } of ofSide(lease.sync, side)) {
        if (gone.has(row)) state.leftOut.delete(joined(lease.sync, side, key));
      }
    },
  };
}

function record({ key, row, digest }: KeptLeftOut): LeftOutRecord {
  return { key, row, digest };
}
