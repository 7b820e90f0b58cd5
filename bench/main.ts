import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

// Replicates Property from a sample MLS in another process into SQLite, beside the floor: the same
// pages fetched, parsed and bulk-written with no engine. Ratios of one run; each row is a process.
const { values } = parseArgs({
  options: {
    records: { type: "string", default: "20000" },
    fields: { type: "string", default: "40" },
    page: { type: "string", default: "1000" },
  },
});
const records = Number(values.records);
const directory = mkdtempSync(join(tmpdir(), "lockstep-bench-"));
const here = import.meta.dirname;

interface Measured {
  readonly records: number;
  readonly ms: number;
  readonly peakBytes: number;
  readonly requests?: number;
  readonly outcome?: string;
}

function measure(script: string, ...args: readonly string[]): Measured {
  const env = { ...process.env, SAMPLE_MLS_TOKEN: "sample-token" };
  const output = execFileSync(process.execPath, [join(here, script), ...args], { env });
  const measured = JSON.parse(output.toString()) as Measured;
  if (measured.outcome !== undefined && measured.outcome !== "done")
    throw new Error(String(output));
  return measured;
}

const server = spawn(
  process.execPath,
  [join(here, "server.ts"), values.records, values.fields, values.page],
  {
    stdio: ["ignore", "pipe", "inherit"],
  },
);
try {
  const [line] = (await once(server.stdout, "data")) as [Buffer];
  const { url, control } = JSON.parse(line.toString()) as { url: string; control: string };
  writeFileSync(
    join(directory, "lockstep.yaml"),
    `home: sqlite:./lockstep.db
systems:
  sample: { connector: reso, profile: wfrmls, url: "${url}", token: env:SAMPLE_MLS_TOKEN, pageSize: ${values.page}, budget: { perSecond: 100000 } }
syncs:
  mls: { replicate: sample, streams: { Property: } }
`,
  );
  measure("floor.ts", url, "sample-token", join(directory, "warm.db"));
  const floor = measure("floor.ts", url, "sample-token", join(directory, "floor.db"));
  const rows: (readonly [string, Measured])[] = [["floor", floor]];
  rows.push(["full, all new", measure("replicate.ts", directory, "full")]);
  rows.push(["full, unchanged", measure("replicate.ts", directory, "full")]);
  const body = JSON.stringify({
    count: Math.round(records / 10),
    fields: { ListPrice: "123456.0" },
  });
  await fetch(`${control}/editMany`, { method: "POST", body });
  rows.push(["full, 10% changed", measure("replicate.ts", directory, "full")]);
  rows.push(["incremental, nothing new", measure("replicate.ts", directory, "incremental")]);
  console.log(
    `${values.records} records, ${values.fields} fields, pages of ${values.page}, SQLite; process start included`,
  );
  for (const [name, { ms, peakBytes, requests, records: read }] of rows) {
    const perSecond = Math.round((read / ms) * 1000).toLocaleString("en-US");
    const ratio = (read / ms / (floor.records / floor.ms)).toFixed(2);
    console.log(
      `${name.padEnd(26)}${(ms / 1000).toFixed(2).padStart(7)} s ${perSecond.padStart(8)} records/s  ${ratio} of the floor  ${Math.round(peakBytes / 1e6)} MB  ${requests ?? "-"} requests`,
    );
  }
} finally {
  server.kill();
  rmSync(directory, { recursive: true, force: true });
}
