import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { readWhole } from "./load-file.ts";
import { replaceFile, replaceSeen, withFileLock } from "./replace-file.ts";

let folder: ReturnType<typeof createTemporaryFolder>;
let path: string;

beforeEach(() => {
  folder = createTemporaryFolder();
  path = join(folder.path, "stock.csv");
  writeFileSync(path, "sku\n1\n");
});
afterEach(() => folder.remove());

const names = (): string[] => readdirSync(folder.path).sort();
const text = (): string => readFileSync(path, "utf8");

suite("replaceFile", () => {
  test("replaces what was seen, and leaves nothing else behind", async () => {
    await replaceFile(path, await readWhole(path), (write) => write("sku\n2\n"));
    assert.equal(text(), "sku\n2\n");
    assert.deepEqual(names(), ["stock.csv"]);
  });

  test("an edit of the same size, before or while it writes, is not overwritten", async () => {
    const seen = await readWhole(path);
    const edited = {
      code: "SYSTEM_LOCKED",
      message: `The file "${path}" was edited since it was read.`,
    };
    await assert.rejects(
      replaceFile(path, seen, async (write) => {
        writeFileSync(path, "sku\n9\n");
        await write("sku\n2\n");
      }),
      edited,
    );
    await assert.rejects(
      replaceFile(path, seen, (write) => write("sku\n2\n")),
      edited,
    );
    assert.equal(text(), "sku\n9\n");
    assert.deepEqual(names(), ["stock.csv"]);
  });

  test("a file that was touched but holds the same is replaced", async () => {
    const seen = await readWhole(path);
    utimesSync(path, 1, 1);
    await replaceFile(path, seen, (write) => write("sku\n2\n"));
    assert.equal(text(), "sku\n2\n");
  });

  test("a file that appeared or went away is told", async () => {
    await assert.rejects(
      replaceFile(path, null, (write) => write("")),
      { code: "SYSTEM_LOCKED", message: `The file "${path}" has appeared since it was read.` },
    );
    const seen = await readWhole(path);
    rmSync(path);
    await assert.rejects(
      replaceFile(path, seen, (write) => write("")),
      { code: "SYSTEM_LOCKED", message: `The file "${path}" was removed since it was read.` },
    );
    await replaceFile(path, null, (write) => write("new"));
    assert.equal(text(), "new");
  });

  test("of two writers one waits for another day; a killed one's lock is taken", async () => {
    const seen = await readWhole(path);
    const lock = join(folder.path, ".stock.csv.lock");
    await replaceFile(path, seen, async (write) => {
      await assert.rejects(
        replaceFile(path, seen, (other) => other("other")),
        {
          code: "SYSTEM_LOCKED",
          message: `The file "${path}" is being written by another process.`,
        },
      );
      await write("mine");
    });
    assert.equal(text(), "mine");
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    writeFileSync(lock, JSON.stringify({ pid, host: hostname(), id: "dead" }));
    await replaceFile(path, await readWhole(path), (write) => write("again"));
    assert.equal(text(), "again");
    writeFileSync(lock, JSON.stringify({ pid, host: "another machine", id: "unknown" }));
    await assert.rejects(
      replaceFile(path, await readWhole(path), (write) => write("no")),
      {
        code: "SYSTEM_LOCKED",
      },
    );
  });

  test("the lock of a dead process whose number another one has now is taken", {
    skip: process.platform !== "linux" && "only Linux tells when a process began",
  }, async () => {
    const lock = join(folder.path, ".stock.csv.lock");
    let held = "";
    await replaceFile(path, await readWhole(path), async (write) => {
      held = readFileSync(lock, "utf8");
      await write("mine");
    });
    const own = JSON.parse(held) as { readonly pid: number; readonly began: string };
    assert.equal(own.pid, process.pid);
    const [boot, ticks] = own.began.split(" ");
    const write = async (began: string | undefined, value: string): Promise<void> => {
      writeFileSync(lock, JSON.stringify({ ...own, began, id: "another" }));
      await replaceFile(path, await readWhole(path), (fill) => fill(value));
    };
    for (const began of [own.began, undefined]) {
      await assert.rejects(write(began, "no"), { code: "SYSTEM_LOCKED" });
    }
    await write(`${boot} ${Number(ticks) - 1}`, "of a number that came again");
    await write(
      `00000000-0000-0000-0000-000000000000 ${ticks}`,
      "of before the machine was started",
    );
    assert.equal(text(), "of before the machine was started");
  });

  test("an empty lock is nobody's, and taken by one who waits", async () => {
    writeFileSync(join(folder.path, ".stock.csv.lock"), "");
    writeFileSync(join(folder.path, ".stock.csv.claim-of-a-killed-one"), "");
    await assert.rejects(
      replaceFile(path, await readWhole(path), (write) => write("no")),
      { code: "SYSTEM_LOCKED" },
    );
    const seen = await readWhole(path);
    await withFileLock(path, { patienceMs: 10_000 }, () =>
      replaceSeen(path, seen, (write) => write("taken")),
    );
    assert.equal(text(), "taken");
    assert.deepEqual(names(), ["stock.csv"]);
  });
});
