import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import {
  createFileScene,
  type FeedLine,
  type FileScene,
  lines,
  listing,
  replayFeeds,
} from "../../testing/file-scene.ts";

let scene: FileScene;

beforeEach(() => {
  scene = createFileScene({ rows: "memory" });
});
afterEach(() => scene.close());

const CRASH = new Error("crash");

/**
 * Lets the process die at the `step`-th effect on files, before it or after it: that one and all
 * later ones throw, so nothing is tidied up either. Gives how many effects there were.
 */
async function dieAt(
  step: number,
  isAfter: boolean,
  act: () => Promise<void>,
): Promise<{ readonly died: boolean }> {
  const { open: openFile, rename, rm, mkdir, stat } = fs;
  let effects = 0;
  const effect = async <T>(body: () => Promise<T>): Promise<T> => {
    effects += 1;
    if (effects > step || (effects === step && !isAfter)) throw CRASH;
    const result = await body();
    if (effects === step) throw CRASH;
    return result;
  };
  const handleOf = (handle: FileHandle): FileHandle =>
    new Proxy(handle, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        if (name !== "writeFile" && name !== "sync") return member.bind(target);
        return (...args: unknown[]) => effect(() => member.apply(target, args));
      },
    });
  Object.assign(fs, {
    open: async (path: string, flags: string) => {
      const opened: FileHandle[] = [];
      try {
        return handleOf(
          await effect(async () => {
            const handle = await openFile(path, flags);
            opened.push(handle);
            return handle;
          }),
        );
      } catch (error) {
        // The system closes what a dead process had open.
        for (const handle of opened) await handle.close();
        throw error;
      }
    },
    rename: (from: string, to: string) => effect(() => rename(from, to)),
    rm: (path: string, options: object) => effect(() => rm(path, options)),
    mkdir: (path: string, options: object) => effect(() => mkdir(path, options)),
    stat: (path: string) => effect(() => stat(path)),
  });
  syncBuiltinESMExports();
  try {
    await act();
    return { died: false };
  } catch (error) {
    if (error !== CRASH) throw error;
    return { died: true };
  } finally {
    Object.assign(fs, { open: openFile, rename, rm, mkdir, stat });
    syncBuiltinESMExports();
  }
}

suite("crashes", () => {
  for (const isTaking of [false, true]) {
    const who = isTaking ? "a reader who takes feeds away" : "a reader who leaves feeds";
    test(`at every step: every change is told once, to ${who}`, async () => {
      let crashes = 0;
      for (const isAfter of [false, true]) {
        for (let step = 1; ; step += 1) {
          await scene.close();
          scene = createFileScene({ rows: "memory" });
          await scene.open();
          await scene.change("create", listing("a", "1"));
          await scene.change("create", listing("b", "1"));
          await scene.publish();
          const taken = new Map<string, string>();
          const take = (): void => {
            for (const name of scene.feeds()) {
              const text = scene.feed(name);
              // The same name means the same contents, however often it is met.
              assert.equal(taken.get(name) ?? text, text);
              taken.set(name, text);
              if (isTaking) rmSync(join(scene.feedFolder, name));
            }
          };
          take();
          await scene.change("update", listing("a", "2"), listing("a", "1"));
          const { died } = await dieAt(step, isAfter, () => scene.publish());
          take();
          await scene.open();
          await scene.change("delete", listing("b", "1"));
          await scene.change("create", listing("c", "3"));
          await scene.publish();
          take();
          const texts = [...taken].sort(([a], [b]) => (a < b ? -1 : 1));
          const positions = texts.flatMap(([, text]) =>
            lines(text).map((line) => (JSON.parse(line) as FeedLine).position),
          );
          assert.deepEqual(
            positions,
            scene.log.map(({ id }) => id),
            `step ${step}`,
          );
          const held = replayFeeds(texts.map(([, text]) => text));
          assert.deepEqual(held, scene.snapshot());
          assert.equal(held.size, 2);
          const left = [scene.folder, scene.feedFolder, join(scene.folder, ".lockstep")].flatMap(
            (path) => readdirSync(path).filter((name) => name.includes(".writing-")),
          );
          assert.deepEqual(left, []);
          if (!died) break;
          crashes += 1;
        }
      }
      assert.ok(crashes >= 40, `only ${crashes} crashes`);
    });
  }
});

/** Lets every write of text to a file fail as a full disk does. */
async function withFullDisk(act: () => Promise<void>): Promise<void> {
  const { open } = fs;
  const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  Object.assign(fs, {
    open: async (path: string, flags: string) => {
      const handle = await open(path, flags);
      return Object.assign(handle, { writeFile: () => Promise.reject(full) });
    },
  });
  syncBuiltinESMExports();
  try {
    await act();
  } finally {
    Object.assign(fs, { open });
    syncBuiltinESMExports();
  }
}

test("a full disk is told, leaves the old files, and the next run publishes", async () => {
  await scene.open();
  await scene.change("create", listing("a", "1"));
  await scene.publish();
  const before = scene.read("Property.jsonl");
  await scene.change("create", listing("b", "1"));
  await withFullDisk(() =>
    assert.rejects(scene.publish(), {
      code: "DESTINATION_UNWRITABLE",
      message: `The file "${join(scene.feedFolder, "feed")}" cannot be written: there is no space left on the disk.`,
    }),
  );
  assert.equal(scene.read("Property.jsonl"), before);
  assert.equal(scene.feeds().length, 1);
  assert.deepEqual(
    [...readdirSync(scene.feedFolder), ...readdirSync(scene.folder)].filter((name) =>
      name.includes(".writing-"),
    ),
    [],
  );
  await scene.publish();
  assert.equal(scene.feeds().length, 2);
  assert.equal(scene.snapshot().size, 2);
});
