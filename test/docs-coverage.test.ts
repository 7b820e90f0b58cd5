import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { configSchema } from "../src/app.ts";
import { createProgram } from "../src/cli/program.ts";
import { loadConfig } from "../src/config/load-config.ts";
import { CONNECTORS } from "../src/connectors/registry.ts";
import { createTemporaryFolder } from "../src/testing/temporary-folder.ts";
import { fakeIo } from "./support/cli-io.ts";

const page = (name: string): string =>
  readFileSync(resolve(import.meta.dirname, "../docs", name), "utf8");

/** Names of properties of a JSON Schema at any depth, those of systems left out. */
function keysOf(schema: unknown): readonly string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties, ...rest } = schema as { readonly properties?: Record<string, unknown> };
  const own = Object.entries(properties ?? {}).flatMap(([name, value]) => [
    name,
    ...(name === "systems" ? [] : keysOf(value)),
  ]);
  return [...own, ...Object.values(rest).flatMap(keysOf)];
}

/** The configuration's keys: those of copies and of what is around, and those of syncs of sides. */
function configKeys(): { readonly copies: readonly string[]; readonly sides: readonly string[] } {
  const { $defs, properties, ...rest } = configSchema() as {
    readonly $defs: unknown;
    readonly properties: { readonly syncs: { readonly additionalProperties: unknown } };
  };
  const { syncs, ...others } = properties;
  const { anyOf } = syncs.additionalProperties as { readonly anyOf: readonly unknown[] };
  const [copy, sided] = anyOf;
  const copies = keysOf({ ...rest, properties: { ...others, syncs: { properties: {}, copy } } });
  return { copies, sides: [...keysOf(sided), ...keysOf($defs)] };
}

test("the full example of the configuration is one, and has every key of a copy", async () => {
  const example = /```yaml\n([\s\S]*?)```/.exec(page("configuration.md"))?.[1] ?? "";
  const folder = createTemporaryFolder();
  writeFileSync(join(folder.path, "lockstep.yaml"), example);
  const config = await loadConfig(folder.path, undefined, CONNECTORS);
  folder.remove();
  assert.equal(config.syncs[0]?.spec.streams[0]?.rules.length, 6);
  const { copies } = configKeys();
  assert.ok(copies.includes("deleteShare") && copies.includes("s3"), "they are found");
  const missing = copies.filter((key) => !new RegExp(`\\b${key}:`).test(example));
  assert.deepEqual(missing, []);
});

test("every key of the configuration is explained", () => {
  const { copies, sides } = configKeys();
  assert.ok(sides.includes("clockOffset") && sides.includes("newer_than"), "they are found");
  const text = page("configuration.md");
  assert.deepEqual(
    copies.filter((key) => !new RegExp(`\`${key}\\b`).test(text)),
    [],
  );
  const own = page("reconcile.md");
  assert.deepEqual(
    sides.filter((key) => !new RegExp(`(\`|[{,] )${key}\\b|^ +(- )?${key}:`, "m").test(own)),
    [],
  );
});

test("every setting of a connector stands on its page", () => {
  for (const [name, { settings }] of Object.entries(CONNECTORS)) {
    const text = page(`connectors/${name}.md`);
    const missing = Object.keys(settings.shape).filter((key) => !text.includes(`\`${key}\``));
    assert.deepEqual(missing, [], name);
  }
});

test("every command and option stands on the page of commands", () => {
  const text = page("commands.md");
  const visit = (command: Command): readonly string[] => [
    ...command.commands.flatMap((child) => [child.name(), ...visit(child)]),
    ...command.options.map(({ long }) => long ?? ""),
  ];
  const io = fakeIo({ directory: import.meta.dirname });
  const program = createProgram({
    io,
    app: {
      open: () => assert.fail("no command runs here"),
      types: () => assert.fail("no command runs here"),
      configSchema: () => assert.fail("no command runs here"),
    },
    finish: () => {},
  });
  const pages = `${text}\n${page("sample-mls.md")}`;
  const missing = visit(program).filter((word) => !new RegExp(`\`[^\`]*${word}\\b`).test(pages));
  assert.deepEqual(missing, []);
});
