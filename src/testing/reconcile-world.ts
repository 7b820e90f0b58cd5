import { after } from "node:test";
import {
  createMemoryConnector,
  type MemoryConnectorOptions,
} from "../connectors/memory/connector.ts";
import {
  createMemorySystem,
  type MemorySystem,
  type NamedValues,
} from "../connectors/memory/system.ts";
import { openSqlite } from "../drivers/sqlite/database.ts";
import type { ReconcileContext, SideContext } from "../engine/reconcile/context.ts";
import { createMemoryHome } from "../homes/memory/home.ts";
import type { MemoryHomeState } from "../homes/memory/state.ts";
import { createSqliteHome } from "../homes/sqlite/home.ts";
import type { MergeRules, PolicyChain, SharedField, SideRole } from "../model/reconcile.ts";
import { type RecordKey, recordKey, type Values } from "../model/record.ts";
import type { StreamSchema } from "../model/schema.ts";
import type { Value } from "../model/value.ts";
import type { Agreements } from "../ports/agreements.ts";
import type { Connector } from "../ports/connector.ts";
import type { Home } from "../ports/home.ts";
import type { Clock } from "../ports/runtime.ts";
import { openPostgresStorage, type PostgresStorage } from "./postgres-storage.ts";

export type ReconcileBackend = "memory" | "sqlite" | "postgres";

/** As for replica worlds: with it, every backend that is named is tried on PostgreSQL as well. */
const POSTGRES_URL = process.env["LOCKSTEP_TEST_POSTGRES"];

export const RECONCILE_BACKENDS: readonly ReconcileBackend[] =
  POSTGRES_URL === undefined ? ["memory", "sqlite"] : ["memory", "sqlite", "postgres"];

const opened: PostgresStorage[] = [];
if (POSTGRES_URL !== undefined) {
  after(async () => {
    await Promise.all(opened.map((storage) => storage.close()));
  });
}

function openHome(
  backend: ReconcileBackend,
  clock: Clock,
  state: MemoryHomeState | undefined,
): Home & Agreements {
  if (backend === "sqlite") return createSqliteHome({ database: openSqlite(":memory:"), clock });
  if (backend === "postgres" && POSTGRES_URL !== undefined) {
    const storage = openPostgresStorage(POSTGRES_URL, clock);
    opened.push(storage);
    return storage.home;
  }
  return createMemoryHome({ clock, ...(state === undefined ? {} : { state }) });
}

/** How one side of a world differs from a plain one. */
export interface WorldSide {
  readonly name: string;
  readonly role?: Partial<SideRole>;
  readonly observe?: "whole" | "changes";
  /** The system tells digests of its records. */
  readonly digests?: boolean;
  /** What the system makes of what is written to it. */
  readonly storage?: (stream: string, field: string, value: Value) => Value;
  readonly versions?: boolean;
  /** Keys are assigned by the system; records are then matched by `sku`. */
  readonly assignsKeys?: boolean;
  readonly connector?: MemoryConnectorOptions;
}

export interface WorldOptions {
  readonly sides: readonly WorldSide[];
  readonly policies?: PolicyChain;
  readonly deletes?: MergeRules["deletes"];
  readonly fields?: readonly SharedField[];
  readonly home?: Home & Agreements;
  /** Default: memory. */
  readonly backend?: ReconcileBackend;
  readonly homeState?: MemoryHomeState;
}

/** Sides of memory systems that hold items, and a context to reconcile them. */
export interface ReconcileWorld {
  readonly context: ReconcileContext;
  readonly systems: Readonly<Record<string, MemorySystem>>;
  /** Sets a record on one side as a person does. */
  put(side: string, values: NamedValues): RecordKey;
  edit(side: string, sku: string, values: NamedValues): void;
  remove(side: string, sku: string): void;
  /** A side's records by `sku`, without an assigned id. */
  items(side: string): Readonly<Record<string, NamedValues>>;
  tick(ms?: number): void;
}

const ITEM_FIELDS: readonly SharedField[] = [
  { name: "sku", type: { kind: "text" }, compare: {} },
  { name: "name", type: { kind: "text" }, compare: {} },
  { name: "price", type: { kind: "decimal" }, compare: {} },
  { name: "tags", type: { kind: "list", of: { kind: "text" }, ordered: false }, compare: {} },
];

const STREAM = "items";

function itemSchema(fields: readonly SharedField[], side: WorldSide): StreamSchema {
  const own = side.assignsKeys === true;
  return {
    name: STREAM,
    key: [own ? "id" : "sku"],
    fields: [
      ...(own ? [{ name: "id", type: { kind: "text" } as const, nullable: false }] : []),
      ...fields.map(({ name, type }) => ({ name, type, nullable: own || name !== "sku" })),
      { name: "modified", type: { kind: "timestamp" }, nullable: true },
    ],
    modifiedAt: "modified",
    traits: {
      changes: true,
      deletions: true,
      sweep: true,
      count: true,
      ...(side.digests === true ? { digests: "memory 1" } : {}),
      write: { batch: 10, expects: "atomic", assignsKeys: own },
    },
  };
}

/** A new record holds null in the fields that it is not given, as a row of a table does. */
function likeTable(connector: Connector, { fields, modifiedAt }: StreamSchema): Connector {
  const { write } = connector;
  if (write === undefined) return connector;
  return {
    ...connector,
    write: (query, operations, signal) => {
      const filled = operations.map((operation) => {
        if (operation.kind !== "create") return operation;
        const values = fields.map(({ name, nullable }, index) => {
          const blank = nullable && name !== modifiedAt ? null : undefined;
          return operation.values[index] ?? blank;
        });
        return { ...operation, values };
      });
      return write(query, filled, signal);
    },
  };
}

export function createReconcileWorld(options: WorldOptions): ReconcileWorld {
  let now = Date.UTC(2026, 0, 1);
  let ids = 0;
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: (_ms, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      }),
  };
  const fields = options.fields ?? ITEM_FIELDS;
  const systems: Record<string, MemorySystem> = {};
  const sides = options.sides.map((side): SideContext => {
    const schema = itemSchema(fields, side);
    const system = createMemorySystem({
      streams: [schema],
      now: () => now,
      ...(side.storage === undefined ? {} : { storage: side.storage }),
      ...(side.versions === undefined ? {} : { versions: side.versions }),
    });
    systems[side.name] = system;
    const offset = side.assignsKeys === true ? 1 : 0;
    return {
      name: side.name,
      connector: likeTable(createMemoryConnector(system, side.connector), schema),
      query: { schema, ...(side.digests === true ? { digestSeed: 1 } : {}) },
      schema,
      observe: side.observe ?? "whole",
      clockOffsetMs: 0,
      overlapMs: 0,
      role: {
        side: side.name,
        directions: fields.map(() => "both" as const),
        create: true,
        update: true,
        remove: "delete",
        accepts: () => true,
        whenLeaving: "keep",
        ...side.role,
      },
      mapping: {
        toShared: (values) => ({
          values: fields.map((_, at) => values[at + offset]),
          problems: [],
        }),
        toSide: (shared) => ({
          values: schema.fields.map((_, at): Values[number] => shared[at - offset]),
          problems: [],
        }),
        writtenTo: (shared) => shared + offset,
      },
    };
  });
  const home = options.home ?? openHome(options.backend ?? "memory", clock, options.homeState);
  const context: ReconcileContext = {
    sync: "inventory",
    rules: {
      fields,
      roles: sides.map(({ role }) => role),
      policies: fields.map(() => options.policies ?? []),
      deletes: options.deletes ?? { propagate: "remove", editAgainstDelete: "edit-wins" },
    },
    match: [0],
    guard: {
      deleteShare: 1,
      deleteCount: 1_000_000,
      deleteFloor: 1_000_000,
      changeShare: 1,
      changeCount: 1_000_000,
      changeFloor: 1_000_000,
    },
    configuration: "test",
    sides,
    home,
    clock,
    random: { next: () => 0.5, id: () => `id${String(++ids).padStart(6, "0")}` },
    owner: { name: "test", isGone: () => true },
    leaseMs: 60_000,
    buryMs: 30 * 86_400_000,
    emit: () => undefined,
  };
  const rowOf = (side: string, sku: string): RecordKey => {
    const row = systems[side]?.rows(STREAM).find(({ values }) => values["sku"] === sku);
    return row?.id ?? recordKey([sku]);
  };
  return {
    context,
    systems,
    put: (side, values) => {
      const system = systems[side];
      if (system === undefined) throw new Error(`no side ${side}`);
      const isAssigned = options.sides.find(({ name }) => name === side)?.assignsKeys === true;
      const own = isAssigned ? { id: system.newKey(STREAM), ...values } : values;
      return system.put(STREAM, own);
    },
    edit: (side, sku, values) => systems[side]?.edit(STREAM, rowOf(side, sku), values),
    remove: (side, sku) => systems[side]?.remove(STREAM, rowOf(side, sku)),
    items: (side) =>
      Object.fromEntries(
        (systems[side]?.rows(STREAM) ?? []).map(({ values }) => {
          const { id: _id, modified: _modified, ...item } = values;
          return [String(item["sku"]), item];
        }),
      ),
    tick: (ms = 1000) => {
      now += ms;
    },
  };
}
