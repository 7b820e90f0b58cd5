#!/usr/bin/env node
import { processIo } from "./io.ts";
import { runCli } from "./run-cli.ts";

process.exitCode = await runCli(process.argv.slice(2), processIo(), {
  open: async (options) => (await import("../app.ts")).openLockstep(options),
  configSchema: async () => (await import("../app.ts")).configSchema(),
});
