import { fileStoreKit } from "../../testing/file-store-kit.ts";
import { createMemoryFiles, createMemoryStore } from "./memory-store.ts";

fileStoreKit("memory", {
  create: async () => {
    const files = createMemoryFiles();
    return {
      store: createMemoryStore(files),
      reopen: () => createMemoryStore(files),
      close: async () => undefined,
    };
  },
});
