#!/usr/bin/env node
import * as nodeModule from "node:module";

const NODE_NEEDED = 24;

// An older Node fails at the first import of node:sqlite, with words that help nobody.
if (Number(process.versions.node.split(".")[0]) < NODE_NEEDED) {
  process.stderr.write(
    `Failed: Lockstep needs Node ${NODE_NEEDED} or later; this is Node ${process.versions.node}.\n` +
      "What to do: install it; in a clone, `npm run -s lockstep -- status` brings its own.\n",
  );
  process.exitCode = 2;
} else {
  nodeModule.enableCompileCache();
  const { processIo } = await import("./io.ts");
  const { runCli } = await import("./run-cli.ts");
  const { keepHeapSmall } = await import("./small-heap.ts");
  process.exitCode = await runCli(process.argv.slice(2), processIo(), {
    open: async (options) => {
      const { openLockstep } = await import("../app.ts");
      keepHeapSmall();
      return openLockstep(options);
    },
    types: async (options, system, signal) =>
      (await import("../app.ts")).systemTypes(options, system, signal),
    configSchema: async () => (await import("../app.ts")).configSchema(),
  });
}
