import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fsSync, { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import type { RecordKey } from "../../model/record.ts";
import type { Connector, WriteOperation, WriteOutcome } from "../../ports/connector.ts";
import { createTemporaryFolder } from "../../testing/temporary-folder.ts";
import { createFileConnector } from "./connector.ts";

const real = { ...fs };
const realSync = { ...fsSync };
const PROMISES = ["open", "link", "rename", "rm", "stat", "readdir", "writeFile"] as const;

interface Steps {
  /** Called before each effect on files, and after it; the first is 1. What it throws is thrown. */
  before?(step: number, name: string): void;
  after?(step: number, name: string): void;
}

/** Runs `act` with every look at files and every effect on them numbered. */
async function inSteps({ before, after }: Steps, act: () => Promise<void>): Promise<number> {
  let steps = 0;
  const step = async <T>(name: string, body: () => Promise<T>): Promise<T> => {
    steps += 1;
    const own = steps;
    before?.(own, name);
    const result = await body();
    after?.(own, name);
    return result;
  };
  const handleOf = (handle: FileHandle): FileHandle =>
    new Proxy(handle, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        if (name === "close") return member.bind(target);
        return (...args: unknown[]) =>
          step(`handle.${String(name)}`, () => member.apply(target, args));
      },
    });
  for (const name of PROMISES) {
    const call = real[name] as (...args: unknown[]) => Promise<unknown>;
    Object.assign(fs, {
      [name]: (...args: unknown[]) =>
        step(name, async () => {
          const result = await call(...args);
          return name === "open" ? handleOf(result as FileHandle) : result;
        }),
    });
  }
  // It makes an empty file before it writes into it.
  Object.assign(fs, {
    writeFile: async (...[file, data, options]: Parameters<typeof fs.writeFile>) => {
      await step("writeFile, begun", () => real.writeFile(file, "", options));
      await step("writeFile", () => real.writeFile(file, data));
    },
  });
  Object.assign(fsSync, {
    renameSync: (from: string, to: string) => {
      steps += 1;
      const own = steps;
      before?.(own, "renameSync");
      realSync.renameSync(from, to);
      after?.(own, "renameSync");
    },
  });
  syncBuiltinESMExports();
  try {
    await act();
    return steps;
  } finally {
    for (const name of PROMISES) Object.assign(fs, { [name]: real[name] });
    Object.assign(fsSync, { renameSync: realSync.renameSync });
    syncBuiltinESMExports();
  }
}

const OLD = "sku,note\n1,a\n2,b\n3,c\n";
const NEW = "sku,note\n1,a\n2,B\n4,d\n";
const { signal } = new AbortController();
const memory = { recall: async () => undefined, remember: async () => undefined };
const CRASH = new Error("crash");
const DEAD = spawnSync(process.execPath, ["-e", ""]).pid;

let folder: ReturnType<typeof createTemporaryFolder>;
let path: string;

beforeEach(() => {
  folder = createTemporaryFolder();
  path = join(folder.path, "stock.csv");
  writeFileSync(path, OLD);
});
afterEach(() => folder.remove());

const text = (): string => readFileSync(path, "utf8");
const nothing = { values: [undefined, undefined] };
const OPERATIONS: readonly WriteOperation[] = [
  {
    kind: "update",
    id: "1",
    key: "2" as RecordKey,
    values: [undefined, "B"],
    expected: { values: [undefined, "b"] },
  },
  { kind: "delete", id: "2", key: "3" as RecordKey, expected: nothing },
  { kind: "create", id: "3", key: "4" as RecordKey, values: ["4", "d"] },
];

function connect(): Connector {
  const settings = { path, format: "csv", stream: "stock", key: ["sku"], fields: {} } as const;
  return createFileConnector({ ...settings, encoding: "utf-8" }, { memory });
}

async function write(): Promise<readonly WriteOutcome[]> {
  const connector = connect();
  const [schema] = await connector.discover(signal);
  assert.ok(schema);
  return (await connector.write?.({ schema }, OPERATIONS, signal)) ?? [];
}

const kindsOf = (outcomes: readonly WriteOutcome[]) => outcomes.map(({ kind }) => kind);

suite("a process that dies at any step", () => {
  for (const isAfter of [false, true]) {
    test(`${isAfter ? "after" : "before"} it: the old file or the new one, and the next run goes on`, async () => {
      const all = await inSteps({}, async () => {
        await write();
      });
      assert.ok(all > 15, `${all} steps`);
      const seen = new Set<string>();
      for (let at = 1; at <= all; at += 1) {
        writeFileSync(path, OLD);
        const die = (step: number): void => {
          if (step >= at) throw CRASH;
        };
        await inSteps(
          isAfter ? { after: die, before: (step) => die(step - 1) } : { before: die },
          async () => {
            await write().catch((error: unknown) => assert.equal(error, CRASH));
          },
        );
        const found = text();
        assert.ok(found === OLD || found === NEW, `at step ${at}: ${found}`);
        seen.add(found);
        const lock = join(folder.path, ".stock.csv.lock");
        // The pid of this test's own process is alive; that of the dead one is not.
        if (existsSync(lock)) {
          const holder = JSON.parse(readFileSync(lock, "utf8")) as object;
          writeFileSync(lock, JSON.stringify({ ...holder, pid: DEAD }));
        }
        const kinds = kindsOf(await write());
        const again = ["conflict", "written", "conflict"];
        assert.deepEqual(kinds, found === OLD ? ["written", "written", "written"] : again);
        assert.equal(text(), NEW);
        assert.deepEqual(readdirSync(folder.path), ["stock.csv"], `after step ${at}`);
      }
      assert.equal(seen.size, 2);
    });
  }
});

suite("a person who edits at any step", () => {
  /** Saves an edit of whatever stands there, in one of the ways in which programs save. */
  const WAYS: Readonly<Record<string, () => void>> = {
    "into the file": () => writeFileSync(path, text().replace("1,a", "1,PERSON")),
    "as a new file": () => {
      const made = join(folder.path, "saved");
      writeFileSync(made, text().replace("1,a", "1,PERSON"));
      realSync.renameSync(made, path);
    },
  };
  for (const [way, save] of Object.entries(WAYS)) {
    test(`${way}: nothing of theirs is lost, and ours is there`, async () => {
      const all = await inSteps({}, async () => {
        await write();
      });
      for (let at = 1; at <= all; at += 1) {
        writeFileSync(path, OLD);
        let isUnseen = false;
        let outcomes: readonly WriteOutcome[] = [];
        await inSteps(
          {
            before: (step, name) => {
              if (step !== at) return;
              // Between the last two system calls no other program's new file can be noticed.
              isUnseen = name === "renameSync" && way === "as a new file";
              if (!isUnseen) save();
            },
          },
          async () => {
            outcomes = await write();
          },
        );
        if (isUnseen) continue;
        assert.deepEqual(kindsOf(outcomes), ["written", "written", "written"], `step ${at}`);
        assert.equal(text(), NEW.replace("1,a", "1,PERSON"), `step ${at}`);
        assert.deepEqual(readdirSync(folder.path), ["stock.csv"], `step ${at}`);
      }
    });
  }

  test("of the very record: it is a conflict, and theirs stands", async () => {
    let isEdited = false;
    let outcomes: readonly WriteOutcome[] = [];
    await inSteps(
      {
        before: (_step, name) => {
          if (isEdited || name !== "renameSync") return;
          isEdited = true;
          writeFileSync(path, OLD.replace("2,b", "2,PERSON"));
        },
      },
      async () => {
        outcomes = await write();
      },
    );
    assert.deepEqual(kindsOf(outcomes), ["conflict", "written", "written"]);
    assert.equal(text(), "sku,note\n1,a\n2,PERSON\n4,d\n");
  });

  test("again and again: it is told, and nothing is overwritten", async () => {
    let count = 0;
    await inSteps(
      {
        before: (_step, name) => {
          if (name !== "renameSync") return;
          count += 1;
          writeFileSync(path, `${OLD}9,${count}\n`);
        },
      },
      async () => {
        await assert.rejects(write(), {
          code: "SYSTEM_LOCKED",
          message: `The file "${path}" was edited by others each of the 5 times it was to be written.`,
        });
      },
    );
    assert.equal(text(), `${OLD}9,5\n`);
    assert.deepEqual(readdirSync(folder.path), ["stock.csv"]);
  });
});
