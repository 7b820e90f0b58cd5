import type { FileId, HeldFile } from "../../model/media.ts";
import type { RecordKey } from "../../model/record.ts";
import type { Commit, HeldFiles } from "../../ports/home.ts";
import { joined, type MemoryHomeState, stored } from "./state.ts";

const idOf = (sync: string, stream: string, { parent, media }: FileId): string =>
  joined(sync, stream, parent, media);

export function saveFiles(state: MemoryHomeState, { lease, stream, files }: Commit): void {
  for (const file of files?.forget ?? []) state.files.delete(idOf(lease.sync, stream, file));
  for (const file of files?.hold ?? []) {
    state.files.set(idOf(lease.sync, stream, file), { sync: lease.sync, stream, ...stored(file) });
  }
}

export function createHeldFiles(state: MemoryHomeState): HeldFiles {
  const filesOf = (sync: string, stream: string): readonly HeldFile[] =>
    [...state.files.values()]
      .filter((file) => file.sync === sync && file.stream === stream)
      .map(({ sync: _sync, stream: _stream, ...file }) => file);
  const parentsOf = (sync: string, stream: string): readonly RecordKey[] => [
    ...new Set(filesOf(sync, stream).map(({ parent }) => parent)),
  ];
  return {
    heldFiles: async (sync, stream, parents) =>
      filesOf(sync, stream)
        .filter(({ parent }) => parents.includes(parent))
        .sort(byOrder),
    fileParents: async (sync, stream, after, limit) =>
      [...parentsOf(sync, stream)]
        .sort()
        .filter((parent) => parent > (after ?? ""))
        .slice(0, limit),
    heldTotals: async (sync, stream) => {
      const files = filesOf(sync, stream);
      const bytes = files.reduce((sum, { size }) => sum + size, 0);
      return { records: parentsOf(sync, stream).length, files: files.length, bytes };
    },
  };
}

function byOrder(a: HeldFile, b: HeldFile): number {
  if (a.parent !== b.parent) return a.parent < b.parent ? -1 : 1;
  const order = (a.order ?? Number.MAX_SAFE_INTEGER) - (b.order ?? Number.MAX_SAFE_INTEGER);
  if (order !== 0) return order;
  return a.media < b.media ? -1 : 1;
}
