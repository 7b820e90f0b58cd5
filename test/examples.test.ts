import "./support/resolve-lockstep.ts";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { RecordKey } from "../src/model/record.ts";
import type { ConnectorSubject } from "../src/testing/connector-kit/subject.ts";
import { connectorKit } from "../src/testing/connector-kit.ts";
import { createTemporaryFolder } from "../src/testing/temporary-folder.ts";

// After the import above, which decides what `lockstep` means in them.
const { createJsonlConnector } = await import("../examples/connector/jsonl.ts");
const { jsonlConfigSchema, resolveJsonlSettings } = await import(
  "../examples/connector/settings.ts"
);

const ROOT = resolve(import.meta.dirname, "..");

test("examples/replicate.ts copies, follows and lists price changes", () => {
  const folder = createTemporaryFolder();
  const preload = resolve(import.meta.dirname, "support/resolve-lockstep.ts");
  const args = ["--import", preload, "examples/replicate.ts", folder.path];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: "utf8",
  });
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(
    stdout,
    /^The first copy:\n( {2}\w+: done, \d+ new, 0 updated, 0 deleted\n){3}After a day:\n/,
  );
  assert.match(stdout, / {2}Property: done, \d+ new, [1-9]\d* updated, 0 deleted\n/);
  assert.match(stdout, /Outcome: done\n( {2}\d+: [\d.]+ → [\d.]+\n)+$/);
  const database = new DatabaseSync(join(folder.path, "lockstep.db"), { readOnly: true });
  const row = database.prepare("SELECT count(*) AS rows FROM Property").get();
  assert.ok(Number(row?.["rows"]) >= 390);
  database.close();
  folder.remove();
});

test("the example connector's settings are judged by its schema", () => {
  const config = {
    folder: "crm",
    streams: { contacts: { key: "id", fields: { id: "integer", name: "text" } } },
  } as const;
  assert.equal(jsonlConfigSchema.safeParse(config).success, true);
  assert.equal(jsonlConfigSchema.safeParse({ ...config, path: "crm" }).success, false);
  const [schema] = resolveJsonlSettings(config).streams;
  assert.deepEqual(
    schema?.fields.map(({ name, nullable }) => [name, nullable]),
    [
      ["id", false],
      ["name", true],
    ],
  );
});

connectorKit("jsonl (examples/connector)", { create: createJsonlSubject });

const PAGE_SIZE = 3;
const STREAMS = {
  contacts: { key: "id", fields: { id: "integer", name: "text", since: "date" } },
  tags: { key: ["contact", "tag"], fields: { contact: "integer", tag: "text", weight: "decimal" } },
  codes: { key: "code", fields: { code: "text", seen: "timestamp", open: "boolean" } },
} as const;

type Line = Record<string, unknown>;

function lineOf(stream: string, index: number): Line {
  const lines: Readonly<Record<string, Line>> = {
    contacts: { id: index * 3 - 2, name: `Ana ${index} Müller`, since: "2026-02-28" },
    tags: { contact: index % 4, tag: `tag ${index}`, weight: "0.10000000000000000001" },
    codes: { code: `c'${index} 家`, seen: "2026-11-21T10:00:00.123456Z", open: index % 2 === 0 },
  };
  return lines[stream] ?? {};
}

/** A folder of files that are rewritten whenever somebody edits. */
async function createJsonlSubject(): Promise<ConnectorSubject> {
  const folder = createTemporaryFolder();
  const { streams } = resolveJsonlSettings({ folder: folder.path, streams: STREAMS });
  const open = (): ReturnType<typeof createJsonlConnector> =>
    createJsonlConnector({ folder: folder.path, streams, pageSize: PAGE_SIZE });
  const path = (stream: string): string => join(folder.path, `${stream}.jsonl`);
  const keyOf = (stream: string, line: Line): RecordKey => {
    const names = streams.find(({ name }) => name === stream)?.key ?? [];
    const parts = names.map((name) => String(line[name]));
    return (parts.length === 1 ? parts[0] : JSON.stringify(parts)) as RecordKey;
  };
  const read = (stream: string): readonly Line[] =>
    readFileSync(path(stream), "utf8")
      .split("\n")
      .filter((text) => text !== "")
      .map((text) => JSON.parse(text) as Line);
  const write = (stream: string, lines: readonly Line[]): void =>
    writeFileSync(path(stream), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const edit = (stream: string, keys: readonly RecordKey[], fields: Line): void =>
    write(
      stream,
      read(stream).map((line) =>
        keys.includes(keyOf(stream, line)) ? { ...line, ...fields } : line,
      ),
    );

  let made = 10;
  for (const { name } of streams) {
    write(
      name,
      Array.from({ length: made }, (_, index) => lineOf(name, index)),
    );
  }
  const connector = open();
  return {
    connector,
    streams: streams.map(({ name }) => name),
    pageSize: PAGE_SIZE,
    keys: async (stream) => read(stream).map((line) => keyOf(stream, line)),
    people: {
      async create(stream) {
        made += 1;
        const line = lineOf(stream, made);
        write(stream, [...read(stream), line]);
        return keyOf(stream, line);
      },
      update: async (stream, keys) => edit(stream, keys, { name: "edited", weight: "2" }),
      async remove(stream, key) {
        write(
          stream,
          read(stream).filter((line) => keyOf(stream, line) !== key),
        );
      },
      spoil: async (stream, key) => edit(stream, [key], { name: 5, weight: "heavy", seen: "now" }),
    },
    reopen: async () => open(),
    async close() {
      await connector.close();
      folder.remove();
    },
  };
}
