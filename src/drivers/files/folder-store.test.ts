import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isSyncError } from "../../model/sync-error.ts";
import { fileStoreKit } from "../../testing/file-store-kit.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { createFolderStore } from "./folder-store.ts";

fileStoreKit("folder", {
  sizes: [3_000_000],
  create: async () => {
    const folder = createTemporaryFolder();
    const path = join(folder.path, "not yet", "made");
    return {
      store: createFolderStore(path),
      reopen: () => createFolderStore(path),
      close: async () => folder.remove(),
    };
  },
});

const never = new AbortController().signal;
async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

test("empty folders of records do not stay", async (t) => {
  const folder = createTemporaryFolder();
  t.after(folder.remove);
  const store = createFolderStore(folder.path);
  await store.put("Property/1/a.jpg", one("a"), { contentType: "image/jpeg" }, never);
  await store.remove("Property/1/a.jpg");
  assert.deepEqual(readdirSync(join(folder.path, "Property")), []);
});

test("a folder that cannot be made is FILE_STORE_REFUSED, and says why", async (t) => {
  const folder = createTemporaryFolder();
  t.after(folder.remove);
  writeFileSync(join(folder.path, "file"), "");
  const store = createFolderStore(join(folder.path, "file"));
  const put = store.put("Property/1/a.jpg", one("a"), { contentType: "image/jpeg" }, never);
  await assert.rejects(put, (error) => {
    assert.ok(isSyncError(error));
    assert.equal(error.code, "FILE_STORE_REFUSED");
    assert.match(error.message, /cannot be written: a part of the path is a file/);
    return true;
  });
});
