import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { startSampleMls } from "../src/testing/sample-mls/index.ts";

const ROOT = resolve(import.meta.dirname, "..");

test("examples/reso-client.ts says what the sample MLS holds", async (t) => {
  const mls = await startSampleMls({ listings: 450 });
  t.after(() => mls.close());
  const preload = resolve(import.meta.dirname, "support/resolve-lockstep.ts");
  const child = spawn(process.execPath, ["--import", preload, "examples/reso-client.ts"], {
    cwd: ROOT,
    env: { ...process.env, RESO_URL: mls.url, RESO_TOKEN: mls.token },
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  assert.equal(stderr, "");
  const active = [...mls.truth("Property")].filter(
    ({ fields }) => fields["StandardStatus"] === "Active" && Number(fields["ListPrice"]) >= 500_000,
  );
  const prices = active
    .map(({ key, fields }) => [Number(fields["ListPrice"]), key, fields["City"]] as const)
    .sort(([a], [b]) => a - b);
  const deleted = [...mls.truth("Deleted")].filter(
    ({ fields }) => fields["resource"] === "Property",
  );
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines[0], `${active.length} active from 500,000`);
  assert.deepEqual(
    lines.slice(1, 4),
    prices.slice(0, 3).map(([price, key, city]) => `  ${key}: ${price} in ${city}`),
  );
  assert.equal(lines[4], "450 listings in 3 pages");
  assert.match(lines[5] ?? "", /^\d photos of \d+$/);
  assert.match(lines[6] ?? "", /^[1-9]\d* within 40 miles$/);
  assert.deepEqual(lines.slice(7), [
    `${deleted.length} deleted`,
    "1 is not there",
    'Did you mean "ListPrice" instead of "ListPrise"?',
  ]);
});
