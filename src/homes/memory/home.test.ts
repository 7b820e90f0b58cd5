import { homeKit } from "../../testing/home-kit.ts";
import { createMemoryHome } from "./home.ts";
import { createMemoryHomeState } from "./state.ts";

homeKit("memory", {
  create: async (clock) => {
    const state = createMemoryHomeState();
    return {
      home: createMemoryHome({ clock, state }),
      reopen: async () => createMemoryHome({ clock, state }),
      close: async () => undefined,
    };
  },
});
