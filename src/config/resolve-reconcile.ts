import type { ReconcileSpec, SharedFieldSpec, SideSpec } from "../core/mapping/reconcile-spec.ts";
import type { ReconcileGuardSpec } from "../model/reconcile-spec.ts";
import type { ValueType } from "../model/value.ts";
import { compilePolicies, policyProblems } from "./compile-policies.ts";
import { compileSide } from "./compile-side.ts";
import type { ConfigPath, ConfigProblem } from "./config-problem.ts";
import { showPath, showValue } from "./config-problem.ts";
import { didYouMean } from "./did-you-mean.ts";
import { parseDuration, parseShare } from "./quantities.ts";
import { placeProblems, reconcileProblems } from "./reconcile-checks.ts";
import type {
  FieldTypeInput,
  ReconcileGuardInput,
  ReconcileInput,
  SideFieldInput,
  SideInput,
} from "./reconcile-input.ts";

const LEASE_MS = 60_000;
const DEFAULT_OVERLAP = "10m";
const DEFAULT_REFRESH = "1d";
const DEFAULT_TOMBSTONES = "90d";
const DEFAULT_GUARD: ReconcileGuardSpec = {
  deleteShare: 0.1,
  deleteCount: 1_000,
  deleteFloor: 20,
  changeShare: 0.5,
  changeCount: 10_000,
  changeFloor: 100,
};

interface Around {
  readonly path: ConfigPath;
  readonly systems: readonly string[];
  readonly problems: ConfigProblem[];
}

/** Judges a sync of sides as far as that can be done before any of them is reached. */
export function resolveReconcile(
  name: string,
  input: ReconcileInput,
  around: Around,
): ReconcileSpec {
  const { path, problems } = around;
  const match = typeof input.match === "string" ? [input.match] : input.match;
  const names = Object.keys(input.sides);
  problems.push(...reconcileProblems(input, path));
  for (const { path: inside, reason, remedy } of policyProblems(input, names)) {
    const message = `${reason}. ${remedy.replace(/\.$/, "")}`;
    problems.push({ path: [...path, ...inside], message });
  }
  const declared = input.fields === undefined ? undefined : Object.keys(input.fields);
  for (const field of declared === undefined ? [] : match) {
    if (declared?.includes(field) === true) continue;
    problems.push({
      path: [...path, "match"],
      message: `names ${showValue(field)}, which is not among fields${didYouMean(field, declared ?? [])}`,
    });
  }
  return {
    name,
    match,
    sides: names.map((side) => resolveSide(side, input, around)),
    fields: sharedFields(input),
    deletes: {
      propagate: input.deletes?.propagate ?? "remove",
      editAgainstDelete:
        input.deletes?.againstEdit ?? (input.hub === undefined ? "edit-wins" : { hub: input.hub }),
    },
    guard: resolveGuard(input.guard ?? {}),
    leaseMs: LEASE_MS,
    buryMs: parseDuration(input.tombstones ?? DEFAULT_TOMBSTONES) ?? 0,
    configuration: JSON.stringify(sortedKeys({ ...input, guard: undefined })),
    compilePolicies: (fields, now) => {
      const { chains, problems: found } = compilePolicies(input, names, fields, now);
      return {
        chains,
        problems: found.map((problem) => ({ ...problem, path: showPath(problem.path) })),
      };
    },
  };
}

function resolveSide(name: string, input: ReconcileInput, around: Around): SideSpec {
  const side = input.sides[name] as SideInput;
  const path: ConfigPath = [...around.path, "sides", name];
  if (!around.systems.includes(side.system)) {
    around.problems.push({
      path: [...path, "system"],
      message: `is ${showValue(side.system)}, which is no configured system${didYouMean(side.system, around.systems)}; allowed: ${around.systems.join(", ")}`,
    });
  }
  const given = Object.entries(side.fields ?? {});
  around.problems.push(
    ...given.flatMap(([shared, own]) => sourceProblems(own, [...path, "fields", shared])),
  );
  around.problems.push(...placeProblems(side, input, path));
  const offset = side.clockOffset ?? "0s";
  const offsetMs = parseDuration(offset.replace(/^-/, "")) ?? 0;
  return {
    name,
    system: side.system,
    stream: side.stream,
    direction: side.direction ?? "both",
    ...(side.filter === undefined ? {} : { filter: side.filter }),
    observe: side.observe ?? "whole",
    overlapMs: parseDuration(side.overlap ?? DEFAULT_OVERLAP) ?? 0,
    refreshMs: parseDuration(side.refresh ?? DEFAULT_REFRESH) ?? 0,
    digests: side.digests ?? true,
    clockOffsetMs: offset.startsWith("-") ? -offsetMs : offsetMs,
    create: side.create ?? true,
    update: side.update ?? true,
    // A side that is only read is written to in no way.
    remove: side.remove ?? (side.direction === "read" ? "never" : "delete"),
    whenLeaving: side.leaving ?? "keep",
    mapped: given.flatMap(([shared, own]) => (own === null ? [] : [shared])),
    unmapped: given.flatMap(([shared, own]) => (own === null ? [shared] : [])),
    mappingText: JSON.stringify(sortedKeys([side.stream, side.fields])),
    filterText: JSON.stringify(sortedKeys([side.filter, side.where])),
    compile: (sideFields, shared) => compileSide(side, sideFields, shared, path.join(".")),
    fieldOf: (shared) => {
      const own = side.fields?.[shared];
      if (own === undefined) return shared;
      if (own === null || typeof own === "string") return own ?? undefined;
      return own.constant === undefined && own.computed === undefined
        ? (own.field ?? shared)
        : undefined;
    },
  };
}

/** A field comes from one place, and what is not written has no value for new records. */
function sourceProblems(own: SideFieldInput | null, path: ConfigPath): readonly ConfigProblem[] {
  if (own === null || typeof own === "string") return [];
  const from = (["field", "constant", "computed"] as const).filter((key) => own[key] !== undefined);
  if (from.length > 1) {
    return [{ path, message: `has ${from.join(" and ")}; expected one of them` }];
  }
  if (own.default === undefined || own.field !== undefined || from.length === 0) return [];
  return [{ path, message: `has ${from[0]} and default, and nothing is written there` }];
}

function sharedFields({ fields }: ReconcileInput): readonly SharedFieldSpec[] {
  return Object.entries(fields ?? {}).map(([name, given]) => {
    const compare = Object.fromEntries(
      Object.entries(given?.compare ?? {}).filter(([, value]) => value !== undefined),
    );
    const type = given?.type;
    return { name, compare, ...(type === undefined ? {} : { type: valueType(type) }) };
  });
}

function valueType(type: FieldTypeInput): ValueType {
  switch (type) {
    case "integer":
      return { kind: "integer", bits: 64 };
    case "set":
      return { kind: "list", of: { kind: "text" }, ordered: false };
    case "list":
      return { kind: "list", of: { kind: "text" }, ordered: true };
    default:
      return { kind: type };
  }
}

function resolveGuard(input: ReconcileGuardInput): ReconcileGuardSpec {
  const share = (key: "deleteShare" | "changeShare"): number => {
    const given = input[key];
    return (given === undefined ? undefined : parseShare(given)) ?? DEFAULT_GUARD[key];
  };
  return {
    deleteShare: share("deleteShare"),
    deleteCount: input.deleteCount ?? DEFAULT_GUARD.deleteCount,
    deleteFloor: input.deleteFloor ?? DEFAULT_GUARD.deleteFloor,
    changeShare: share("changeShare"),
    changeCount: input.changeCount ?? DEFAULT_GUARD.changeCount,
    changeFloor: input.changeFloor ?? DEFAULT_GUARD.changeFloor,
  };
}

/** The same settings in another order are the same settings; a function is its text. */
function sortedKeys(value: unknown): unknown {
  if (typeof value === "function") return String(value);
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, own]) => [key, sortedKeys(own)]));
}
