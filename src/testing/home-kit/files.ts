import assert from "node:assert/strict";
import type { HeldFile } from "../../model/media.ts";
import { type Behaviour, commitOf, key, rejected, takeLease } from "./subject.ts";

const STREAM = "Property/Media";

const file = (parent: string, media: string, parts: Partial<HeldFile> = {}): HeldFile => ({
  parent: key(parent),
  media: key(media),
  url: `https://files.example/${media}`,
  contentType: "image/jpeg",
  size: 3_000_000_000,
  hash: "ab",
  path: `Property/${parent}/${media}.jpg`,
  fetchedAt: 1_700_000_000_123,
  ...parts,
});

export function fileBehaviours(behaviour: Behaviour): void {
  behaviour("files held come back as they were, by record and order", async ({ home }) => {
    const lease = await takeLease(home);
    const whole = file("1", "b", { changedAt: "2026-01-01T00:00:00.123456Z", order: 1 });
    const hold = [file("1", "é'\u0000"), whole, file("1", "a", { order: 0 }), file("2", "a")];
    await home.commit(commitOf(lease, { stream: STREAM, files: { hold } }));
    const held = await home.heldFiles("kit", STREAM, [key("1"), key("3")]);
    assert.deepEqual(held, [hold[2], whole, hold[0]]);
    assert.deepEqual(await home.heldTotals("kit", STREAM), {
      records: 2,
      files: 4,
      bytes: 12_000_000_000,
    });
    assert.deepEqual(await home.heldFiles("kit", "Member/Media", [key("1")]), []);
    assert.deepEqual(await home.heldFiles("kit", STREAM, []), []);
  });

  behaviour("a file held again replaces what was held; a forgotten one is gone", async (bench) => {
    const { home } = bench;
    const lease = await takeLease(home);
    const save = (files: Parameters<typeof commitOf>[1]): Promise<void> =>
      home.commit(commitOf(lease, { stream: STREAM, ...files }));
    await save({ files: { hold: [file("1", "a", { order: 4 }), file("1", "b")] } });
    const again = file("1", "a", { path: "Property/1/new.jpg" });
    await save({ files: { hold: [again], forget: [{ parent: key("1"), media: key("b") }] } });
    assert.deepEqual(await home.heldFiles("kit", STREAM, [key("1")]), [again]);
    await save({ files: { hold: [again], forget: [again] } });
    assert.deepEqual(await home.heldFiles("kit", STREAM, [key("1")]), [again]);
    await save({ files: { forget: [again] } });
    assert.deepEqual(await home.heldTotals("kit", STREAM), { records: 0, files: 0, bytes: 0 });
  });

  behaviour("records with files are listed once each, in parts", async ({ home }) => {
    const lease = await takeLease(home);
    const parents = ["10", "9", "B", "a", "é"];
    const hold = parents.flatMap((parent) => [file(parent, "x"), file(parent, "y")]);
    await home.commit(commitOf(lease, { stream: STREAM, files: { hold } }));
    const seen: string[] = [];
    for (let after: HeldFile["parent"] | null = null; ; ) {
      const part = await home.fileParents("kit", STREAM, after, 2);
      seen.push(...part);
      const last = part.at(-1);
      if (last === undefined) break;
      after = last;
    }
    assert.deepEqual(seen.toSorted(), parents);
  });

  behaviour("files are saved with their commit or not at all", async ({ home }) => {
    const old = await takeLease(home);
    await home.releaseLease(old);
    const lease = await takeLease(home);
    const late = commitOf(old, { stream: STREAM, files: { hold: [file("1", "a")] } });
    await rejected(home.commit(late), "HOME_FENCED");
    assert.equal((await home.heldTotals("kit", STREAM)).files, 0);
    const problem = { code: "FILE_REFUSED", message: "is empty" };
    await home.commit(
      commitOf(lease, {
        stream: STREAM,
        files: { hold: [file("1", "a")] },
        park: [{ key: key('["1","b"]'), image: "{}", problems: [problem] }],
      }),
    );
    assert.equal((await home.heldTotals("kit", STREAM)).files, 1);
    assert.equal(await home.parkedCount("kit", STREAM), 1);
  });
}
