import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { after, test } from "node:test";

// The linter itself is under test here: a rule that has gone silent looks like a clean tree. The
// fixture is a small tree with one fault in each file named `imports-…` or `uses-…`, and none in
// any other. It is linted in a copy, under the project's own biome.json.
const root = resolve(import.meta.dirname, "..");
const tree = mkdtempSync(join(tmpdir(), "lockstep-layers-"));
after(() => rmSync(tree, { recursive: true, force: true }));

interface Diagnostic {
  category: string;
  location: { path: string };
}

const expectedRules: Record<string, string> = {
  imports: "lint/style/noRestrictedImports",
  "uses-async": "plugin",
  "uses-barrel": "lint/performance/noBarrelFile",
  "uses-clock": "lint/style/noRestrictedGlobals",
  "uses-console": "lint/suspicious/noConsole",
  "uses-cycle": "lint/suspicious/noImportCycles",
  "uses-default": "lint/style/noDefaultExport",
  "uses-floating": "lint/nursery/noFloatingPromises",
  "uses-misplaced": "lint/nursery/noMisusedPromises",
  "uses-partial": "lint/nursery/useExhaustiveSwitchCases",
  "uses-promise": "lint/style/noRestrictedGlobals",
  "uses-random": "plugin",
  "uses-timer": "lint/style/noRestrictedGlobals",
};

test("every breach of the layers is refused, and nothing else is", () => {
  for (const name of ["biome.json", "package.json", "scripts/lint"]) {
    cpSync(join(root, name), join(tree, name), { recursive: true });
  }
  cpSync(join(root, "test/fixtures/layers"), tree, { recursive: true });
  const files = globSync("src/**/*.ts", { cwd: tree });
  const faulty = files.filter((file) => /\/(?:imports|uses)-[^/]+$/.test(file));
  assert.ok(faulty.length >= 30, `only ${faulty.length} faulty files found`);

  const refused = lint().map(({ category, location }) => `${location.path}: ${category}`);

  assert.deepEqual(refused.sort(), faulty.map((file) => `${file}: ${expectedRule(file)}`).sort());
});

function lint(): Diagnostic[] {
  const biome = createRequire(import.meta.url).resolve("@biomejs/biome/bin/biome");
  const args = ["lint", "src", "--vcs-enabled=false", "--reporter=json", "--max-diagnostics=none"];
  const result = spawnSync(process.execPath, [biome, ...args], { cwd: tree, encoding: "utf8" });
  assert.match(result.stdout, /^\s*\{/, `biome printed no report:\n${result.stderr}`);
  return JSON.parse(result.stdout).diagnostics;
}

function expectedRule(file: string): string {
  const name = basename(file);
  const prefix = Object.keys(expectedRules).find((start) => name.startsWith(start));
  assert.ok(prefix, `no rule is named for ${file}`);
  return expectedRules[prefix] ?? "";
}
