import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { hasTemporaryPlace } from "./temporary-place.ts";

const windows = process.platform === "win32" ? "Windows always has one" : false;

test("a folder that can be written to is a place for temporary files", { skip: windows }, () => {
  const folder = createTemporaryFolder();
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  assert.equal(hasTemporaryPlace([join(folder.path, "missing"), folder.path]), true);
  assert.equal(hasTemporaryPlace([join(folder.path, "missing"), file]), false);
  assert.equal(hasTemporaryPlace([]), false);
  folder.remove();
});
