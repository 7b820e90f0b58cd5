import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { errorsPage } from "../scripts/errors-page.ts";
import { CONNECTORS } from "../src/connectors/registry.ts";

const ROOT = resolve(import.meta.dirname, "..");

function pages(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
}

const ALL = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...pages("docs")];

test("docs/errors.md says what the code says", () => {
  const page = readFileSync(join(ROOT, "docs/errors.md"), "utf8");
  assert.equal(page, errorsPage(), "Run `npm run docs`.");
});

test("every connector has a page", () => {
  for (const name of Object.keys(CONNECTORS)) {
    assert.ok(pages("docs/connectors").includes(join("docs/connectors", `${name}.md`)), name);
  }
});

test("links between pages lead somewhere", () => {
  for (const page of ALL) {
    const text = readFileSync(join(ROOT, page), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      const path = join(ROOT, dirname(page), target);
      assert.doesNotThrow(() => readFileSync(path), `${page} links to ${target}`);
    }
  }
});

test("no page names a machine path or a place outside the project", () => {
  for (const page of ALL) {
    const text = readFileSync(join(ROOT, page), "utf8");
    assert.doesNotMatch(text, /\/work\/|\/root\/|\/home\/[a-z]|\.\.\/shared/, page);
  }
});

test("every dependency has a sentence of reason", () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    readonly dependencies: Record<string, string>;
    readonly devDependencies: Record<string, string>;
  };
  const page = readFileSync(join(ROOT, "docs/dependencies.md"), "utf8");
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
    assert.ok(page.includes(`\`${name}\``), name);
  }
});
