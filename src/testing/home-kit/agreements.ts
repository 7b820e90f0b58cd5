import assert from "node:assert/strict";
import type { Said } from "../../model/reconcile.ts";
import type { SettledRecord } from "../../ports/agreements.ts";
import {
  HOSTILE,
  head,
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
  planning(behaviour);
  asking(behaviour);
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

function planning(behaviour: Behaviour): void {
  behaviour("a plan comes back whole, and its settled records no more", async (subject) => {
    const home = keptBy(subject.home);
    const lease = await takeLease(home);
    const records = [planned(1, "p"), planned(2, "p"), planned(3, "p", 0)];
    await home.savePlanned(lease, "p", records);
    await home.savePlan(lease, head("p"));
    assert.deepEqual(await home.newestPlan(SYNC), head("p"));
    assert.deepEqual(await home.planned("p", 0, 10), records);
    assert.deepEqual(await home.planned("p", 1, 1), [records[1]]);
    await home.intend(lease, { plan: "p", runId: "run", at: 5 }, [planned(1, "p")]);
    assert.deepEqual(
      (await home.unsettled(SYNC)).map(({ record }) => record.link),
      [1],
    );
    const end = { id: "p:1:0", state: "written" as const, stored: { f: "\ud800" } };
    await settle(home, lease, "p", [settled(1, { operations: [end] })]);
    assert.deepEqual(await home.unsettled(SYNC), []);
    assert.deepEqual(
      (await home.planned("p", 0, 10)).map(({ link }) => link),
      [2, 3],
    );
    const [written] = await home.journal({ sync: SYNC, limit: 10 });
    const { name = "" } = written ?? {};
    assert.deepEqual(await home.journal({ sync: SYNC, name, limit: 1 }), [written]);
    assert.deepEqual(await home.journal({ sync: SYNC, name: `${name}?`, limit: 1 }), []);
    assert.equal(written?.state, "written");
    assert.deepEqual(written?.stored, { f: "\ud800" });
    assert.equal(written?.runId, "run");
    assert.deepEqual(
      (await home.decisions(SYNC, 1, 10)).map(({ record }) => record),
      [records[0]],
    );
    assert.deepEqual(
      (await home.plansOf("run")).map(({ plan }) => plan),
      ["p"],
    );
  });

  behaviour(
    "the generation grows with each plan that was applied, and only then",
    async (subject) => {
      const home = keptBy(subject.home);
      const lease = await takeLease(home);
      await home.savePlan(lease, head("p"));
      await settle(home, lease, "p", [settled(1)]);
      assert.equal(await home.generation(SYNC), 0);
      await settle(home, lease, "p", [], true);
      assert.equal(await home.generation(SYNC), 1);
      assert.equal(await home.newestPlan(SYNC), undefined, "an applied plan waits no more");
    },
  );

  behaviour("plans that were never applied are dropped, what was sent stays", async (subject) => {
    const home = keptBy(subject.home);
    const lease = await takeLease(home);
    await home.savePlanned(lease, "sent", [planned(1, "sent"), planned(2, "sent")]);
    await home.savePlan(lease, head("sent"));
    await home.intend(lease, { plan: "sent", runId: "run", at: 5 }, [planned(1, "sent")]);
    const ends = [{ id: "sent:1:0", state: "conflict" as const, trouble: "changed" }];
    await settle(home, lease, "sent", [settled(1, { operations: ends })]);
    await home.savePlanned(lease, "idle", [planned(3, "idle")]);
    await home.savePlan(lease, head("idle", 2));
    await home.dropPlans(lease);
    assert.equal(await home.plan("idle"), undefined);
    assert.deepEqual(await home.planned("sent", 0, 10), []);
    const [entry] = await home.journal({ sync: SYNC, limit: 10 });
    assert.deepEqual([entry?.state, entry?.trouble], ["conflict", "changed"]);
    assert.equal((await home.decisions(SYNC, 1, 10)).length, 1);
    // What was begun and cannot be ended any more counts as applied, once.
    assert.equal(await home.generation(SYNC), 1);
    assert.equal(await home.newestPlan(SYNC), undefined);
    await home.dropPlans(lease);
    assert.equal(await home.generation(SYNC), 1);
  });

  behaviour("ambiguous names are kept with their plan", async (subject) => {
    const home = keptBy(subject.home);
    const lease = await takeLease(home);
    const found = [{ name: "a\ud800", keys: { a: [key("1"), key("2")], b: [] } }];
    await home.saveAmbiguous(lease, "p", found);
    assert.deepEqual(await home.ambiguous("p"), found);
    assert.deepEqual(await home.ambiguous("q"), []);
  });
}

function asking(behaviour: Behaviour): void {
  behaviour("a question stands under one id until it is closed or changes", async (subject) => {
    const home = keptBy(subject.home);
    const lease = await takeLease(home);
    const ask = (value: string) => ({
      field: "f",
      why: "w",
      base: "b",
      candidates: [{ side: "a", value }],
    });
    const shown: readonly Said[] = [
      { side: "a", field: "f", value: "x", at: "2026-01-01T00:00:00Z" },
      { side: "b", value: null, deleted: true },
    ];
    await settle(home, lease, "p", [
      settled(1, { questions: [ask("x"), { why: "life", candidates: shown }] }),
    ]);
    const [first, life] = await home.conflicts({ sync: SYNC });
    assert.equal(first?.field, "f");
    assert.equal(life?.field, undefined);
    assert.deepEqual(life?.candidates, shown);
    assert.equal(await home.conflictCount(SYNC), 2);
    const resolution = { by: "ann", at: 1, value: "y" };
    await home.resolveConflicts([{ id: first?.id ?? 0, resolution }]);
    assert.deepEqual(
      (await home.conflicts({ link: [1], resolved: true })).map((one) => one.resolution),
      [resolution],
    );
    const { questions: _, ...unasked } = settled(1);
    await settle(home, lease, "p2", [unasked]);
    const stays = await home.conflicts({ sync: SYNC });
    assert.deepEqual(stays, [{ ...first, resolution }, life], "what is not spoken of stays");
    await settle(home, lease, "q", [settled(1, { questions: [ask("z")] })]);
    const [kept] = await home.conflicts({ sync: SYNC });
    assert.deepEqual(
      [kept?.resolution, kept?.candidates],
      [resolution, ask("x").candidates],
      "a decision that the plan did not know stays, with what was decided",
    );
    const inSpiteOf = resolution;
    await settle(home, lease, "q", [settled(1, { questions: [{ ...ask("z"), inSpiteOf }] })]);
    const [again, none] = await home.conflicts({ sync: SYNC });
    assert.equal(none, undefined, "what is asked no more is closed");
    assert.equal(again?.id, first?.id);
    assert.equal(again?.resolution, undefined, "a decision holds for the values that were shown");
    assert.deepEqual(again?.candidates, ask("z").candidates);
    await settle(home, lease, "r", [settled(1)]);
    assert.equal(await home.conflictCount(SYNC), 0);
  });
}
