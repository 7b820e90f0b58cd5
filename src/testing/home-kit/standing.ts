import assert from "node:assert/strict";
import type { Agreements } from "../../ports/agreements.ts";
import type { Home, Lease } from "../../ports/home.ts";
import type { SettledRecord } from "../../ports/settlement.ts";
import { type Behaviour, key, takeLease } from "./subject.ts";

const SYNC = "kit";
const NAME = "n\0";

type Kept = Home & Agreements;

const settled = (
  link: number,
  sides: readonly string[],
  changes: Partial<SettledRecord> = {},
): SettledRecord => ({
  link,
  name: NAME,
  agreed: [],
  ends: false,
  behind: false,
  sides: sides.map((side) => ({
    side,
    key: key(`${side}-${link}`),
    acknowledged: { returned: [], stoodFor: [] },
    hash: "said",
  })),
  unlinked: [],
  operations: [],
  questions: [],
  ...changes,
});

async function settle(home: Kept, lease: Lease, record: SettledRecord): Promise<void> {
  await home.settle({ lease, runId: "r", plan: "p", at: 1, records: [record], completes: false });
}

/** What must hold of records that were let go and left standing. */
export function standingBehaviours(behaviour: Behaviour): void {
  behaviour("what was let go and left standing is known by its name again", async (subject) => {
    const home = subject.home as Kept;
    const lease = await takeLease(home);
    const metAt = async (side: string): Promise<readonly string[]> =>
      (await home.standingMet(SYNC, side)).map((one) => `${one.key} ${one.name}`);
    const namedAt = async (side: string, names: readonly string[]): Promise<readonly string[]> =>
      (await home.standingNamed(SYNC, side, names)).map((one) => `${one.key} ${one.name}`);
    await settle(home, lease, settled(1, ["a", "b"]));
    assert.deepEqual(await namedAt("b", [NAME]), [], "it is linked");
    const unlinked = [{ side: "a" }, { side: "b", hash: "kept" }];
    await settle(home, lease, settled(1, [], { ends: true, unlinked }));
    assert.deepEqual(await metAt("b"), [], "nothing has its name");
    assert.deepEqual(await namedAt("b", ["other", NAME]), [`b-1 ${NAME}`], "asked by its name");
    assert.deepEqual(await namedAt("b", ["other"]), [], "by another one");
    assert.deepEqual(await namedAt("a", [NAME]), [], "what was deleted does not stand");
    await home.stage(lease, [
      { side: "c", key: key("c-new"), state: "present", values: [], name: NAME },
    ]);
    assert.deepEqual(await metAt("b"), [`b-1 ${NAME}`], "a new record elsewhere has");
    assert.deepEqual(await metAt("a"), [], "what was deleted does not stand");
    await home.linkStaged(lease, [{ side: "c", key: key("c-new"), link: 2 }]);
    assert.deepEqual(await metAt("b"), []);
    await settle(home, lease, settled(2, ["c"]));
    assert.deepEqual(await metAt("b"), [`b-1 ${NAME}`], "a link without the side has");
    await settle(home, lease, settled(2, ["b"]));
    assert.deepEqual(await metAt("b"), [], "the side has the name by another record");
  });

  behaviour("a tombstone is of when the plan was made, where that is told", async (subject) => {
    const home = subject.home as Kept;
    const lease = await takeLease(home);
    for (const link of [1, 2]) await settle(home, lease, settled(link, ["a"]));
    const records = [
      settled(1, [], { ends: true }),
      settled(2, [], { unlinked: [{ side: "a", hash: "kept" }] }),
    ];
    const stamp = { lease, runId: "r", plan: "p", at: 5000, plannedAt: 3000 };
    await home.settle({ ...stamp, records, completes: false });
    const buried = await home.buried(SYNC, "a", [key("a-1"), key("a-2")]);
    assert.deepEqual(
      [...buried.values()].map(({ buriedAt }) => buriedAt),
      [3000, 3000],
    );
  });

  behaviour(
    "a key whose record another one took the place of leaves a tombstone",
    async (subject) => {
      const home = subject.home as Kept;
      const lease = await takeLease(home);
      const as = (link: number, own: string, hash: string): SettledRecord => {
        const acknowledged = { returned: [], stoodFor: [] };
        return settled(link, [], { sides: [{ side: "a", key: key(own), acknowledged, hash }] });
      };
      const settleAll = (records: readonly SettledRecord[]): Promise<void> =>
        home.settle({ lease, runId: "r", plan: "p", at: 7, records, completes: false });
      const graves = async (): Promise<readonly unknown[]> =>
        [...(await home.buried(SYNC, "a", ["1", "2", "3", "4"].map(key))).values()].map(
          ({ key: own, link, hash, buriedAt, isStanding }) => [
            own,
            link,
            hash,
            buriedAt,
            isStanding,
          ],
        );
      await settleAll([as(1, "1", "one"), as(2, "2", "two"), as(3, "3", "three")]);
      await settleAll([as(1, "2", "one"), as(2, "1", "two"), as(3, "4", "later")]);
      assert.deepEqual(await graves(), [["3", 3, "three", 7, false]], "two changed places");
      await settleAll([as(3, "3", "three")]);
      assert.deepEqual(await graves(), [["4", 3, "later", 7, false]]);
    },
  );

  behaviour("what stands is known by another hash and name from now on", async (subject) => {
    const home = subject.home as Kept;
    const lease = await takeLease(home);
    await settle(home, lease, settled(1, ["a", "b"]));
    const unlinked = [{ side: "a" }, { side: "b", hash: "kept" }];
    await settle(home, lease, settled(1, [], { ends: true, unlinked }));
    const now = (own: string) => ({ key: key(own), hash: "now", name: "other" });
    await home.knowStanding(lease, "a", [now("a-1")]);
    await home.knowStanding(lease, "b", [now("b-1"), now("b-none")]);
    const hashes = async (side: string) =>
      [...(await home.buried(SYNC, side, [key(`${side}-1`)])).values()].map(({ hash }) => hash);
    assert.notDeepEqual(await hashes("a"), ["now"], "what was deleted does not stand");
    assert.deepEqual(await hashes("b"), ["now"]);
    await settle(home, lease, settled(2, ["c"], { name: "other" }));
    assert.deepEqual(await home.standingMet(SYNC, "b"), [{ key: "b-1", name: "other" }]);
  });
}
