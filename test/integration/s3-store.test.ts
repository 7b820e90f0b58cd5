import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { createS3Store, type S3Options } from "../../src/drivers/files/s3-store.ts";
import { isSyncError } from "../../src/model/sync-error.ts";
import { fileStoreKit } from "../../src/testing/file-store-kit.ts";
import { type S3Server, startS3Server } from "../support/s3-server.ts";

let server: S3Server;
let places = 0;

const optionsOf = (prefix: string): S3Options => {
  const { endpoint, bucket, accessKey, secretKey } = server;
  return { endpoint, bucket, accessKey, secretKey, prefix };
};

suite("s3", () => {
  before(async () => {
    server = await startS3Server();
  });
  after(() => server.close());

  fileStoreKit("s3", {
    // Sent in parts: above one, and exactly two.
    sizes: [9_000_000, 16_777_216],
    create: async () => {
      places += 1;
      const options = optionsOf(`mls/${places}`);
      const store = createS3Store(options);
      return { store, reopen: () => createS3Store(options), close: () => store.close() };
    },
  });

  const never = new AbortController().signal;
  async function* one(text: string): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text);
  }
  const put = (options: S3Options): Promise<unknown> =>
    createS3Store(options).put("a/1/x.jpg", one("x"), { contentType: "image/jpeg" }, never);

  test("wrong keys and a bucket that is not there are FILE_STORE_REFUSED", async (t) => {
    const strict = await startS3Server({ isStrict: true });
    t.after(() => strict.close());
    const { endpoint } = strict;
    await put({ ...optionsOf(""), endpoint });
    const secretKey = "not-the-secret-key";
    await assert.rejects(put({ ...optionsOf(""), endpoint, secretKey }), (error) => {
      assert.ok(isSyncError(error));
      assert.equal(error.code, "FILE_STORE_REFUSED");
      assert.doesNotMatch(error.message, /not-the-secret-key/);
      return true;
    });
    await assert.rejects(put({ ...optionsOf(""), bucket: "nowhere" }), (error) => {
      return isSyncError(error) && error.code === "FILE_STORE_REFUSED";
    });
  });

  test("storage that is not there is FILE_STORE_UNREACHABLE", async () => {
    const endpoint = "http://127.0.0.1:1";
    await assert.rejects(put({ ...optionsOf(""), endpoint }), (error) => {
      return isSyncError(error) && error.code === "FILE_STORE_UNREACHABLE";
    });
  });

  test("a check passes where the bucket can be listed, and names what cannot be", async () => {
    const check = (options: S3Options): Promise<void> => createS3Store(options).check(never);
    await check(optionsOf("mls/checked"));
    const codeOf = (code: string) => (error: unknown) => isSyncError(error) && error.code === code;
    await assert.rejects(
      check({ ...optionsOf(""), bucket: "nowhere" }),
      codeOf("FILE_STORE_REFUSED"),
    );
    await assert.rejects(
      check({ ...optionsOf(""), endpoint: "http://127.0.0.1:1" }),
      codeOf("FILE_STORE_UNREACHABLE"),
    );
  });
});
