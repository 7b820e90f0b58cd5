import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { parse } from "csv-parse/sync";
import { configSchema, openLockstep, systemTypes } from "../../src/app.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import type { Lockstep } from "../../src/engine/lockstep.ts";
import type { ReconcileRun } from "../../src/engine/reconcile/run-reconcile.ts";
import type { PlannedRecord } from "../../src/model/plan.ts";
import { createTemporaryFolder } from "../../src/testing/temporary-folder.ts";
import { fakeIo } from "../support/cli-io.ts";

export type Row = Readonly<Record<string, unknown>>;

/** A folder with a shop's database and a warehouse's file, and a configuration over them. */
export interface Scene {
  readonly directory: string;
  /** Statements on `shop.db`. */
  sql(statements: string): void;
  rows(query: string): readonly Row[];
  /** Writes a CSV file, lines as given. */
  csv(name: string, ...lines: readonly string[]): void;
  /** A CSV file's records by their first column. */
  cells(name: string): Readonly<Record<string, Row>>;
  edit(name: string, change: (text: string) => string): void;
  configure(config: SceneConfig): void;
  /** Changes the sync of the configuration that is there. */
  reconfigure(change: (sync: Row) => Row): void;
  run(): Promise<ReconcileRun>;
  /** Operations of the next plan as `side kind name field,field`, in order. */
  plan(): Promise<readonly string[]>;
  withLockstep<T>(
    act: (lockstep: Lockstep, watch: { signal: AbortSignal }) => Promise<T>,
  ): Promise<T>;
  /** A command line in the folder. */
  cli(...args: readonly string[]): Promise<Said>;
  /** The same, with these variables. */
  cliWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Said>;
}

interface Said {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

export interface SceneConfig {
  readonly systems?: Readonly<Record<string, unknown>>;
  readonly sync: Readonly<Record<string, unknown>>;
}

export const SYNC = "inventory";

/** Both systems and how they are reached; tests add their own. */
const SYSTEMS = {
  shop: { connector: "sqlite", path: "./shop.db" },
  warehouse: { connector: "file", path: "./warehouse.csv", key: "sku" },
};

const APP = { open: openLockstep, types: systemTypes, configSchema: async () => configSchema() };

export function createScene(t: TestContext): Scene {
  const folder = createTemporaryFolder();
  const directory = folder.path;
  t.after(() => folder.remove());
  const withDatabase = <T>(act: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(join(directory, "shop.db"));
    try {
      return act(database);
    } finally {
      database.close();
    }
  };
  const withLockstep: Scene["withLockstep"] = async (act) => {
    const lockstep = await openLockstep({ directory, env: {} });
    try {
      return await act(lockstep, { signal: new AbortController().signal });
    } finally {
      await lockstep.close();
    }
  };
  const path = (name: string): string => join(directory, name);
  const cliWith: Scene["cliWith"] = async (env, ...args) => {
    const io = fakeIo({ directory, env });
    const exit = await runCli(args, io, APP);
    return { exit, out: io.stdout(), err: io.stderr() };
  };
  return {
    directory,
    sql: (statements) => withDatabase((database) => database.exec(statements)),
    rows: (query) =>
      withDatabase((database) =>
        database
          .prepare(query)
          .all()
          .map((row) => ({ ...row })),
      ),
    csv: (name, ...lines) => writeFileSync(path(name), lines.map((line) => `${line}\n`).join("")),
    cells: (name) => {
      const rows: Row[] = parse(readFileSync(path(name)), { columns: true });
      return Object.fromEntries(rows.map((row) => [String(Object.values(row)[0]), row]));
    },
    edit: (name, change) => writeFileSync(path(name), change(readFileSync(path(name), "utf8"))),
    configure: ({ systems = {}, sync }) => {
      const config = { systems: { ...SYSTEMS, ...systems }, syncs: { [SYNC]: sync } };
      const used = Object.entries(config.systems).filter(
        ([name]) => name !== "warehouse" || existsSync(path("warehouse.csv")),
      );
      writeFileSync(
        path("lockstep.yaml"),
        JSON.stringify({ ...config, systems: Object.fromEntries(used) }, null, 2),
      );
    },
    reconfigure: (change) => {
      const text = readFileSync(path("lockstep.yaml"), "utf8");
      const config = JSON.parse(text) as { syncs: Record<string, Row> };
      const syncs = { [SYNC]: change(config.syncs[SYNC] ?? {}) };
      writeFileSync(path("lockstep.yaml"), JSON.stringify({ ...config, syncs }, null, 2));
    },
    run: () => withLockstep((lockstep, watch) => lockstep.reconcile.run(SYNC, watch)),
    plan: () =>
      withLockstep(async (lockstep, watch) => {
        const { records } = await lockstep.reconcile.plan(SYNC, watch);
        const lines: string[] = [];
        for await (const record of records()) lines.push(...inWords(record));
        return lines;
      }),
    withLockstep,
    cli: (...args) => cliWith({}, ...args),
    cliWith,
  };
}

const inWords = ({ name, operations }: PlannedRecord): readonly string[] =>
  operations.map(({ side, kind, fields }) =>
    kind === "update"
      ? `${side} update ${name} ${fields.map(({ field }) => field).join(",")}`
      : `${side} ${kind} ${name}`,
  );
