import assert from "node:assert/strict";
import { bucketOf, sumDigests } from "../../model/digest.ts";
import type { Agreements, KnownRecord } from "../../ports/agreements.ts";
import type { Home, Lease } from "../../ports/home.ts";
import type { SettledRecord } from "../../ports/settlement.ts";
import { type Behaviour, key, takeLease } from "./subject.ts";

const SYNC = "kit";
const BIG = 2 ** 52 - 1;
/** By link; the greatest there can be, and pairs that stand in one bucket. */
const DIGESTS = [0, 1, BIG, BIG - 7, 2 ** 50 + 5];

type Kept = Home & Agreements;
type Side = SettledRecord["sides"][number];

const side = (link: number, parts: Partial<Side> = {}): Side => ({
  side: "a",
  key: key(`a-${link}`),
  acknowledged: { returned: [], stoodFor: [] },
  hash: `hash-${link}`,
  ...parts,
});

const settled = (link: number, sides: readonly Side[], behind = false): SettledRecord => ({
  link,
  name: `n${link}`,
  agreed: [],
  ends: false,
  behind,
  sides,
  unlinked: [],
  operations: [],
  questions: [],
});

async function settle(home: Kept, lease: Lease, records: readonly SettledRecord[]): Promise<void> {
  await home.settle({ lease, runId: "run", plan: "p", at: 1, records, completes: false });
}

async function knownIn(
  home: Kept,
  bits: number,
  of: readonly number[],
): Promise<readonly KnownRecord[]> {
  const found: KnownRecord[] = [];
  for await (const batch of home.knownDigestsIn(SYNC, "a", { bits, of })) {
    const known = await home.knownRows(
      SYNC,
      "a",
      batch.map(({ row }) => row),
    );
    const told = known.map(({ row, digest }) => ({
      row,
      ...(digest === undefined ? {} : { digest }),
    }));
    const byRow = <T extends { readonly row: number }>(rows: readonly T[]): readonly T[] =>
      rows.toSorted((one, other) => one.row - other.row);
    assert.deepEqual(byRow(batch), byRow(told), "rows and digests, and nothing else");
    found.push(...known);
  }
  return found.sort((one, other) => one.link - other.link);
}

/** What must hold of the digests that a home keeps of linked records. */
export function digestBehaviours(behaviour: Behaviour): void {
  behaviour("digests are added up by bucket, exactly", async (subject) => {
    const home = subject.home as Kept;
    const lease = await takeLease(home);
    const records = DIGESTS.map((digest, at) => settled(at + 1, [side(at + 1, { digest })]));
    await settle(home, lease, [
      ...records,
      settled(6, [side(6)]),
      settled(7, [side(7, { side: "b", digest: 9 })]),
    ]);
    for (const bits of [0, 2, 16]) {
      const { sums, without } = await home.knownDigests(SYNC, "a", bits);
      const wanted = sumDigests(DIGESTS, bits).toSorted((x, y) => x.bucket - y.bucket);
      assert.deepEqual(
        sums.toSorted((x, y) => x.bucket - y.bucket),
        wanted,
      );
      assert.equal(without, 1);
    }
    assert.deepEqual(await home.knownDigests("other", "a", 4), { sums: [], without: 0 });
    const known = await home.known(SYNC, "a", [key("a-3"), key("a-6")]);
    assert.equal(known.get(key("a-3"))?.digest, BIG);
    assert.ok(known.has(key("a-6")) && known.get(key("a-6"))?.digest === undefined);
    const some = await knownIn(home, 2, [bucketOf(BIG, 2)]);
    assert.deepEqual(
      some.map(({ link, digest }) => [link, digest]),
      [
        [3, BIG],
        [4, BIG - 7],
        [6, undefined],
      ],
      "those of the bucket and those without",
    );
    assert.deepEqual(
      (await knownIn(home, 2, [])).map(({ link }) => link),
      [6],
    );
  });

  behaviour("linked records are told by their rows, of one side of one sync", async (subject) => {
    const home = subject.home as Kept;
    const lease = await takeLease(home);
    await settle(home, lease, [
      settled(1, [side(1, { digest: BIG }), side(1, { side: "b", key: key("b-1"), digest: BIG })]),
      settled(2, [side(2)]),
    ]);
    const [one, two] = await knownIn(home, 0, [0]);
    assert.ok(one !== undefined && two !== undefined);
    const rows = [two.row, one.row, 999_999];
    const found = await home.knownRows(SYNC, "a", rows);
    assert.deepEqual(
      found.toSorted((x, y) => x.link - y.link),
      [
        { key: key("a-1"), link: 1, row: one.row, hash: "hash-1", digest: BIG },
        { key: key("a-2"), link: 2, row: two.row, hash: "hash-2" },
      ],
    );
    assert.deepEqual(await home.knownRows(SYNC, "a", []), []);
    assert.deepEqual(await home.knownRows(SYNC, "b", rows), []);
    assert.deepEqual(await home.knownRows("other", "a", rows), []);
  });

  behaviour("each known digest of many is told once", async (subject) => {
    const home = subject.home as Kept;
    const lease = await takeLease(home);
    const links = Array.from({ length: 10_101 }, (_, at) => at + 1);
    const records = links.map((link) => {
      const known = link % 3 === 0 ? {} : { digest: link % 3 === 1 ? link : BIG - link };
      return settled(link, [side(link, known)]);
    });
    await settle(home, lease, records);
    for (const [of, count] of [
      [[0], 6734],
      [[0, 15], 10_101],
      [[3], 3367],
    ] as const) {
      const rows: number[] = [];
      for await (const batch of home.knownDigestsIn(SYNC, "a", { bits: 4, of })) {
        rows.push(...batch.map(({ row }) => row));
      }
      assert.deepEqual([rows.length, new Set(rows).size], [count, count]);
    }
  });

  behaviour("a digest is noted while its record stays as it was", async (subject) => {
    const home = subject.home as Kept;
    const lease = await takeLease(home);
    await settle(home, lease, [settled(1, [side(1)]), settled(2, [side(2, { digest: 5 })])]);
    const [one, two] = await knownIn(home, 0, [0]);
    assert.ok(one !== undefined && two !== undefined);
    await settle(home, lease, [settled(2, [side(2, { hash: "later", digest: 6 })])]);
    await home.noteDigests(lease, "a", [
      { ...one, digest: 11, agrees: true },
      { ...two, digest: 12, agrees: true },
    ]);
    await home.noteDigests(lease, "b", [{ ...one, digest: 13, agrees: true }]);
    assert.deepEqual(
      (await knownIn(home, 0, [0])).map(({ digest }) => digest),
      [11, 6],
    );
    await settle(home, lease, [settled(1, [side(1)])]);
    assert.equal((await knownIn(home, 0, []))[0]?.link, 1, "settled anew without a digest");
    await home.releaseLease(lease);
    await takeLease(home);
    await assert.rejects(home.noteDigests(lease, "a", [{ ...one, digest: 1, agrees: true }]), {
      code: "HOME_FENCED",
    });
  });

  behaviour("a staged record keeps its digest", async (subject) => {
    const home = subject.home as Kept;
    const lease = await takeLease(home);
    const staged = { side: "a", state: "present" as const, values: [], name: "n" };
    await home.stage(lease, [
      { ...staged, key: key("x"), link: 1, digest: BIG },
      { ...staged, key: key("y"), link: 2 },
    ]);
    const found = await home.candidates(SYNC, 0, 10);
    assert.deepEqual(
      found.map((one) => one.staged[0]?.digest),
      [BIG, undefined],
    );
  });

  behaviour("doubtful are those that nobody saw agree, behind and in question", async (subject) => {
    const home = subject.home as Kept;
    const lease = await takeLease(home);
    const agreed = (link: number): Side => side(link, { digest: link, agrees: true });
    const question = { field: "f", why: "w", candidates: [] };
    await settle(home, lease, [
      settled(1, [agreed(1), side(1, { side: "b", agrees: true })]),
      settled(2, [side(2, { digest: 2, agrees: false })]),
      settled(3, [agreed(3)], true),
      { ...settled(4, [agreed(4)]), questions: [question] },
      settled(5, [side(5)]),
      settled(6, [side(6, { side: "b" })], true),
    ]);
    assert.deepEqual(await home.doubtful(SYNC, "a", 0, 10), [2, 3, 4, 5]);
    assert.deepEqual(await home.doubtful(SYNC, "a", 2, 2), [3, 4]);
    assert.deepEqual(await home.doubtful("other", "a", 0, 10), []);
    await settle(home, lease, [settled(1, [side(1, { side: "b", agrees: true })])]);
    assert.deepEqual(await home.doubtful(SYNC, "a", 0, 1), [1], "another value may be agreed now");
    assert.deepEqual(await home.doubtful(SYNC, "b", 0, 10), [6]);
    const [one] = await knownIn(home, 0, [0]);
    assert.equal(one?.digest, 1, "as it stands it is known all the same");
    if (one !== undefined) {
      await home.noteDigests(lease, "a", [{ ...one, digest: 1, agrees: true }]);
    }
    assert.deepEqual(await home.doubtful(SYNC, "a", 0, 1), [2]);
  });
}
