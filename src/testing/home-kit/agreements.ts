import assert from "node:assert/strict";
import type { SettledRecord } from "../../ports/settlement.ts";
import {
  HOSTILE,
  keptBy,
  keysOf,
  planned,
  SYNC,
  said,
  settle,
  settled,
  staged,
} from "./agreement-samples.ts";
import { type Behaviour, key, takeLease } from "./subject.ts";

/** What must hold of what a home keeps for syncs of sides. */
export function agreementBehaviours(behaviour: Behaviour): void {
  linking(behaviour);
  matching(behaviour);
}

function linking(behaviour: Behaviour): void {
  behaviour("what was agreed comes back exactly, absent and null apart", async (subject) => {
    const home = keptBy(subject.home);
    const lease = await takeLease(home);
    await settle(home, lease, "p", [settled(1)]);
    const [link] = await home.links(SYNC, [1]);
    assert.deepEqual(link?.agreed, HOSTILE);
    assert.deepEqual(link?.sides["a"]?.acknowledged, said(HOSTILE));
    assert.equal(link?.sides["a"]?.version, "v\0");
    const known = await home.known(SYNC, "b", [key("b-n1"), key("b-n2")]);
    assert.deepEqual([...known.keys()], ["b-n1"]);
    assert.equal(known.get(key("b-n1"))?.hash, "hash-b");
    assert.deepEqual(await home.findLinks(SYNC, { name: "n1" }), [link]);
    assert.deepEqual(await home.findLinks(SYNC, { side: "a", key: key("a-n1") }), [link]);
    assert.deepEqual(await home.findLinks("other", { name: "n1" }), []);
  });

  behaviour("a side's record has one key; another replaces it", async (subject) => {
    const home = keptBy(subject.home);
    const lease = await takeLease(home);
    await settle(home, lease, "p", [settled(1)]);
    const moved = settled(1);
    const sides = moved.sides.map((side) =>
      side.side === "a" ? { ...side, key: key("moved") } : side,
    );
    await settle(home, lease, "q", [{ ...moved, sides }]);
    assert.equal(await home.knownCount(SYNC, "a"), 1);
    assert.equal((await home.links(SYNC, [1]))[0]?.sides["a"]?.key, "moved");
  });

  const sidesOf = async (home: ReturnType<typeof keptBy>): Promise<readonly unknown[]> => {
    const links = await home.scanLinks(SYNC, 0, 10);
    return links.map(({ link, sides }) => [
      link,
      ...Object.entries(sides).map(([side, own]) => `${side} ${own.key} ${own.version}`),
    ]);
  };
  const onA = (link: number, at: string): SettledRecord => {
    const [own] = settled(link).sides;
    const sides = own === undefined ? [] : [{ ...own, key: key(at), version: `${link}` }];
    return settled(link, { sides });
  };

  behaviour(
    "a key has one record: another's takes it with it, also within one step",
    async (subject) => {
      const home = keptBy(subject.home);
      const lease = await takeLease(home);
      await settle(home, lease, "p", [onA(1, "x"), onA(2, "y"), onA(3, "z")]);
      await settle(home, lease, "q", [onA(2, "x")]);
      assert.deepEqual(await sidesOf(home), [[1], [2, "a x 2"], [3, "a z 3"]], "a later step");
      await settle(home, lease, "r", [onA(2, "z"), onA(3, "x")]);
      assert.deepEqual(await sidesOf(home), [[1], [2, "a z 2"], [3, "a x 3"]], "a swap");
      await settle(home, lease, "s", [onA(1, "one"), onA(2, "one")]);
      assert.deepEqual(await sidesOf(home), [[1], [2, "a one 2"], [3, "a x 3"]], "two at once");
      assert.equal(await home.knownCount(SYNC, "a"), 2);
      const known = await home.known(SYNC, "a", [key("one"), key("x"), key("z")]);
      assert.deepEqual([...known.values()].map(({ key: own, link }) => [own, link]).sort(), [
        ["one", 2],
        ["x", 3],
      ]);
    },
  );

  behaviour("a record is found by its new name, and not by the one it had", async (subject) => {
    const home = keptBy(subject.home);
    const lease = await takeLease(home);
    await settle(home, lease, "p", [settled(1), settled(2)]);
    await settle(home, lease, "q", [settled(1, { name: "new" }), settled(2)]);
    const found = async (name: string): Promise<readonly number[]> =>
      (await home.findLinks(SYNC, { name })).map(({ link }) => link);
    assert.deepEqual([await found("new"), await found("n1"), await found("n2")], [[1], [], [2]]);
  });

  behaviour("shared records are called otherwise without being another one", async (subject) => {
    const home = keptBy(subject.home);
    const lease = await takeLease(home);
    const questions = [{ field: "price", why: "no policy", candidates: [] }];
    await settle(home, lease, "p", [settled(1, { questions }), settled(2, { questions })]);
    const [before] = await home.links(SYNC, [1]);
    await home.renameLinks(lease, [{ link: 1, name: "other" }]);
    const asked = await home.conflicts({ sync: SYNC });
    assert.deepEqual(asked.map(({ name }) => name).sort(), ["n2", "other"]);
    assert.deepEqual(await home.findLinks(SYNC, { name: "other" }), [{ ...before, name: "other" }]);
    assert.deepEqual(await home.findLinks(SYNC, { name: "n1" }), []);
    assert.equal((await home.findLinks(SYNC, { name: "n2" })).length, 1);
  });

  behaviour("a record that ends leaves tombstones; one that is forgotten none", async (subject) => {
    const home = keptBy(subject.home);
    const lease = await takeLease(home);
    await settle(home, lease, "p", [settled(1), settled(2), settled(3)]);
    await settle(home, lease, "q", [
      settled(1, { ends: true, sides: [], unlinked: [{ side: "a", hash: "marked" }] }),
      settled(2, { forgets: true, sides: [] }),
      settled(3, { sides: [], unlinked: [{ side: "b" }] }),
    ]);
    assert.deepEqual(
      (await home.scanLinks(SYNC, 0, 10)).map(({ link }) => link),
      [3],
    );
    const buried = await home.buried(SYNC, "a", [key("a-n1"), key("a-n2")]);
    assert.deepEqual(
      [...buried.values()].map(({ key: own, hash }) => [own, hash]),
      [["a-n1", "marked"]],
    );
    assert.deepEqual(
      [...buried.values()].map(({ isStanding }) => isStanding),
      [true],
    );
    const other = (await home.buried(SYNC, "b", [key("b-n1")])).get(key("b-n1"));
    assert.deepEqual([other?.hash, other?.isStanding], ["hash-b", false]);
    assert.deepEqual(keysOf([...(await home.known(SYNC, "a", [key("a-n3")])).values()]), ["a-n3"]);
    assert.equal(await home.knownCount(SYNC, "b"), 0);
    await home.touchBuried(SYNC, "a", [key("a-n1")], 5000);
    assert.equal(await home.forgetBuried(lease, 2000), 2);
    assert.equal((await home.buried(SYNC, "a", [key("a-n1")])).size, 1);
  });

  behaviour("every linked record is walked, each with a row of its own", async (subject) => {
    const home = keptBy(subject.home);
    const lease = await takeLease(home);
    await settle(
      home,
      lease,
      "p",
      [1, 2, 3, 4, 5].map((link) => settled(link)),
    );
    const rows = new Set<number>();
    const keys: string[] = [];
    for await (const batch of home.everyKnown(SYNC, "a")) {
      for (const record of batch) {
        rows.add(record.row);
        keys.push(record.key);
      }
    }
    assert.equal(rows.size, 5);
    assert.deepEqual(keys.sort(), ["a-n1", "a-n2", "a-n3", "a-n4", "a-n5"]);
  });

  behaviour("an old lease settles and intends nothing", async (subject) => {
    const home = keptBy(subject.home);
    const old = await takeLease(home);
    await home.releaseLease(old);
    const lease = await takeLease(home);
    await home.savePlanned(lease, "p", [planned(1, "p")]);
    await assert.rejects(settle(home, old, "p", [settled(1)]), { code: "HOME_FENCED" });
    const stamp = { plan: "p", runId: "run", at: 1 };
    await assert.rejects(home.intend(old, stamp, [planned(1, "p")]), { code: "HOME_FENCED" });
    await assert.rejects(home.stage(old, [staged("a", "n1")]), { code: "HOME_FENCED" });
    await assert.rejects(home.dropPlans(old), { code: "HOME_FENCED" });
    assert.equal(await home.linkCount(SYNC), 0);
    assert.deepEqual(await home.unsettled(SYNC), []);
    assert.equal((await home.planned("p", 0, 10)).length, 1);
  });
}

function matching(behaviour: Behaviour): void {
  behaviour("unlinked records are grouped by name, with the link of that name", async (subject) => {
    const home = keptBy(subject.home);
    const lease = await takeLease(home);
    await settle(home, lease, "p", [settled(1)]);
    await home.stage(lease, [
      staged("c", "n1"),
      staged("a", "n2"),
      staged("b", "n2"),
      staged("a", "twice", "x"),
      staged("a", "twice", "y"),
      staged("a", undefined, "nameless"),
      { side: "b", key: key("b-n1"), link: 1, state: "gone", values: [] },
    ]);
    const groups = await home.unmatched(SYNC, null, 10);
    assert.deepEqual(
      groups.map(({ name, staged: of }) => [name, of.length]),
      [
        ["n1", 1],
        ["n2", 2],
        ["twice", 2],
      ],
    );
    const taken = [{ link: 1, sides: ["a"] }];
    assert.deepEqual(groups[0]?.links, taken, "a side that is gone is free");
    assert.deepEqual(groups[1]?.links, []);
    assert.deepEqual(
      (await home.unmatched(SYNC, "n1", 1)).map(({ name }) => name),
      ["n2"],
    );
    assert.equal(await home.namelessCount(SYNC), 1);
  });

  behaviour("all links that renames gave one name are told, with their sides", async (subject) => {
    const home = keptBy(subject.home);
    const lease = await takeLease(home);
    const [onA, onB] = settled(2).sides;
    await settle(home, lease, "p", [
      settled(3, { name: "n\0", sides: [] }),
      settled(2, { name: "n\0", sides: [onB, onA].flatMap((side) => side ?? []) }),
      settled(1, { name: "n\0", sides: settled(1).sides.slice(1) }),
      settled(4),
    ]);
    await home.stage(lease, [staged("c", "n\0"), staged("c", "n4")]);
    const told = (await home.unmatched(SYNC, null, 10)).map(({ links }) =>
      links.map(({ link, sides }) => `${link} ${sides}`),
    );
    assert.deepEqual(told, [["1 b", "2 a,b", "3 "], ["4 a,b"]]);
  });

  behaviour(
    "candidates are links that are staged, behind or in question, in batches",
    async (subject) => {
      const home = keptBy(subject.home);
      const lease = await takeLease(home);
      const first = await home.reserveLinks(SYNC, 3);
      assert.equal(await home.reserveLinks(SYNC, 1), first + 3);
      const [one, two, three] = [first, first + 1, first + 2];
      const question = { field: "f", why: "w", candidates: [{ side: "a", value: "x" }] };
      await settle(home, lease, "p", [
        settled(one),
        settled(two, { behind: true }),
        settled(three, { questions: [question] }),
      ]);
      await home.stage(lease, [staged("c", "new")]);
      await home.linkStaged(lease, [{ side: "c", key: key("c-new"), link: one }]);
      const [conflict] = await home.conflicts({ sync: SYNC });
      const resolution = { by: "ann", at: 1, take: "a" };
      await home.resolveConflicts([{ id: conflict?.id ?? 0, resolution }]);
      const all = await home.candidates(SYNC, 0, 10);
      assert.deepEqual(
        all.map(({ link }) => link),
        [one, two, three],
      );
      assert.deepEqual(all[0]?.staged[0]?.values, HOSTILE);
      assert.deepEqual(Object.keys(all[1]?.stored?.sides ?? {}).sort(), ["a", "b"]);
      assert.deepEqual(
        (await home.candidates(SYNC, one, 1)).map(({ link }) => link),
        [two],
      );
      await home.clearStaged(lease);
      assert.deepEqual(
        (await home.candidates(SYNC, 0, 10)).map(({ link }) => link),
        [two, three],
      );
    },
  );
}
