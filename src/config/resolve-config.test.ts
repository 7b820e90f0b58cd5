import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { z } from "zod";
import { isSyncError } from "../model/sync-error.ts";
import type { ConnectorKinds } from "./connector-kind.ts";
import { loadConfig } from "./load-config.ts";
import type { Config } from "./resolve-config.ts";

const KINDS: ConnectorKinds = {
  web: {
    settings: z.object({
      url: z.url(),
      token: z.string(),
      profile: z.enum(["plain", "fancy"]).default("plain"),
      pageSize: z.number().int().min(1).optional(),
    }),
    secrets: ["token"],
    roles: ["source"],
    streamDefaults: () => ({
      Media: { parent: { stream: "Property", field: "ParentKey", parentField: "Key" } },
      Property: {
        monitor: { status: ["Status"], price: ["Price"], transitions: [["Active", "Pending"]] },
      },
    }),
  },
  store: { settings: z.object({ path: z.string() }), secrets: [], roles: ["destination"] },
};

const SYSTEMS = "systems:\n  mls: { connector: web, url: https://example.com, token: env:T }\n";
const withSync = (lines: string): string =>
  `${SYSTEMS}syncs:\n  copy:\n    replicate: mls\n${lines}`;
const STREAMS = "    streams: { Property: {} }\n";

async function load(text: string, name = "lockstep.yaml"): Promise<Config> {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-config-"));
  try {
    writeFileSync(join(directory, name), text);
    return await loadConfig(directory, undefined, KINDS);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function mistakeOf(text: string, name?: string): Promise<string> {
  try {
    await load(text, name);
  } catch (error) {
    assert.ok(isSyncError(error), String(error));
    assert.equal(error.code, "CONFIG_INVALID");
    return error.message;
  }
  return "nothing";
}

const MISTAKES: readonly {
  readonly name: string;
  readonly text: string;
  readonly message: string;
}[] = [
  {
    name: "an empty file",
    text: "",
    message: [
      "The configuration has 2 mistakes:",
      "  lockstep.yaml: systems is missing; expected a mapping from names to systems.",
      "  lockstep.yaml: syncs is missing; expected a mapping from names to syncs.",
    ].join("\n"),
  },
  {
    name: "not YAML",
    text: "systems:\n  mls: [\n",
    message:
      "lockstep.yaml:3: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ].",
  },
  {
    name: "an unknown key at the top",
    text: `${SYSTEMS}sync: {}\nsyncs: {}\n`,
    message:
      'lockstep.yaml:3: sync is not a known key (did you mean "syncs"?); allowed: home, systems, syncs.',
  },
  {
    name: "an unknown key in a guard",
    text: withSync(`${STREAMS}    guard: { deletShare: 10% }\n`),
    message:
      'lockstep.yaml:7: syncs.copy.guard.deletShare is not a known key (did you mean "deleteShare"?); allowed: deleteShare, deleteCount, deleteFloor, countTolerance, parkedCount.',
  },
  {
    name: "an unknown key of the connector",
    text: `systems:\n  mls:\n    connector: web\n    url: https://example.com\n    token: env:T\n    pagesize: 3\nsyncs: {}\n`,
    message:
      'lockstep.yaml:6: systems.mls.pagesize is not a known key (did you mean "pageSize"?); allowed: url, token, profile, pageSize.',
  },
  {
    name: "an unknown connector",
    text: "systems:\n  mls: { connector: wed }\nsyncs: {}\n",
    message:
      'lockstep.yaml:2: systems.mls.connector is "wed" (did you mean "web"?); allowed: web, store.',
  },
  {
    name: "a missing setting",
    text: "systems:\n  mls: { connector: web, token: env:T }\nsyncs: {}\n",
    message: "lockstep.yaml:2: systems.mls.url is missing; expected a text.",
  },
  {
    name: "a setting that is no URL",
    text: "systems:\n  mls: { connector: web, token: env:T, url: example }\nsyncs: {}\n",
    message:
      'lockstep.yaml:2: systems.mls.url is "example"; expected a URL such as https://example.com/odata.',
  },
  {
    name: "a value that is not one of the allowed ones",
    text: withSync(`${STREAMS}    naming: camelCase\n`),
    message: 'lockstep.yaml:7: syncs.copy.naming is "camelCase"; allowed: source, snake_case.',
  },
  {
    name: "a number of the wrong kind",
    text: withSync(`${STREAMS}    concurrency: three\n`),
    message:
      'lockstep.yaml:7: syncs.copy.concurrency is "three"; expected a whole number from 1 to 32.',
  },
  {
    name: "a duration without a unit",
    text: withSync(`${STREAMS}    overlap: 10\n`),
    message:
      'lockstep.yaml:7: syncs.copy.overlap is "10"; expected a duration such as 30s, 10m, 6h or 7d.',
  },
  {
    name: "a bad duration",
    text: withSync(`    streams:\n      Property: { overlap: 10 minutes }\n`),
    message:
      'lockstep.yaml:7: syncs.copy.streams.Property.overlap is "10 minutes"; expected a duration such as 30s, 10m, 6h or 7d.',
  },
  {
    name: "a share without a percent sign",
    text: withSync(`${STREAMS}    guard: { deleteShare: 0.1 }\n`),
    message:
      'lockstep.yaml:7: syncs.copy.guard.deleteShare is "0.1"; expected a share such as 10% or 0.1%.',
  },
  {
    name: "a share above the whole",
    text: withSync(`${STREAMS}    guard: { deleteShare: 101% }\n`),
    message:
      'lockstep.yaml:7: syncs.copy.guard.deleteShare is "101%"; expected a share from 0% to 100%.',
  },
  {
    name: "a source that is not configured",
    text: `${SYSTEMS}syncs:\n  copy:\n    replicate: mlss\n${STREAMS}`,
    message:
      'lockstep.yaml:5: syncs.copy.replicate is "mlss", which is no configured system (did you mean "mls"?); allowed: mls.',
  },
  {
    name: "a destination that cannot be one",
    text: `systems:\n  a: { connector: store, path: x }\n${SYSTEMS.slice(9)}syncs:\n  copy:\n    replicate: a\n    into: mls\n${STREAMS}`,
    message: [
      "The configuration has 2 mistakes:",
      '  lockstep.yaml:6: syncs.copy.replicate is "a", and a store system cannot be replicated.',
      '  lockstep.yaml:7: syncs.copy.into is "mls", and a web system cannot be replicated into.',
    ].join("\n"),
  },
  {
    name: "no stream",
    text: withSync("    streams: {}\n"),
    message: "lockstep.yaml:6: syncs.copy.streams is empty; expected at least one stream.",
  },
  {
    name: "a parent that is no stream",
    text: withSync(
      "    streams:\n      Property: {}\n      Media:\n        parent: { stream: Proprety, field: K }\n",
    ),
    message:
      'lockstep.yaml:9: syncs.copy.streams.Media.parent.stream is "Proprety", which is no other stream of this sync (did you mean "Property"?); allowed: Property.',
  },
  {
    name: "a transition that is none",
    text: withSync("    streams:\n      Property: { monitor: { transitions: [Active] } }\n"),
    message:
      'lockstep.yaml:7: syncs.copy.streams.Property.monitor.transitions[0] is "Active"; expected a transition such as "Active:Pending".',
  },
  {
    name: "transitions of nothing",
    text: withSync('    streams:\n      Member: { monitor: { transitions: ["A:B"] } }\n'),
    message:
      "lockstep.yaml:7: syncs.copy.streams.Member.monitor.transitions has no status field to watch; expected `status` beside it.",
  },
  {
    name: "a rule that checks nothing",
    text: withSync("    streams:\n      Property:\n        validate: [{ field: City }]\n"),
    message:
      "lockstep.yaml:8: syncs.copy.streams.Property.validate[0] checks nothing; expected at least one of required, min, max, maxLength, oneOf, pattern.",
  },
  {
    name: "a rule with a broken pattern",
    text: withSync(
      '    streams:\n      Property:\n        validate: [{ field: City, pattern: "(" }]\n',
    ),
    message:
      'lockstep.yaml:8: syncs.copy.streams.Property.validate[0].pattern is "("; expected a regular expression.',
  },
  {
    name: "a secret written out",
    text: "systems:\n  mls: { connector: web, url: https://example.com, token: abc123 }\nsyncs: {}\n",
    message:
      "lockstep.yaml:2: systems.mls.token must be a reference to the secret, not the secret itself; allowed: env:NAME, file:PATH.",
  },
  {
    name: "credentials in a URL",
    text: "systems:\n  mls: { connector: web, url: https://me:abc123@example.com, token: env:T }\nsyncs: {}\n",
    message:
      "lockstep.yaml:2: systems.mls.url is a URL with credentials in it; expected a URL without them.",
  },
  {
    name: "a home of another kind",
    text: `home: lockstep.db\n${SYSTEMS}syncs: {}\n`,
    message:
      'lockstep.yaml:1: home is "lockstep.db"; expected sqlite:PATH, or a reference (env:NAME, file:PATH) to a postgres:// URL, which holds a password.',
  },
  {
    name: "a name that is none",
    text: "systems:\n  9mls: { connector: web, url: https://example.com, token: env:T }\nsyncs: {}\n",
    message:
      "lockstep.yaml:2: systems.9mls has a wrong name; expected a name of letters, digits, _ and - that begins with a letter.",
  },
  {
    name: "a side without a name",
    text: `${SYSTEMS}syncs:\n  stock:\n    match: sku\n    sides:\n      "": { system: mls, stream: a }\n      b: { system: mls, stream: b }\n`,
    message:
      'lockstep.yaml:7: syncs.stock.sides[""] has a wrong name; expected a name of letters, digits, _ and - that begins with a letter.',
  },
];

for (const { name, text, message } of MISTAKES) {
  test(`a configuration with ${name} is refused`, async () => {
    assert.equal(await mistakeOf(text), message);
  });
}

test("a secret that was written out stands nowhere in the error", async () => {
  const text =
    "systems:\n  mls: { connector: web, url: https://u:abc123@example.com, token: abc123, x: 1 }\nsyncs: {}\n";
  const error: unknown = await load(text).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(isSyncError(error));
  assert.ok(
    !JSON.stringify([error.message, error.hint, error.details, error.context]).includes("abc123"),
  );
});

test("a small configuration is resolved with every default", async () => {
  const config = await load(withSync("    streams:\n      Property:\n      Media: {}\n"));
  assert.ok(config.home.kind === "sqlite");
  assert.match(config.home.path, /^\/.*\/lockstep\.db$/);
  assert.deepEqual(config.systems.get("mls"), {
    name: "mls",
    connector: "web",
    settings: { url: "https://example.com", token: "env:T", profile: "plain" },
  });
  const shared = {
    naming: "source",
    deletes: "remove",
    drift: "evolve",
    overlapMs: 600_000,
    overlapMaxMs: 21_600_000,
    refreshMs: 86_400_000,
    history: "full",
    rules: [],
  };
  assert.deepEqual(config.syncs, [
    {
      name: "copy",
      source: "mls",
      into: "home",
      spec: {
        name: "copy",
        concurrency: 3,
        leaseMs: 60_000,
        guard: {
          deleteShare: 0.1,
          deleteCount: 5_000,
          deleteFloor: 20,
          countTolerance: 0.001,
          parkedCount: 1_000,
        },
        streams: [
          {
            stream: "Property",
            table: "Property",
            ...shared,
            monitor: { status: ["Status"], price: ["Price"], transitions: [["Active", "Pending"]] },
          },
          {
            stream: "Media",
            table: "Media",
            ...shared,
            monitor: { status: [], price: [], transitions: [] },
            parent: { stream: "Property", field: "ParentKey", parentField: "Key" },
          },
        ],
      },
    },
  ]);
});

test("what a stream says goes before what its sync says", async () => {
  const config = await load(
    withSync(
      [
        "    deletes: mark",
        "    overlap: 1h30m",
        "    history: off",
        "    streams:",
        "      Property:",
        "        deletes: remove",
        "        select: [Key, Price]",
        "        monitor: { status: State, transitions: [A:B] }",
        "        validate:",
        "          - { field: Price, min: 0, max: 10, otherwise: reject }",
        "      Member:",
        "",
      ].join("\n"),
    ),
  );
  const [property, member] = config.syncs[0]?.spec.streams ?? [];
  assert.equal(property?.deletes, "remove");
  assert.equal(member?.deletes, "mark");
  assert.equal(member?.overlapMs, 5_400_000);
  assert.equal(member?.history, "off");
  assert.deepEqual(property?.select, ["Key", "Price"]);
  assert.deepEqual(property?.monitor, {
    status: ["State"],
    price: ["Price"],
    transitions: [["A", "B"]],
  });
  assert.deepEqual(property?.rules, [
    { field: "Price", check: { kind: "min", value: 0 }, otherwise: "reject" },
    { field: "Price", check: { kind: "max", value: 10 }, otherwise: "reject" },
  ]);
});

test("a parent of the connector's profile counts only where that stream is copied too", async () => {
  const config = await load(withSync("    streams: { Media: {} }\n"));
  assert.equal(config.syncs[0]?.spec.streams[0]?.parent, undefined);
});

test("lockstep.config.ts takes the same shape", async () => {
  const body = `{ systems: { mls: { connector: "web", url: "https://example.com", token: "env:T" } }, syncs: { copy: { replicate: "mls", streams: { Property: {} } } } }`;
  const config = await load(`export default ${body} as const;\n`, "lockstep.config.ts");
  assert.equal(config.syncs[0]?.name, "copy");
  assert.equal(
    await mistakeOf("export const other = 1;\n", "lockstep.config.ts"),
    "lockstep.config.ts exports no configuration.",
  );
  assert.equal(
    await mistakeOf(`export default { ...${body}, home: 3 };\n`, "lockstep.config.ts"),
    'lockstep.config.ts: home is "3"; expected sqlite:PATH, or a reference (env:NAME, file:PATH) to a postgres:// URL, which holds a password.',
  );
});

test("a missing configuration says what to do", async () => {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-config-"));
  try {
    await assert.rejects(loadConfig(directory, undefined, KINDS), {
      code: "CONFIG_NOT_FOUND",
      message: `There is no lockstep.yaml in "${directory}".`,
      hint: "Run `lockstep init wfrmls` for a copy or `lockstep init reconcile` for systems to keep in step, or name the file with `--config FILE`.",
    });
    await assert.rejects(loadConfig(directory, "other.yaml", KINDS), {
      code: "CONFIG_NOT_FOUND",
      message: 'The configuration file "other.yaml" does not exist.',
    });
    writeFileSync(join(directory, "lockstep.yaml"), "");
    writeFileSync(join(directory, "lockstep.config.ts"), "");
    await assert.rejects(loadConfig(directory, undefined, KINDS), {
      message: "Two configurations stand side by side: lockstep.yaml and lockstep.config.ts.",
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
