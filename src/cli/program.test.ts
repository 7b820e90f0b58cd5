import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Command } from "commander";
import { fakeIo } from "../../test/support/cli-io.ts";
import { configSchema, openLockstep, systemTypes } from "../app.ts";
import { createProgram } from "./program.ts";

function commandNames(command: Command, before = ""): readonly string[] {
  return command.commands.flatMap((own) => {
    const name = `${before}${own.name()}`;
    return own.commands.length === 0 ? [name] : commandNames(own, `${name} `);
  });
}

const program = createProgram({
  io: fakeIo({ directory: "/" }),
  app: { open: openLockstep, types: systemTypes, configSchema: async () => configSchema() },
  finish: () => {},
});

test("docs/cli-json.md tells the shape of every command's JSON, and of no other", () => {
  const page = readFileSync(new URL("../../docs/cli-json.md", import.meta.url), "utf8");
  const results = page.slice(page.indexOf("## Results"), page.indexOf("## Errors"));
  const told = [...results.matchAll(/^\| `([a-z -]+)` \|/gm)].map(([, name]) => name);
  const shown = commandNames(program).filter((name) => !name.startsWith("demo"));
  assert.deepEqual(told.toSorted(), shown.toSorted());
});

test("every command says what it does in one line and stands in a group", () => {
  for (const command of program.commands) {
    assert.ok(command.summary() || command.description(), command.name());
    assert.notEqual(command.helpGroup(), "", command.name());
  }
});
