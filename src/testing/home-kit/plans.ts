import assert from "node:assert/strict";
import type { Said } from "../../model/reconcile.ts";
import { head, keptBy, planned, SYNC, settle, settled } from "./agreement-samples.ts";
import { type Behaviour, key, takeLease } from "./subject.ts";

/** What must hold of the plans that a home keeps, and of the questions that they leave. */
export function planBehaviours(behaviour: Behaviour): void {
  planning(behaviour);
  asking(behaviour);
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
