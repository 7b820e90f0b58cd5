/**
 * Lockstep as a library: copies a sample MLS into one SQLite file, lets a day pass there, reads
 * what changed, and prints the price changes.
 *
 *     node examples/replicate.ts [FOLDER]
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig, isSyncError, openLockstep, type RunEvent } from "lockstep";
import { startSampleMls } from "lockstep/testing";

const directory = process.argv[2] ?? mkdtempSync(join(tmpdir(), "lockstep-example-"));
const mls = await startSampleMls({ listings: 400 });

const config = defineConfig({
  home: "sqlite:./lockstep.db",
  systems: {
    sample: {
      connector: "reso",
      profile: "wfrmls",
      url: mls.url,
      token: "env:SAMPLE_MLS_TOKEN",
      budget: { perSecond: 1000 },
    },
  },
  syncs: { mls: { replicate: "sample", streams: { Property: {}, Member: {}, Office: {} } } },
});
// A configuration is a file, and JSON is YAML.
writeFileSync(join(directory, "lockstep.yaml"), JSON.stringify(config, null, 2));

// On Ctrl-C the run ends at its next safe point, and the next run goes on from there.
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

const emit = (event: RunEvent): void => {
  if (event.kind === "wait") console.log(`  waiting: ${event.reason}`);
  if (event.kind !== "stream-finished") return;
  const { stream, phase, ledger } = event.report;
  const { created, updated, deleted } = ledger;
  console.log(`  ${stream}: ${phase}, ${created} new, ${updated} updated, ${deleted} deleted`);
};

const env = { ...process.env, SAMPLE_MLS_TOKEN: mls.token };
const lockstep = await openLockstep({ directory, env });
try {
  console.log("The first copy:");
  await lockstep.run("mls", { mode: "auto" }, { signal: stop.signal, emit });

  mls.control.live({ step: 1 });
  console.log("After a day:");
  const result = await lockstep.run("mls", { mode: "auto" }, { signal: stop.signal, emit });
  console.log(`Outcome: ${result.outcome}`);

  const prices = { stream: "Property", fields: ["ListPrice"], oldestFirst: true };
  for await (const { key, fields } of lockstep.changes(prices)) {
    const price = fields.find(({ field }) => field === "ListPrice");
    console.log(`  ${key}: ${String(price?.before)} → ${String(price?.after)}`);
  }
} catch (error) {
  // Every error of Lockstep has a stable code and a hint; anything else is a bug.
  if (!isSyncError(error)) throw error;
  console.error(`${error.code}: ${error.message}\n${error.hint ?? ""}`);
  process.exitCode = 1;
} finally {
  await lockstep.close();
  await mls.close();
}
