import type { Clock, Memory } from "../ports/runtime.ts";

/** Ports for tests of connectors on OData: notes kept in a map, the machine's clock. */
export function createTestMemory(): Memory & { readonly notes: Map<string, string> } {
  const notes = new Map<string, string>();
  return {
    notes,
    recall: async (key) => notes.get(key),
    remember: async (key, value) => {
      notes.set(key, value);
    },
  };
}

export const testClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async () => undefined,
};
