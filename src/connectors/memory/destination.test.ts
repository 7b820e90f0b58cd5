import { createMemoryHome } from "../../homes/memory/home.ts";
import { destinationKit } from "../../testing/destination-kit.ts";
import { createMemoryDestination } from "./destination.ts";
import { createMemoryDestinationState } from "./destination-state.ts";

destinationKit("memory", {
  create: async (clock) => {
    const state = createMemoryDestinationState();
    return {
      destination: createMemoryDestination({ state, sharesHome: true }),
      home: createMemoryHome({ clock }),
      reopen: async () => createMemoryDestination({ state }),
      close: async () => undefined,
    };
  },
});
