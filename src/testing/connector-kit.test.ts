import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { BREACHES } from "./connector-kit/broken-connectors.ts";

/**
 * The kit taken by connectors that are each wrong in one way, in a process of its own since its
 * tests are to fail: the behaviour that failed first is told for each of them.
 */
function failuresByConnector(): ReadonlyMap<string, ReadonlySet<string>> {
  const file = fileURLToPath(new URL("./connector-kit/broken-connectors.ts", import.meta.url));
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = spawnSync(process.execPath, ["--test-reporter=tap", file], {
    encoding: "utf8",
    env,
    maxBuffer: 2 ** 26,
  });
  const failures = new Map<string, Set<string>>();
  let current = new Set<string>();
  for (const line of stdout.split("\n")) {
    const suite = /^# Subtest: connector kit: (.*)$/.exec(line)?.[1];
    if (suite !== undefined) {
      current = new Set();
      failures.set(suite, current);
    }
    const failed = /^ +not ok \d+ - (.*)$/.exec(line)?.[1];
    if (failed !== undefined) current.add(failed.replaceAll("\\#", "#"));
  }
  return failures;
}

const failures = failuresByConnector();

for (const { name, foundBy } of BREACHES) {
  test(`the kit finds a connector that ${name}`, () => {
    const found = failures.get(name);
    assert.ok(found, "the kit did not run");
    assert.ok(found.has(foundBy), `"${foundBy}" passed; failed were: ${[...found].join("; ")}`);
  });
}
