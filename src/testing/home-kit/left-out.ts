import assert from "node:assert/strict";
import { bucketOf, sumDigests } from "../../model/digest.ts";
import type { Agreements, LeftOutRecord } from "../../ports/agreements.ts";
import type { Home } from "../../ports/home.ts";
import { type Behaviour, key, takeLease } from "./subject.ts";

const SYNC = "kit";
const BIG = 2 ** 52 - 1;

type Kept = Home & Agreements;

async function leftOutIn(
  home: Kept,
  bits: number,
  of: readonly number[],
): Promise<readonly LeftOutRecord[]> {
  const found: LeftOutRecord[] = [];
  for await (const batch of home.leftOutIn(SYNC, "a", { bits, of })) found.push(...batch);
  return found.sort((one, other) => one.row - other.row);
}

/** What must hold of what a home keeps of records that a side's filter leaves out. */
export function leftOutBehaviours(behaviour: Behaviour): void {
  behaviour("what a filter leaves out is kept by its digest, and forgotten", async (subject) => {
    const home = subject.home as Kept;
    const lease = await takeLease(home);
    assert.deepEqual(await home.leftOutSize(SYNC, "a"), { count: 0, newest: 0 });
    await home.noteLeftOut(lease, "a", [
      { key: key("x"), digest: 1 },
      { key: key("y"), digest: BIG },
    ]);
    await home.noteLeftOut(lease, "b", [{ key: key("x"), digest: 7 }]);
    const [x, y] = await leftOutIn(home, 0, [0]);
    assert.deepEqual([x?.key, x?.digest, y?.digest], [key("x"), 1, BIG]);
    assert.deepEqual(await leftOutIn(home, 2, [bucketOf(BIG, 2)]), [y]);
    assert.deepEqual(await leftOutIn(home, 2, []), []);
    assert.deepEqual(await home.leftOutSize(SYNC, "a"), { count: 2, newest: y?.row });
    await home.noteLeftOut(lease, "a", [{ key: key("x"), digest: 5 }]);
    const known = await home.leftOut(SYNC, "a", [key("x"), key("z")]);
    assert.deepEqual([...known], [[key("x"), { key: key("x"), row: x?.row, digest: 5 }]]);
    await home.forgetLeftOut(lease, "b", [x?.row ?? 0]);
    await home.forgetLeftOut(lease, "a", [y?.row ?? 0]);
    assert.equal((await home.leftOut(SYNC, "a", [key("x")])).size, 1, "of side a, not of b");
    assert.deepEqual((await home.leftOutSize(SYNC, "a")).count, 1);
    await home.noteLeftOut(lease, "a", [{ key: key("w"), digest: 8 }]);
    const { newest } = await home.leftOutSize(SYNC, "a");
    assert.ok(newest > (y?.row ?? 0), "no row is given twice");
    await home.releaseLease(lease);
    await takeLease(home);
    const old = { code: "HOME_FENCED" };
    await assert.rejects(home.noteLeftOut(lease, "a", [{ key: key("v"), digest: 8 }]), old);
    await assert.rejects(home.forgetLeftOut(lease, "a", [newest]), old);
  });

  behaviour("digests of what is left out and of what is linked are added up", async (subject) => {
    const home = subject.home as Kept;
    const lease = await takeLease(home);
    const acknowledged = { returned: [], stoodFor: [] };
    const own = { side: "a", key: key("k"), acknowledged, hash: "h", digest: BIG - 1 };
    const record = {
      link: 1,
      name: "n",
      agreed: [],
      ends: false,
      behind: false,
      sides: [own],
      unlinked: [],
      operations: [],
      questions: [],
    };
    const settlement = { lease, runId: "run", plan: "p", at: 1, completes: false };
    await home.settle({ ...settlement, records: [record] });
    await home.noteLeftOut(lease, "a", [
      { key: key("x"), digest: 1 },
      { key: key("y"), digest: BIG },
    ]);
    const { sums, without } = await home.knownDigests(SYNC, "a", 4);
    assert.equal(without, 0);
    assert.deepEqual(
      sums.toSorted((one, other) => one.bucket - other.bucket),
      sumDigests([1, BIG, BIG - 1], 4).toSorted((one, other) => one.bucket - other.bucket),
    );
  });
}
