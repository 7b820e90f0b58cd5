import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import type { FileStore } from "../ports/files.ts";

/** A store of which nothing is kept yet. */
export interface FileStoreSubject {
  readonly store: FileStore;
  /** Another store on the same place, as a new process would open it. */
  reopen(): FileStore;
  close(): Promise<void>;
}

export interface FileStoreKitOptions {
  create(): Promise<FileStoreSubject>;
  /** Sizes of files that it takes other ways for, such as in parts. */
  readonly sizes?: readonly number[];
}

const never = new AbortController().signal;
const JPEG = { contentType: "image/jpeg" };

/** Registers, with node:test, what must hold of every place for files. */
export function fileStoreKit(name: string, { create, sizes = [] }: FileStoreKitOptions): void {
  const behaviour = (what: string, check: (subject: FileStoreSubject) => Promise<void>): void => {
    test(what, async () => {
      const subject = await create();
      try {
        await check(subject);
      } finally {
        await subject.close();
      }
    });
  };
  suite(`file store: ${name}`, () => {
    behaviour("what is put comes back, with its size and hash", async ({ store, reopen }) => {
      for (const size of [1, 1000, 70_000, ...sizes]) {
        const content = bytes(size);
        const stored = await store.put(`Property/1/${size}.jpg`, chunks(content), JPEG, never);
        assert.deepEqual(stored, { size, hash: sha256(content) });
        assert.equal(await store.size(`Property/1/${size}.jpg`), size);
        assert.deepEqual(await readAll(reopen(), `Property/1/${size}.jpg`), content);
      }
      assert.equal(await store.size("Property/1/none.jpg"), undefined);
      assert.equal(await store.size("Property/none/none.jpg"), undefined);
    });

    behaviour("a put replaces what was there, whole", async ({ store }) => {
      await store.put("a/b.jpg", chunks(bytes(5000)), JPEG, never);
      await store.put("a/b.jpg", chunks(bytes(10)), JPEG, never);
      assert.deepEqual(await readAll(store, "a/b.jpg"), bytes(10));
    });

    behaviour(
      "a put that fails or is aborted shows nothing, and clear leaves nothing",
      async (of) => {
        const { store } = of;
        for (const size of [2000, ...sizes]) {
          const failing = failAfter(bytes(size), new Error("the content broke"));
          await assert.rejects(store.put("a/1/x.jpg", failing, JPEG, never), /the content broke/);
          assert.equal(await store.size("a/1/x.jpg"), undefined);
          const stop = new AbortController();
          const reason = new Error("stopped");
          const stopping = abortAfter(bytes(size), () => stop.abort(reason));
          await assert.rejects(store.put("a/1/x.jpg", stopping, JPEG, stop.signal), (error) => {
            return error === reason;
          });
          assert.equal(await store.size("a/1/x.jpg"), undefined);
        }
        await of.reopen().clear("a/1", new Set());
        assert.equal(await store.clear("a/1", new Set()), 0);
      },
    );

    behaviour("removing is done once, and again does nothing", async ({ store }) => {
      await store.put("a/1/x.jpg", chunks(bytes(10)), JPEG, never);
      await store.put("a/1/y.jpg", chunks(bytes(10)), JPEG, never);
      await store.remove("a/1/x.jpg");
      await store.remove("a/1/x.jpg");
      assert.equal(await store.size("a/1/x.jpg"), undefined);
      assert.equal(await store.size("a/1/y.jpg"), 10);
    });

    behaviour("clear removes what is not kept, below that folder only", async ({ store }) => {
      const paths = ["a/1/x.jpg", "a/1/y.jpg", "a/1/z.jpg", "a/10/x.jpg", "a/1x.jpg"];
      for (const path of paths) await store.put(path, chunks(bytes(10)), JPEG, never);
      assert.equal(await store.clear("a/1", new Set(["a/1/y.jpg", "a/10/none.jpg"])), 2);
      const left = await Promise.all(paths.map((path) => store.size(path)));
      assert.deepEqual(left, [undefined, 10, undefined, 10, 10]);
      assert.equal(await store.clear("b/2", new Set()), 0);
    });

    behaviour("names keep their special marks", async ({ store, reopen }) => {
      const path = "Property/%41=b/a%20b_c-d.e.jpg";
      await store.put(path, chunks(bytes(10)), JPEG, never);
      assert.deepEqual(await readAll(reopen(), path), bytes(10));
      assert.equal(await store.clear("Property/%41=b", new Set([path])), 0);
      assert.equal(await store.clear("Property/%41=b", new Set()), 1);
    });

    behaviour("many puts at once stand beside each other", async ({ store }) => {
      const names = Array.from({ length: 20 }, (_, index) => index + 1);
      await Promise.all(
        names.map((size) => store.put(`a/1/${size}.jpg`, chunks(bytes(size)), JPEG, never)),
      );
      for (const size of names)
        assert.deepEqual(await readAll(store, `a/1/${size}.jpg`), bytes(size));
    });
  });
}

function bytes(size: number): Buffer {
  const content = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1) content[at] = (at * 31 + size) % 251;
  return content;
}

async function* chunks(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += 40_000) yield content.subarray(at, at + 40_000);
}

async function* failAfter(content: Buffer, error: Error): AsyncGenerator<Uint8Array> {
  yield* chunks(content);
  throw error;
}

async function* abortAfter(content: Buffer, abort: () => void): AsyncGenerator<Uint8Array> {
  yield* chunks(content);
  abort();
  yield content.subarray(0, 1);
}

async function readAll(store: FileStore, path: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of store.read(path)) parts.push(part);
  return Buffer.concat(parts);
}

const sha256 = (content: Buffer): string => createHash("sha256").update(content).digest("hex");
