import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createSecrets, isSecretReference } from "./secrets.ts";

test("references are told from secrets", () => {
  for (const text of ["env:TOKEN", "file:./token", "file:/run/secrets/token"]) {
    assert.ok(isSecretReference(text), text);
  }
  for (const text of ["abc", "env:", "file:", "env:A-B", "ENV:TOKEN", " env:TOKEN"]) {
    assert.ok(!isSecretReference(text), text);
  }
});

test("a secret comes from the environment or from a file, without blanks around it", () => {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-secret-"));
  try {
    writeFileSync(join(directory, "token"), "from-file\n");
    const secrets = createSecrets({ TOKEN: "from-env " }, directory);
    assert.equal(secrets.resolve("env:TOKEN"), "from-env");
    assert.equal(secrets.resolve("file:token"), "from-file");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a reference that leads to nothing says which one", () => {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-secret-"));
  try {
    writeFileSync(join(directory, "empty"), "\n");
    writeFileSync(join(directory, "two"), "a\nb\n");
    const secrets = createSecrets({ EMPTY: "" }, directory);
    const cases: readonly (readonly [string, string])[] = [
      ["env:TOKEN", 'The environment variable "TOKEN" is not set.'],
      ["env:EMPTY", 'The environment variable "EMPTY" is empty.'],
      ["file:absent", `The secret file "${join(directory, "absent")}" cannot be read.`],
      ["file:empty", `The secret file "${join(directory, "empty")}" is empty.`],
      ["file:two", 'The secret at "file:two" has more than one line.'],
    ];
    for (const [reference, message] of cases) {
      assert.throws(() => secrets.resolve(reference), { code: "SECRET_MISSING", message });
    }
    assert.throws(
      () => secrets.resolve("abc123"),
      (error: Error) => !error.message.includes("abc123"),
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
