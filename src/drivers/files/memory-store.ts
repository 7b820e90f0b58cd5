import { createHash } from "node:crypto";
import type { FileStore } from "../../ports/files.ts";

/** What a memory store holds; it outlives the store, as a folder outlives a process. */
export interface MemoryFiles {
  readonly files: Map<string, Uint8Array>;
  /** Puts that have begun and not ended. */
  readonly parts: Set<string>;
}

export function createMemoryFiles(): MemoryFiles {
  return { files: new Map(), parts: new Set() };
}

/** A store without a disk, for tests and trials. */
export function createMemoryStore({ files, parts } = createMemoryFiles()): FileStore {
  return {
    location: "memory",
    check: async () => undefined,
    async put(path, content, _about, signal) {
      const part = `${path}.part`;
      parts.add(part);
      const chunks: Uint8Array[] = [];
      for await (const chunk of content) {
        signal.throwIfAborted();
        chunks.push(chunk);
      }
      signal.throwIfAborted();
      const whole = Buffer.concat(chunks);
      files.set(path, whole);
      parts.delete(part);
      return { size: whole.length, hash: createHash("sha256").update(whole).digest("hex") };
    },
    size: async (path) => files.get(path)?.length,
    async *read(path) {
      const content = files.get(path);
      if (content !== undefined) yield content;
    },
    async remove(path) {
      files.delete(path);
    },
    async clear(prefix, keep) {
      let removed = 0;
      for (const held of [files, parts]) {
        for (const path of held.keys()) {
          if (!path.startsWith(`${prefix}/`) || keep.has(path)) continue;
          held.delete(path);
          removed += 1;
        }
      }
      return removed;
    },
    close: async () => undefined,
  };
}
