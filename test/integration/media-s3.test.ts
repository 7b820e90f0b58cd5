import assert from "node:assert/strict";
import { test } from "node:test";
import { createS3Store } from "../../src/drivers/files/s3-store.ts";
import { startS3Server } from "../support/s3-server.ts";
import { createMediaPlace, listingWith } from "./media-place.ts";

test("photos go to a bucket, follow their listing, and are found by show", async (t) => {
  const server = await startS3Server();
  t.after(() => server.close());
  const place = await createMediaPlace(t, { listings: 12 });
  const { endpoint, bucket } = server;
  const s3 = { endpoint, accessKey: "env:S3_KEY", secretKey: "env:S3_SECRET" };
  place.configure({ to: `s3://${bucket}/mls/photos/`, s3 });
  await place.copy();
  const first = await place.media();
  assert.equal(first.outcome, "done", first.error?.message);
  const keys = { accessKey: "S3RVER", secretKey: "S3RVER" };
  const store = createS3Store({ endpoint, bucket, prefix: "mls/photos", ...keys });
  t.after(() => store.close());
  const prove = async (): Promise<void> => {
    const held = place.held();
    assert.deepEqual(held.map(({ media }) => media).toSorted(), place.shown().toSorted());
    for (const { media, path } of held) {
      const parts: Uint8Array[] = [];
      for await (const part of store.read(path)) parts.push(part);
      assert.deepEqual(Buffer.concat(parts), place.mls.picture(media), media);
    }
    assert.equal(await store.clear("Property", new Set(held.map(({ path }) => path))), 0);
  };
  await prove();

  const { key, record } = listingWith(place.mls, 2);
  place.mls.control.changePhotos({ listing: key, action: "replace", touch: false });
  const gone = listingWith(place.mls, 2, [key]);
  place.mls.control.delete({ key: gone.key });
  await place.copy();
  const second = await place.media();
  assert.equal(second.files.fetched, 1);
  assert.equal(second.files.removed, 1 + gone.photos.length);
  await prove();

  const request = { stream: "Property", key: record, related: ["Media"], changesMax: 0 };
  const shown = await place.with((each) => each.show("mls", request, { signal: place.signal }));
  const [file] = shown.related[0]?.records ?? [];
  assert.equal(file?.file?.state, "held");
  assert.match(file?.file?.location ?? "", /^s3:\/\/photos\/mls\/photos\/Property\/\d+\/.*\.jpg$/);
});

test("a bucket that is not there fails the run, and loses nothing", async (t) => {
  const server = await startS3Server();
  t.after(() => server.close());
  const place = await createMediaPlace(t, { listings: 4 });
  const s3 = { endpoint: server.endpoint, accessKey: "env:S3_KEY", secretKey: "env:S3_SECRET" };
  place.configure({ to: "s3://nowhere/mls", s3 });
  await place.copy();
  const failed = await place.media();
  assert.equal(failed.outcome, "failed");
  assert.equal(failed.error?.code, "FILE_STORE_REFUSED");
  assert.deepEqual(place.held(), []);
  place.configure({ to: `s3://${server.bucket}/mls`, s3 });
  assert.equal((await place.media()).files.fetched, place.shown().length);
});
