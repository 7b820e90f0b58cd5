import { mergeRecord } from "../../core/merge/merge-record.ts";
import type { ReconcileContext, SideContext } from "../../engine/reconcile/context.ts";
import type { Looked } from "../../engine/reconcile/merge-candidates.ts";
import { planRecord } from "../../engine/reconcile/plan-record.ts";
import { type Ended, settleRecord } from "../../engine/reconcile/settle-record.ts";
import { judge } from "../../engine/reconcile/write-side.ts";
import type { Operation, PlannedRecord } from "../../model/plan.ts";
import type { DeleteRules, PolicyChain, SharedField, SideView } from "../../model/reconcile.ts";
import { type RecordKey, recordKey, type StreamRecord, type Values } from "../../model/record.ts";
import type { StreamSchema } from "../../model/schema.ts";
import type { StoredLink, StoredSide } from "../../ports/agreements.ts";
import type { SettledRecord } from "../../ports/settlement.ts";

/**
 * The protocol of a reconcile, small enough to be explored to its end: sides that hold records,
 * people, and one run after another that observes, plans, intends, writes, settles, and may die
 * anywhere. What is decided is decided by the engine's own pure functions (`mergeRecord`,
 * `planRecord`, `settleRecord`, `judge`), so that the model cannot drift from the code; the model
 * adds only the order in which things may happen.
 */
export interface Protocol {
  readonly sides: readonly string[];
  readonly keys: readonly string[];
  /** Value fields beside the key. */
  readonly fields: readonly string[];
  readonly policies: PolicyChain;
  readonly deletes: DeleteRules;
  readonly budget: Budget;
}

/** How often each thing may still happen. */
export interface Budget {
  readonly edits: number;
  readonly deletes: number;
  readonly crashes: number;
  readonly losses: number;
}

/** A record of a side, by its value fields; null: there is none. */
export type Row = Values | null;

/** Everything there is. JSON-safe: equal states have equal texts. */
export interface State {
  /** By key, then by side. */
  readonly rows: readonly (readonly Row[])[];
  /** What the home has agreed, by key. */
  readonly links: readonly (StoredLink | null)[];
  readonly run: Run | null;
  /** Plans of a run that died with intents. */
  readonly open: readonly PlannedRecord[];
  readonly left: Budget;
  /** The next value that a person writes; no value is written twice. */
  readonly next: number;
  /** Every value that ever stood at "key side field". */
  readonly stood: Readonly<Record<string, readonly string[]>>;
  /** Values that people replaced, policies beat by name, or recorded deletes took. */
  readonly excused: readonly string[];
}

/** A run on its way. */
export interface Run {
  /** What it saw, by side in their order, then by key. */
  readonly seen: readonly (readonly Row[])[];
  /** Absent before all sides were observed; null where nothing is to be done. */
  readonly plans?: readonly (PlannedRecord | null)[];
  /** Keys settled so far; the next one may be intended. */
  readonly done: number;
  readonly isIntended: boolean;
  /** Of the key that is intended: the ends of its operations, null where the answer was lost. */
  readonly ends: readonly (Ended | null)[];
}

export interface Transition {
  readonly name: string;
  readonly state: State;
}

/** The model's world: what never changes. */
export interface Model {
  readonly protocol: Protocol;
  readonly context: ReconcileContext;
  readonly start: State;
}

export function createModel(protocol: Protocol): Model {
  const fields: readonly SharedField[] = ["key", ...protocol.fields].map((name) => ({
    name,
    type: { kind: "text" },
    compare: {},
  }));
  const schema: StreamSchema = {
    name: "records",
    key: ["key"],
    fields: fields.map(({ name, type }) => ({ name, type, nullable: name !== "key" })),
    traits: {
      changes: false,
      deletions: false,
      sweep: true,
      count: true,
      write: { batch: 1, expects: "atomic", assignsKeys: false },
    },
  };
  const roles = protocol.sides.map((side) => ({
    side,
    directions: fields.map(() => "both" as const),
    create: true,
    update: true,
    remove: "delete" as const,
    accepts: () => true,
    whenLeaving: "keep" as const,
  }));
  const sides = roles.map((role) => ({
    name: role.side,
    schema,
    role,
    mapping: {
      toShared: (values: Values) => ({ values, problems: [] }),
      toSide: (values: Values) => ({ values, problems: [] }),
      writtenTo: (shared: number) => shared,
    },
  }));
  const policies = fields.map(() => protocol.policies);
  const context = {
    match: [0],
    rules: { fields, roles, policies, deletes: protocol.deletes },
    sides,
  } as unknown as ReconcileContext;
  const start: State = {
    rows: protocol.keys.map(() => protocol.sides.map(() => null)),
    links: protocol.keys.map(() => null),
    run: null,
    open: [],
    left: protocol.budget,
    next: 1,
    stood: {},
    excused: [],
  };
  return { protocol, context, start };
}

/** All that may happen next. */
export function transitions(model: Model, state: State): readonly Transition[] {
  const found = [...people(model, state), ...(state.run === null ? [begin(model, state)] : [])];
  if (state.run === null) return found;
  const { run, left } = state;
  const steps = [...found, ...goOn(model, state, run, left.losses > 0)];
  if (left.crashes === 0) return steps;
  return [...steps, { name: "crash", state: crash(state, run) }];
}

function people(model: Model, state: State): readonly Transition[] {
  const { protocol } = model;
  const { left } = state;
  const found: Transition[] = [];
  protocol.keys.forEach((key, at) => {
    protocol.sides.forEach((side, on) => {
      const row = state.rows[at]?.[on] ?? null;
      if (left.deletes > 0 && row !== null) {
        found.push({ name: `delete ${key} on ${side}`, state: removed(model, state, at, on) });
      }
      if (left.edits === 0) return;
      // A new record is written whole by its first edit; more fields are edits of their own.
      protocol.fields.forEach((field, index) => {
        if (row === null && index > 0) return;
        const name = `edit ${key}.${field} on ${side}`;
        found.push({ name, state: edited(model, state, at, on, index + 1) });
      });
    });
  });
  return found;
}

const placeOf = (at: number, on: number, field: number): string => `${at} ${on} ${field}`;

function edited(model: Model, state: State, at: number, on: number, field: number): State {
  const { protocol } = model;
  const row = state.rows[at]?.[on] ?? [protocol.keys[at], ...protocol.fields.map(() => null)];
  const value = `v${state.next}`;
  const place = placeOf(at, on, field);
  return {
    ...state,
    rows: withRow(state.rows, at, on, row.with(field, value)),
    left: { ...state.left, edits: state.left.edits - 1 },
    next: state.next + 1,
    stood: { ...state.stood, [place]: [...(state.stood[place] ?? []), value].sort() },
    excused: merged(state.excused, state.stood[place] ?? []),
  };
}

function removed(model: Model, state: State, at: number, on: number): State {
  const stood = model.protocol.fields.flatMap(
    (_, index) => state.stood[placeOf(at, on, index + 1)] ?? [],
  );
  return {
    ...state,
    rows: withRow(state.rows, at, on, null),
    left: { ...state.left, deletes: state.left.deletes - 1 },
    excused: merged(state.excused, stood),
  };
}

function withRow(rows: State["rows"], at: number, on: number, row: Row): State["rows"] {
  return rows.map((sides, index) => (index === at ? sides.with(on, row) : sides));
}

function merged(some: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...some, ...more])].sort();
}

/** A run begins: it looks into what an earlier one left intended. */
function begin(model: Model, state: State): Transition {
  const recovered = state.open.reduce((before, planned) => {
    const at = planned.link - 1;
    const ends = planned.operations.map((operation) => lookAgain(model, before, at, operation));
    return settle(model, before, at, planned, ends);
  }, state);
  const run: Run = { seen: [], done: 0, isIntended: false, ends: [] };
  return { name: "begin", state: { ...recovered, open: [], run } };
}

function goOn(model: Model, state: State, run: Run, mayLose: boolean): readonly Transition[] {
  const { sides, keys } = model.protocol;
  if (run.plans === undefined) {
    const on = run.seen.length;
    const seen = [...run.seen, state.rows.map((row) => row[on] ?? null)];
    const observed: Run = { ...run, seen };
    const name = `observe ${sides[on]}`;
    if (seen.length < sides.length) return [{ name, state: { ...state, run: observed } }];
    const plans = keys.map((_, at) => plan(model, state, seen, at) ?? null);
    return [{ name, state: { ...state, run: { ...observed, plans } } }];
  }
  const planned = run.plans[run.done];
  if (planned === undefined) return [{ name: "end", state: { ...state, run: null } }];
  const next = { ...run, done: run.done + 1, isIntended: false, ends: [] };
  if (planned === null) return [{ name: "pass", state: { ...state, run: next } }];
  if (!run.isIntended) {
    return [{ name: "intend", state: { ...state, run: { ...run, isIntended: true } } }];
  }
  const operation = planned.operations[run.ends.length];
  if (operation === undefined) {
    const ends = run.ends.map((end, index) => {
      const lost = planned.operations[index];
      return end ?? (lost && lookAgain(model, state, run.done, lost));
    });
    const settled = settle(model, state, run.done, planned, ends.filter(isEnded));
    return [{ name: "settle", state: { ...settled, run: next } }];
  }
  const { state: after, end } = perform(model, state, run.done, operation);
  const name = `${operation.kind} on ${operation.side}`;
  const heard = { ...after, run: { ...run, ends: [...run.ends, end] } };
  if (!mayLose) return [{ name, state: heard }];
  const left = { ...after.left, losses: after.left.losses - 1 };
  const unheard = { ...after, left, run: { ...run, ends: [...run.ends, null] } };
  return [
    { name, state: heard },
    { name: `${name}, unheard`, state: unheard },
  ];
}

const isEnded = (end: Ended | undefined): end is Ended => end !== undefined;

function crash(state: State, run: Run): State {
  const planned = run.isIntended ? run.plans?.[run.done] : undefined;
  return {
    ...state,
    run: null,
    open: planned == null ? state.open : [...state.open, planned],
    left: { ...state.left, crashes: state.left.crashes - 1 },
  };
}

function plan(
  model: Model,
  state: State,
  seen: Run["seen"],
  at: number,
): PlannedRecord | undefined {
  const { context, protocol } = model;
  const stored = state.links[at] ?? undefined;
  const records = new Map<string, StreamRecord>();
  const views = protocol.sides.map((side, on): SideView => {
    const row = seen[on]?.[at] ?? null;
    const own = stored?.sides[side];
    const known = own === undefined ? {} : { acknowledged: own.acknowledged };
    if (row !== null) {
      records.set(side, { key: keyOf(model, at), values: row });
      return { side, presence: "present", values: row, ...known };
    }
    return { side, presence: own === undefined ? "never" : "gone", values: [], ...known };
  });
  if (stored === undefined && records.size === 0) return undefined;
  const merge = mergeRecord(context.rules, stored?.agreed, views);
  const link = at + 1;
  const candidate = { link, staged: [], ...(stored === undefined ? {} : { stored }) };
  const looked: Looked = {
    link,
    candidate,
    merged: merge,
    views,
    records,
    isAsked: false,
    decided: [],
    troubles: [],
  };
  return planRecord(context, "plan", looked);
}

const keyOf = ({ protocol }: Model, at: number): RecordKey => recordKey([protocol.keys[at] ?? ""]);

const sideOf = (
  model: Model,
  name: string,
): { readonly on: number; readonly side: SideContext } => {
  const on = model.protocol.sides.indexOf(name);
  return { on, side: model.context.sides[on] as SideContext };
};

/** The side makes the write if it finds what the operation expects. */
function perform(
  model: Model,
  state: State,
  at: number,
  operation: Operation,
): { readonly state: State; readonly end: Ended } {
  const { on, side } = sideOf(model, operation.side);
  const names = side.schema.fields.map(({ name }) => name);
  const row = state.rows[at]?.[on] ?? null;
  const holds =
    operation.kind === "create"
      ? row === null
      : row !== null &&
        operation.fields.every(
          ({ field, before }) => before === undefined || row[names.indexOf(field)] === before,
        );
  if (!holds && !(operation.kind === "delete" && row === null)) {
    return { state, end: { kind: "conflict", trouble: "It was changed." } };
  }
  if (operation.kind === "delete") {
    // What a recorded delete took can be found in the journal.
    const taken = operation.fields.flatMap(({ before }) =>
      before == null ? [] : [String(before)],
    );
    const rows = withRow(state.rows, at, on, null);
    const excused = merged(state.excused, taken);
    return { state: { ...state, rows, excused }, end: { kind: "written", stored: null } };
  }
  let after: Values = row ?? names.map(() => null);
  let { stood } = state;
  for (const { field, after: value } of operation.fields) {
    const index = names.indexOf(field);
    after = after.with(index, value);
    const place = placeOf(at, on, index);
    if (index === 0 || value === null) continue;
    stood = { ...stood, [place]: merged(stood[place] ?? [], [String(value)]) };
  }
  const stored = { key: keyOf(model, at), values: after };
  const rows = withRow(state.rows, at, on, after);
  return { state: { ...state, rows, stood }, end: { kind: "written", stored } };
}

function lookAgain(model: Model, state: State, at: number, operation: Operation): Ended {
  const { on, side } = sideOf(model, operation.side);
  const row = state.rows[at]?.[on] ?? null;
  const record = row === null ? undefined : { key: keyOf(model, at), values: row };
  return judge(side, operation, record);
}

/** The home after a settlement, as the homes make it. */
function settle(
  model: Model,
  state: State,
  at: number,
  planned: PlannedRecord,
  ends: readonly Ended[],
): State {
  const byId = new Map(planned.operations.map(({ id }, index) => [id, ends[index] as Ended]));
  const settled = settleRecord(model.context, planned, byId);
  const beaten = planned.reasons.flatMap((reason) =>
    reason.kind === "decided" ? reason.beat.map(({ value }) => String(value)) : [],
  );
  const links = state.links.with(at, keep(state.links[at] ?? null, settled));
  return { ...state, links, excused: merged(state.excused, beaten) };
}

function keep(before: StoredLink | null, settled: SettledRecord): StoredLink | null {
  if (settled.ends || settled.forgets === true) return null;
  const gone = new Set(settled.unlinked.map(({ side }) => side));
  const kept = Object.entries(before?.sides ?? {}).filter(([side]) => !gone.has(side));
  const told = settled.sides.map(({ side, key, acknowledged }): [string, StoredSide] => [
    side,
    { key, acknowledged },
  ]);
  const { link, name, agreed, behind } = settled;
  const sides = Object.fromEntries([...new Map([...kept, ...told])].sort(bySide));
  return { link, name, agreed, behind, sides };
}

const bySide = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : 1;
