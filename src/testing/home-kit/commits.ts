import assert from "node:assert/strict";
import type { Commit, Home } from "../../ports/home.ts";
import {
  type Behaviour,
  changedKeys,
  changesOf,
  commitOf,
  created,
  cursor,
  FIELDS,
  key,
  log,
  rejected,
  takeLease,
  updated,
} from "./subject.ts";

/** A commit that changes everything a commit can change. */
const EVERYTHING: Partial<Commit> = {
  log: { fieldNames: FIELDS, entries: [created("a")] },
  park: [{ key: key("bad"), image: "{}", problems: [] }],
  seen: { walkId: "w", keys: [key("a"), key("b")] },
  checkpoints: [{ lane: "walk", cursor: cursor("c1"), state: { walkId: "w" } }],
};

/** What a home shows of `EVERYTHING`. */
async function traces(home: Home): Promise<readonly number[]> {
  return [
    (await changesOf(home)).length,
    await home.parkedCount("kit"),
    await home.seenCount("w"),
    (await home.checkpoints("kit")).length,
  ];
}

export function commitBehaviours(behaviour: Behaviour): void {
  leases(behaviour);
  checkpoints(behaviour);
  atomicity(behaviour);
  seenKeys(behaviour);
}

function leases(behaviour: Behaviour): void {
  behaviour("a lease is held against others until it ends", async ({ home, clock }) => {
    const first = await home.acquireLease("kit", "one", 1000);
    assert.equal(first.until, clock.now() + 1000);
    assert.deepEqual(await home.currentLease("kit"), first);
    const error = await rejected(home.acquireLease("kit", "two", 1000), "LEASE_HELD");
    assert.match(error.message, /"one"/);
    await home.acquireLease("other sync", "two", 1000);
    clock.advance(999);
    await rejected(home.acquireLease("kit", "two", 1000), "LEASE_HELD");
    clock.advance(1);
    assert.equal(await home.currentLease("kit"), undefined);
    const second = await home.acquireLease("kit", "two", 1000);
    assert.ok(second.fence > first.fence);
    assert.equal((await home.currentLease("kit"))?.owner, "two");
  });

  behaviour("its owner may take a lease again, with a higher fence", async ({ home }) => {
    const first = await home.acquireLease("kit", "one", 1000);
    const second = await home.acquireLease("kit", "one", 1000);
    assert.ok(second.fence > first.fence);
    await rejected(home.renewLease(first, 1000), "HOME_FENCED");
  });

  behaviour(
    "a renewed lease lasts longer; a lost one cannot be renewed",
    async ({ home, clock }) => {
      const first = await home.acquireLease("kit", "one", 1000);
      clock.advance(900);
      const renewed = await home.renewLease(first, 1000);
      assert.equal(renewed.until, clock.now() + 1000);
      clock.advance(900);
      await rejected(home.acquireLease("kit", "two", 1000), "LEASE_HELD");
      clock.advance(100);
      await home.acquireLease("kit", "two", 1000);
      const error = await rejected(home.renewLease(renewed, 1000), "HOME_FENCED");
      assert.equal(error.context.sync, "kit");
    },
  );

  behaviour("a released lease is free, and its fence is never used again", async ({ home }) => {
    const first = await home.acquireLease("kit", "one", 1000);
    await home.releaseLease(first);
    assert.equal(await home.currentLease("kit"), undefined);
    const second = await home.acquireLease("kit", "two", 1000);
    assert.ok(second.fence > first.fence);
    await home.releaseLease(first);
    assert.deepEqual(await home.currentLease("kit"), second);
  });
}

function checkpoints(behaviour: Behaviour): void {
  behaviour("a checkpoint comes back as it was saved", async ({ home }) => {
    const lease = await takeLease(home);
    assert.equal(await home.checkpoint("kit", "Property", "walk"), undefined);
    const state = { walkId: "w", pages: 3, nested: { list: [1, "é", null], flag: true } };
    const saved = cursor('{"key":"\\u0000é🏠","page":1}');
    await home.commit(commitOf(lease, { checkpoints: [{ lane: "walk", cursor: saved, state }] }));
    assert.deepEqual(await home.checkpoint("kit", "Property", "walk"), {
      sync: "kit",
      stream: "Property",
      lane: "walk",
      cursor: saved,
      state,
      runId: "run",
      savedAt: 1000,
    });
  });

  behaviour("lanes, streams and syncs move on their own", async ({ home }) => {
    const lease = await takeLease(home);
    const other = await takeLease(home, "other");
    const at = (text: string | null, lane: "walk" | "changes" = "walk") => [
      { lane, cursor: text === null ? null : cursor(text), state: {} },
    ];
    await home.commit(commitOf(lease, { checkpoints: at("1") }));
    await home.commit(commitOf(lease, { checkpoints: at(null, "changes") }));
    await home.commit(commitOf(lease, { stream: "Member", checkpoints: at("2") }));
    await home.commit(commitOf(other, { checkpoints: at("3") }));
    await home.commit(commitOf(lease, { checkpoints: at("4"), runId: "later", at: 2000 }));
    const all = await home.checkpoints("kit");
    assert.deepEqual(all.map(({ stream, lane, cursor: text }) => [stream, lane, text]).toSorted(), [
      ["Member", "walk", "2"],
      ["Property", "changes", null],
      ["Property", "walk", "4"],
    ]);
    const walk = await home.checkpoint("kit", "Property", "walk");
    assert.deepEqual([walk?.runId, walk?.savedAt], ["later", 2000]);
    assert.equal((await home.checkpoint("other", "Property", "walk"))?.cursor, "3");
    await home.commit(commitOf(lease, { dropCheckpoints: ["walk", "sweep"] }));
    assert.equal(await home.checkpoint("kit", "Property", "walk"), undefined);
    assert.equal((await home.checkpoints("kit")).length, 2);
  });
}

function atomicity(behaviour: Behaviour): void {
  behaviour("a commit changes everything it names", async ({ home }) => {
    await home.commit(commitOf(await takeLease(home), EVERYTHING));
    assert.deepEqual(await traces(home), [1, 1, 2, 1]);
  });

  behaviour("a commit under an old lease changes nothing", async ({ home, clock }) => {
    const old = await takeLease(home);
    clock.advance(120_000);
    const newer = await home.acquireLease("kit", "two", 60_000);
    const error = await rejected(home.commit(commitOf(old, EVERYTHING)), "HOME_FENCED");
    assert.equal(error.context.sync, "kit");
    assert.deepEqual(await traces(home), [0, 0, 0, 0]);
    await home.commit(commitOf(newer, EVERYTHING));
    assert.deepEqual(await traces(home), [1, 1, 2, 1]);
  });

  behaviour("a commit without a lease that was given out is refused", async ({ home }) => {
    const made = { sync: "kit", owner: "kit", fence: 1, until: Number.MAX_SAFE_INTEGER };
    await rejected(home.commit(commitOf(made, EVERYTHING)), "HOME_FENCED");
    assert.deepEqual(await traces(home), [0, 0, 0, 0]);
  });

  behaviour("an ended lease that no one took may still commit", async ({ home, clock }) => {
    const lease = await takeLease(home);
    clock.advance(120_000);
    await home.commit(commitOf(lease, EVERYTHING));
    assert.deepEqual(await traces(home), [1, 1, 2, 1]);
  });

  behaviour("a step that fails undoes its commit, and the next one works", async ({ home }) => {
    const lease = await takeLease(home);
    const broken = new Error("broken step");
    const step = (): void => {
      throw broken;
    };
    await assert.rejects(home.commit(commitOf(lease, { ...EVERYTHING, step })), broken);
    assert.deepEqual(await traces(home), [0, 0, 0, 0]);
    let calls = 0;
    const counting = (): void => {
      calls += 1;
    };
    await home.commit(commitOf(lease, { ...EVERYTHING, step: counting }));
    assert.equal(calls, 1);
    assert.deepEqual(await traces(home), [1, 1, 2, 1]);
  });

  behaviour("a commit that fails at its end leaves nothing behind", async ({ home }) => {
    const lease = await takeLease(home);
    const change = (field: string, id: string) =>
      ({
        log: { fieldNames: FIELDS, entries: [updated(id, [{ field, before: 1, after: 2 }])] },
      }) as const;
    // JSON has no such number, so the state cannot be kept.
    const checkpoints = [{ lane: "walk", cursor: null, state: { count: 1n } }] as const;
    const broken = commitOf(lease, { ...EVERYTHING, ...change("First", "a"), checkpoints });
    await assert.rejects(home.commit(broken));
    assert.deepEqual(await traces(home), [0, 0, 0, 0]);
    await home.commit(commitOf(lease, change("Second", "b")));
    await home.commit(commitOf(lease, change("First", "c")));
    assert.deepEqual(await changedKeys(home, { fields: ["Second"] }), ["b"]);
    assert.deepEqual(await changedKeys(home, { fields: ["First"] }), ["c"]);
  });

  behaviour("what was committed outlives a crash", async (bench, context) => {
    if (bench.reopen === undefined) return context.skip("it cannot be opened again");
    const lease = await takeLease(bench.home);
    await bench.home.commit(commitOf(lease, EVERYTHING));
    const reopened = await bench.reopen();
    assert.deepEqual(await traces(reopened), [1, 1, 2, 1]);
    await rejected(reopened.acquireLease("kit", "two", 1000), "LEASE_HELD");
    await log(reopened, lease, [created("b")], { at: 2000 });
    const ids = (await changesOf(reopened)).map(({ id }) => id);
    assert.ok((ids[0] ?? 0) > (ids[1] ?? 0), `ids do not grow: ${ids}`);
  });
}

function seenKeys(behaviour: Behaviour): void {
  behaviour("seen keys are counted once, however often seen", async ({ home }) => {
    const lease = await takeLease(home);
    const see = (walkId: string, ...names: readonly string[]) =>
      home.commit(commitOf(lease, { seen: { walkId, keys: names.map(key) } }));
    assert.equal(await home.seenCount("w1"), 0);
    await see("w1", "a", "b", "a");
    await see("w1", "b", "c");
    await see("w2", "z");
    await see("w2");
    assert.equal(await home.seenCount("w1"), 3);
    assert.equal(await home.seenCount("w2"), 1);
    assert.deepEqual(await home.unseen("w1", ["z", "a", "y", "c"].map(key)), ["z", "y"]);
    assert.deepEqual(await home.unseen("never begun", ["a"].map(key)), ["a"]);
    await home.commit(commitOf(lease, { forgetWalk: "w1" }));
    assert.equal(await home.seenCount("w1"), 0);
    assert.equal(await home.seenCount("w2"), 1);
  });

  behaviour("seen keys that look alike are different", async ({ home }) => {
    const lease = await takeLease(home);
    const names = ["007", "7", " x ", "x", "X", "\u00e9", "e\u0301", "🏠", "", "[1,2]", '"'].map(
      key,
    );
    for (const [index, name] of names.entries()) {
      assert.deepEqual(await home.unseen("w", [name]), [name]);
      await home.commit(commitOf(lease, { seen: { walkId: "w", keys: [name] } }));
      assert.equal(await home.seenCount("w"), index + 1);
    }
    assert.deepEqual(await home.unseen("w", names), []);
  });

  behaviour("ten thousand keys are seen in pages", async ({ home }) => {
    const lease = await takeLease(home);
    const names = Array.from({ length: 10_000 }, (_, index) => key(`K${index}`));
    for (let start = 0; start < names.length; start += 1000) {
      const keys = names.slice(start, start + 1000);
      await home.commit(commitOf(lease, { seen: { walkId: "w", keys } }));
    }
    assert.equal(await home.seenCount("w"), 10_000);
    const mixed = [...names.slice(0, 999), key("new")];
    assert.deepEqual(await home.unseen("w", mixed), ["new"]);
  });
}
