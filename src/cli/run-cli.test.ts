import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { fakeIo } from "../../test/support/cli-io.ts";
import { configSchema, openLockstep, systemTypes } from "../app.ts";
import { CONNECTORS } from "../connectors/registry.ts";
import type { ErrorJson } from "./json.ts";
import { runCli } from "./run-cli.ts";

const APP = { open: openLockstep, types: systemTypes, configSchema: async () => configSchema() };
let directory = "";

before(() => {
  directory = mkdtempSync(join(tmpdir(), "lockstep-cli-"));
});
beforeEach(() => {
  rmSync(directory, { recursive: true });
  directory = mkdtempSync(join(tmpdir(), "lockstep-cli-"));
});
after(() => rmSync(directory, { recursive: true }));

interface Ended {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

async function cli(...args: readonly string[]): Promise<Ended> {
  const io = fakeIo({ directory });
  const exit = await runCli(args, io, APP);
  return { exit, out: io.stdout(), err: io.stderr() };
}

const failed = (message: string, hint: string, code = "USAGE"): string =>
  `Failed: ${message}\nWhat to do: ${hint}\nCode: ${code}\n`;

const USAGE_MISTAKES: readonly { readonly args: readonly string[]; readonly err: string }[] = [
  {
    args: ["rnu"],
    err: failed(
      'Unknown command "rnu" (did you mean "run"?).',
      "Run `lockstep --help` to see what it takes.",
    ),
  },
  {
    args: ["run", "--fulll"],
    err: failed(
      'Unknown option "--fulll" (did you mean "--full"?).',
      "Run `lockstep run --help` to see what it takes.",
    ),
  },
  {
    args: ["run", "--full", "--sweep"],
    err: failed(
      "--full and --sweep are two runs; give one of them.",
      "Run the command with `--help`.",
    ),
  },
  {
    args: ["run", "--full", "--key", "1"],
    err: failed(
      "--full reads a whole stream and --key single records; give one of them.",
      "Run the command with `--help`.",
    ),
  },
  {
    args: ["show", "Property"],
    err: failed(
      'Missing required argument "key".',
      "Run `lockstep show --help` to see what it takes.",
    ),
  },
  {
    args: ["verify", "--sample", "few"],
    err: failed(
      '--sample is "few"; expected a whole number of at least 1.',
      "Run the command with `--help`.",
    ),
  },
  {
    args: ["changes", "--since", "yesterday"],
    err: failed(
      '--since is "yesterday"; expected a duration such as 30s, 10m, 6h or 7d, or a date such as 2026-11-01 or 2026-11-01T08:00.',
      "Run the command with `--help`.",
    ),
  },
  {
    args: ["changes", "--kind", "prices"],
    err: failed(
      '--kind is "prices" (did you mean "price"?); allowed: new, updated, deleted, status, price.',
      "Run the command with `--help`.",
    ),
  },
  {
    args: ["changes", "--transition", "Active"],
    err: failed(
      '--transition is "Active"; expected two values such as Active:Pending, of which one may be left out.',
      "Run the command with `--help`.",
    ),
  },
  {
    args: ["compare", "Property"],
    err: failed(
      "No key is given.",
      "Write them behind the stream: `lockstep compare Property 1611952`.",
    ),
  },
  {
    args: ["compare", "Property", "--keys-file", "absent.txt"],
    err: failed(
      'The file of keys "absent.txt" cannot be read.',
      "Name a text file with one key a line.",
    ),
  },
  {
    args: ["release", "7"],
    err: failed(
      "A release needs the name of who decides.",
      "Run `lockstep release 7 --by YOUR-NAME`.",
    ),
  },
  {
    args: ["init"],
    err: failed(
      "Name a template: wfrmls, sample or reconcile.",
      "Run `lockstep init wfrmls`, `lockstep init sample` to try things out, or `lockstep init reconcile` for systems to keep in step.",
    ),
  },
];

for (const { args, err } of USAGE_MISTAKES) {
  test(`lockstep ${args.join(" ")} ends with 2 and says why`, async () => {
    assert.deepEqual(await cli(...args), { exit: 2, out: "", err });
  });
}

test("a missing configuration ends with 2 and says how to make one", async () => {
  const { exit, out, err } = await cli("status");
  assert.deepEqual([exit, out], [2, ""]);
  assert.equal(
    err,
    failed(
      `There is no lockstep.yaml in "${directory}".`,
      "Run `lockstep init wfrmls` for a copy or `lockstep init reconcile` for systems to keep in step, or name the file with `--config FILE`.",
      "CONFIG_NOT_FOUND",
    ),
  );
});

test("--json prints an error as JSON on stdout and nothing else", async () => {
  writeFileSync(join(directory, "lockstep.yaml"), "home: sqlite:./x.db\nsytems: {}\n");
  const { exit, out, err } = await cli("status", "--json");
  assert.deepEqual([exit, err], [2, ""]);
  const { error } = JSON.parse(out) as ErrorJson;
  assert.equal(error.code, "CONFIG_INVALID");
  assert.equal(error.exit, 2);
  assert.deepEqual(error.context, {});
  assert.deepEqual(error.details["problems"], [
    { path: "systems", message: "is missing; expected a mapping from names to systems", line: 1 },
    { path: "syncs", message: "is missing; expected a mapping from names to syncs", line: 1 },
    {
      path: "sytems",
      line: 2,
      message: 'is not a known key (did you mean "systems"?); allowed: home, systems, syncs',
    },
  ]);
  assert.equal(existsSync(join(directory, "x.db")), false);
});

test("init writes a configuration that loads, and never writes over one", async () => {
  const first = await cli("init", "wfrmls");
  assert.equal(first.exit, 0);
  assert.match(first.out, /^Wrote .*lockstep\.yaml\n\nNext:\n {2}export WFRMLS_TOKEN=…/);
  const path = join(directory, "lockstep.yaml");
  assert.equal(readFileSync(path, "utf8").includes("yaml-language-server"), false);
  assert.equal(existsSync(join(directory, "lockstep.schema.json")), false);

  writeFileSync(path, `${readFileSync(path, "utf8")}# mine\n`);
  const second = await cli("init", "wfrmls");
  assert.equal(second.exit, 2);
  assert.match(second.err, /exists already; nothing was written/);
  assert.match(readFileSync(path, "utf8"), /# mine/);

  const { out } = await cli("status", "--json");
  const status = JSON.parse(out) as {
    readonly syncs: readonly { readonly streams: readonly { readonly stream: string }[] }[];
  };
  assert.deepEqual(
    status.syncs[0]?.streams.map(({ stream }) => stream),
    ["Property", "Member", "Office", "OpenHouse"],
  );
  assert.equal((await cli("init", "sample", "--force")).exit, 0);
  assert.doesNotMatch(readFileSync(path, "utf8"), /# mine/);
});

test("the commented options of a new configuration are options that exist", async () => {
  await cli("init", "wfrmls");
  const path = join(directory, "lockstep.yaml");
  const text = readFileSync(path, "utf8");
  const isOption = /^( {2,})# ( *(?:- \{|[A-Za-z]+:).*)$/;
  const shown = text.split("\n").map((line) => line.replace(isOption, "$1$2"));
  writeFileSync(path, shown.join("\n"));
  const { exit, err } = await cli("status");
  assert.deepEqual([exit, err], [0, ""]);
});

test("init --schema writes the schema beside it, and only then names it", async () => {
  assert.equal((await cli("init", "wfrmls", "--schema")).exit, 0);
  assert.match(
    readFileSync(join(directory, "lockstep.yaml"), "utf8"),
    /^# yaml-language-server: \$schema=\.\/lockstep\.schema\.json\n/,
  );
  const schema = JSON.parse(readFileSync(join(directory, "lockstep.schema.json"), "utf8")) as {
    readonly properties: {
      readonly systems: { readonly additionalProperties: { readonly anyOf: readonly unknown[] } };
    };
  };
  const kinds = schema.properties.systems.additionalProperties.anyOf as readonly {
    readonly properties: { readonly connector: { readonly const: string } };
  }[];
  assert.deepEqual(
    kinds.map(({ properties }) => properties.connector.const),
    Object.keys(CONNECTORS),
  );
  const text = readFileSync(join(directory, "lockstep.schema.json"), "utf8");
  const { properties, $defs } = JSON.parse(text) as {
    readonly properties: {
      readonly syncs: { readonly additionalProperties: { readonly anyOf: readonly object[] } };
    };
    readonly $defs: object;
  };
  const [copy, sided] = properties.syncs.additionalProperties.anyOf;
  assert.match(JSON.stringify(copy), /"replicate"/);
  assert.match(JSON.stringify(sided), /"sides"/);
  for (const [, name = ""] of text.matchAll(/"#\/\$defs\/([^"]+)"/g))
    assert.ok(name in $defs, name);
});

test("check without the token names the variable, ends with 2 and does not show the rest", async () => {
  await cli("init", "wfrmls");
  const { exit, out } = await cli("check");
  assert.equal(exit, 2);
  assert.match(out, /The environment variable "WFRMLS_TOKEN" is not set\./);
  assert.match(out, /Code: SECRET_MISSING/);
  assert.match(out, /mls {2}not checked/);
  const run = await cli("run");
  assert.equal(run.exit, 2);
  assert.match(run.err, /The environment variable "WFRMLS_TOKEN" is not set\./);
});

test("a stack is shown with --verbose only", async () => {
  assert.doesNotMatch((await cli("status")).err, /\n {4}at /);
  assert.match((await cli("status", "--verbose")).err, /\n {4}at /);
});

test("the program itself: help, version, exit code, no colour in a pipe", () => {
  const run = (
    ...args: readonly string[]
  ): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), ...args], {
      cwd: directory,
      encoding: "utf8",
      env: { PATH: process.env["PATH"] ?? "" },
    });
  const help = run("--help");
  assert.equal(help.status, 0);
  assert.match(
    help.stdout,
    /Exit codes: 0 done, 1 failed or different, 2 usage or configuration, 3 halted,/,
  );
  assert.match(run("--version").stdout, /^\d+\.\d+\.\d+\n$/);
  const wrong = run("status");
  assert.equal(wrong.status, 2);
  assert.equal(wrong.stdout, "");
  assert.match(wrong.stderr, /^Failed: There is no lockstep\.yaml/);
});
