import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createMediaPlace, listingWith } from "../integration/media-place.ts";
import { postgresMissing, postgresServer, type Row } from "./server.ts";

test("files are fetched, followed and removed with a PostgreSQL home", {
  skip: postgresMissing,
}, async (t) => {
  const database = await (await postgresServer()).createDatabase();
  const place = await createMediaPlace(t);
  place.configure({}, {}, { home: "file:home-url" });
  writeFileSync(join(place.folder, "home-url"), database.schemaUrl("replica"));
  const { mls } = place;
  const prove = async (): Promise<void> => {
    const rows = await database.query("SELECT media, path, size FROM replica._lockstep_files");
    assert.deepEqual(rows.map(({ media }) => String(media)).toSorted(), place.shown().toSorted());
    assert.deepEqual(rows.map(({ path }: Row) => String(path)).toSorted(), place.stored());
    for (const { media, path } of rows) {
      const content = readFileSync(join(place.folder, "photos", String(path)));
      assert.deepEqual(content, mls.picture(String(media)));
    }
  };
  await place.copy();
  const first = await place.media();
  assert.equal(first.outcome, "done");
  assert.equal(first.files.fetched, place.shown().length);
  await prove();

  const replaced = listingWith(mls, 2);
  const emptied = listingWith(mls, 1, [replaced.key]);
  mls.control.changePhotos({ listing: replaced.key, action: "replace" });
  mls.control.delete({ key: emptied.key });
  await place.copy();
  const second = await place.media();
  assert.deepEqual([second.outcome, second.files.fetched > 0], ["done", true]);
  assert.ok(second.files.removed >= emptied.photos.length);
  await prove();

  const status = await place.with((each) => each.status());
  assert.equal(status.syncs[0]?.files?.held.files, place.shown().length);
  assert.equal((await place.media()).files.fetched, 0);
});
